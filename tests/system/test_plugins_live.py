"""Third-party plugins that misbehave in a running gateway: the mail goes on, and so does everybody else's.

CONTRACT 4 and 5: no exception or time-out of a plugin becomes a 5xx or closes another client's
connection; a worker whose loop stands still is replaced, and the plugin that ran is named.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatepost.plugin.hooks import HOOKS
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

TROUBLE = '''"""Misbehaves as it is told."""

import asyncio
import time

from gatepost.plugin import Context, Plugin, PluginSettings


class Settings(PluginSettings):
    """What goes wrong, and where."""

    where: str = ""
    """The hook."""
    how: str = ""
    """raise, wait, nonsense, exit or block."""


class Trouble(Plugin):
    """Misbehaves as it is told, to show that the house stands."""

    settings = Settings
    timeout = 0.5

HOOKS
    async def _act(self, ctx: Context[Settings], hook: str) -> object:
        if ctx.settings.where != hook:
            return None
        if ctx.settings.how == "raise":
            raise ValueError("broken on purpose")
        if ctx.settings.how == "exit":
            raise SystemExit(1)
        if ctx.settings.how == "wait":
            await asyncio.Event().wait()
        if ctx.settings.how == "block" and ctx.session.helo == "block.example":
            time.sleep(600)
        return "550 nonsense" if ctx.settings.how == "nonsense" else None
'''
HOOK = """
    async def {0}(self, ctx: Context[Settings]) -> object:
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
    """Give a gateway with the plugin, on for example.org and off for second.example."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    put(folder, "trouble.py", TROUBLE.replace("HOOKS", "".join(HOOK.format(name) for name in HOOKS)))
    put(folder, "subject_words.py", MISSPELT)
    gateway = make_gateway(plugins={"folder": str(folder)})
    for domain in ("example.org", "second.example"):
        hosting(gateway, sink.port, domain=domain)
    yield gateway


def set_trouble(gateway: Gateway, *values: str) -> None:
    """Set what goes wrong for example.org, and wait until it is in force (CONTRACT 5: a second)."""
    gateway.cli("domain", "set", "example.org", "trouble.mode=on", *(f"trouble.{v}" for v in values))
    time.sleep(1)


@pytest.mark.parametrize("how", ["raise", "wait", "nonsense", "exit"])
def test_trouble_in_each_hook(troubled: Gateway, how: str) -> None:
    """With `pass` the mail is delivered, with `defer` it waits; never a 5xx, and the other domain is well."""
    for hook in HOOKS:
        set_trouble(troubled, f"where={hook}", f"how={how}", "on_failure=pass")
        said = troubled.send(["ann@example.org"], letter(f"{hook} {how}"))
        assert 250 == said[0], (hook, said)
        if hook == "done":
            continue  # it only watches: nothing depends on it
        set_trouble(troubled, "on_failure=defer")
        said = troubled.send(["ann@example.org"], letter(f"{hook} {how}"))
        assert 451 == said[0], (hook, said)
        assert 250 == troubled.send(["ann@second.example"], letter("unharmed"))[0]
    assert "plugin=trouble" in troubled.said()


def test_the_others_are_not_held_up(troubled: Gateway) -> None:
    """While one client waits for a plugin, another is served."""
    set_trouble(troubled, "where=rcpt", "how=wait")
    replies: list[int] = []
    slow = threading.Thread(target=lambda: replies.append(troubled.rcpt("ann@example.org")[0]))
    slow.start()
    started = time.monotonic()
    assert 250 == troubled.rcpt("ann@second.example")[0]
    assert time.monotonic() - started < 0.5
    slow.join()
    assert [250] == replies


def test_failure_is_written_down(troubled: Gateway) -> None:
    """`explain` names the plugin and what went wrong with it."""
    set_trouble(troubled, "where=helo", "how=raise", "on_failure=defer")
    code, text = troubled.rcpt("ann@example.org")
    assert 451 == code
    found = text.rpartition("(")[2].rstrip(")")
    wait_until(lambda: troubled.cli("explain", found, check=False).returncode == 0, "explained", 10)
    explained = " ".join(troubled.cli("explain", found).stdout.split())  # a narrow screen wraps it
    assert "trouble cannot answer: ValueError: broken on purpose" in explained
    assert "broken on purpose" not in text


def test_misspelt_hook_stops_nobody(troubled: Gateway) -> None:
    """The server runs; the plugin stands in the list with what is wrong and what was meant."""
    listed = troubled.cli("plugin", "list", check=False).stdout
    assert "subject_words" in listed
    shown = troubled.cli("plugin", "show", "subject_words", check=False)
    assert "SubjectWords.header is not a hook; did you mean 'headers'?" in shown.stdout + shown.stderr
    assert 250 == troubled.rcpt("ann@example.org")[0]


def test_repaired_at_hup(troubled: Gateway, tmp_path: Path) -> None:
    """HUP reads the plugins again, without a session being dropped."""
    with troubled.smtp() as client:
        client.ehlo()
        put(tmp_path / "plugins", "subject_words.py", MISSPELT.replace("def header(", "def headers("))
        assert troubled.child is not None
        troubled.child.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert 250 == client.mail("me@client.example")[0]
        assert 250 == client.rcpt("ann@example.org")[0]
    shown = troubled.cli("plugin", "show", "subject_words").stdout
    assert "is not a hook" not in shown


def test_plugin_that_blocks_the_loop(troubled: Gateway) -> None:
    """The worker is replaced within 15 seconds, the plugin named, and the next client is served."""
    set_trouble(troubled, "where=helo", "how=block")

    def stuck() -> None:
        try:
            with troubled.smtp(helo="block.example") as client:
                client.ehlo()
                client.mail("me@client.example")
                client.rcpt("ann@example.org")
        except OSError:
            pass  # its worker is killed: that is what is shown

    victim = threading.Thread(target=stuck)
    victim.start()
    started = time.monotonic()

    def served() -> bool:
        try:
            return troubled.rcpt("ann@second.example")[0] == 250
        except OSError:
            return False

    time.sleep(1)
    wait_until(lambda: "trouble" in blocked_lines(troubled), "the plugin is named", 18)
    wait_until(served, "the next client is served", 5)
    assert time.monotonic() - started < 20
    victim.join()


def blocked_lines(gateway: Gateway) -> str:
    """Return the log lines in which the parent tells of a worker that stood still."""
    return "\n".join(
        line for line in gateway.said().splitlines() if "blocked" in line or "stood still" in line
    )
