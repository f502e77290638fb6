"""Third-party plugins that misbehave in a running gateway: the mail goes on, and so does everybody else's.

CONTRACT 4 and 5: no exception or time-out of a plugin becomes a 5xx or closes another client's
connection; a worker whose loop stands still is replaced, and the plugin that ran is named.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatepost.plugin.hooks import HOOKS
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

TROUBLE = '''"""Misbehaves as it is told."""

import asyncio
import time

from gatepost.plugin import Context, Plugin, PluginSettings


class Trouble(Plugin):
    """Misbehaves as it is told.

    By the HELO name: `raise.rcpt.example` raises in the hook rcpt.
    """

    timeout = 0.5

HOOKS
    async def _act(self, ctx: Context[PluginSettings], hook: str) -> object:
        how, where, _ = ctx.session.helo.split(".")
        if where != hook:
            return None
        if how == "raise":
            raise ValueError("broken on purpose")
        if how == "exit":
            raise SystemExit(1)
        if how == "wait":
            await asyncio.Event().wait()
        if how == "block":
            time.sleep(600)
        return "550 nonsense" if how == "nonsense" else None
'''
HOOK = """
    async def {0}(self, ctx: Context[PluginSettings]) -> object:
        return await self._act(ctx, "{0}")
"""
MISSPELT = '''"""A hook that is none."""
from gatepost.plugin import Context, Plugin, PluginSettings

class SubjectWords(Plugin):
    """Looks for nothing."""

    def header(self, ctx: Context[PluginSettings]) -> None:
        return None
'''


def put(folder: Path, name: str, text: str) -> None:
    """Put a plugin into the folder whole."""
    new = folder.parent / name
    new.write_text(text)
    new.chmod(0o644)
    new.rename(folder / name)


@pytest.fixture
def troubled(make_gateway: Callable[..., Gateway], sink: Sink, tmp_path: Path) -> Iterator[Gateway]:
    """Give a gateway: example.org lets failures pass, strict.example defers, well.example has it off."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    put(folder, "trouble.py", TROUBLE.replace("HOOKS", "".join(HOOK.format(name) for name in HOOKS)))
    put(folder, "subject_words.py", MISSPELT)
    gateway = make_gateway(plugins={"folder": str(folder)})
    for domain in ("example.org", "strict.example", "well.example"):
        hosting(gateway, sink.port, domain=domain)
    gateway.cli("domain", "set", "example.org", "trouble.mode=on", "trouble.on_failure=pass")
    gateway.cli("domain", "set", "strict.example", "trouble.mode=on", "trouble.on_failure=defer")
    in_force()
    yield gateway


def send(gateway: Gateway, how: str, hook: str, domain: str) -> int:
    """Send a mail to ann as a client that makes trouble; the last reply's code."""
    with gateway.smtp(helo=f"{how}.{hook}.example") as client:
        client.ehlo()
        client.mail("me@client.example")
        code, _ = client.rcpt(f"ann@{domain}")
        return code if code != 250 else client.data(letter(f"{how} {hook}"))[0]


def test_trouble_in_each_hook(troubled: Gateway) -> None:
    """With `pass` the mail is delivered, with `defer` it waits; never a 5xx, and the third domain is well."""
    for how in ("raise", "wait", "nonsense", "exit"):
        for hook in HOOKS:
            where = f"{how} in {hook}"
            assert 250 == send(troubled, how, hook, "example.org"), where
            # `done` only watches: nothing depends on it.
            assert (250 if hook == "done" else 451) == send(troubled, how, hook, "strict.example"), where
            assert 250 == send(troubled, how, hook, "well.example"), where
    assert "plugin=trouble" in troubled.said()


def test_the_others_are_not_held_up(troubled: Gateway) -> None:
    """While one client waits for a plugin, another is served."""
    first: list[str] = []  # of each try who had the answer first; a busy machine may turn one round
    with ThreadPoolExecutor(1) as pool:
        while "other" not in first and len(first) < 4:
            slow = pool.submit(send, troubled, "wait", "rcpt", "example.org")
            assert 250 == troubled.rcpt("ann@well.example")[0]
            first.append("slow" if slow.done() else "other")
            assert 250 == slow.result()
    assert "other" in first


def test_failure_is_written_down(troubled: Gateway) -> None:
    """`explain` names the plugin and what went wrong with it."""
    with troubled.smtp(helo="raise.helo.example") as client:
        client.ehlo()
        client.mail("me@client.example")
        code, reply = client.rcpt("ann@strict.example")
    assert 451 == code
    text = reply.decode()
    found = text.rpartition("(")[2].rstrip(")")
    wait_until(lambda: troubled.cli("explain", found, check=False).returncode == 0, "explained")
    explained = " ".join(troubled.cli("explain", found).stdout.split())  # a narrow screen wraps it
    assert "trouble cannot answer: ValueError: broken on purpose" in explained
    assert "broken on purpose" not in text


def test_misspelt_hook_stops_nobody(troubled: Gateway) -> None:
    """The server runs; the plugin stands in the list with what is wrong and what was meant."""
    listed = troubled.cli("plugin", "list", check=False).stdout
    assert "subject_words" in listed
    shown = troubled.cli("plugin", "show", "subject_words", check=False)
    assert "SubjectWords.header is not a hook; did you mean 'headers'?" in shown.stdout + shown.stderr
    assert 250 == troubled.rcpt("ann@well.example")[0]


def test_repaired_at_hup(troubled: Gateway, tmp_path: Path) -> None:
    """HUP reads the plugins again, without a session being dropped."""
    with troubled.smtp() as client:
        client.ehlo()
        put(tmp_path / "plugins", "subject_words.py", MISSPELT.replace("def header(", "def headers("))
        assert troubled.child is not None
        troubled.child.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert 250 == client.mail("me@client.example")[0]
        assert 250 == client.rcpt("ann@well.example")[0]
    shown = troubled.cli("plugin", "show", "subject_words").stdout
    assert "is not a hook" not in shown


def test_plugin_that_blocks_the_loop(troubled: Gateway) -> None:
    """The worker is replaced within 15 seconds, the plugin named, and the next client is served."""

    def stuck() -> None:
        try:
            send(troubled, "block", "helo", "example.org")
        except OSError:
            pass  # its worker is killed: that is what is shown

    victim = threading.Thread(target=stuck)
    victim.start()
    started = time.monotonic()

    def served() -> bool:
        try:
            return troubled.rcpt("ann@well.example")[0] == 250
        except OSError:
            return False

    time.sleep(1)
    wait_until(lambda: "trouble" in blocked_lines(troubled), "the plugin is named")
    wait_until(served, "the next client is served")
    assert time.monotonic() - started < 20
    victim.join()


def blocked_lines(gateway: Gateway) -> str:
    """Return the log lines in which the parent tells of a worker that stood still."""
    return "\n".join(
        line for line in gateway.said().splitlines() if "blocked" in line or "stood still" in line
    )
