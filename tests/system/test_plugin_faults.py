"""A plugin that raises, waits for ever or returns nonsense, in each hook: only its own failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatepost.plugin.hooks import HOOKS
from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, host, in_force, journal, metric, running
from tests.system.talk import Talk

HOWS = (
    "raises", "exits", "is_cancelled", "recurses", "waits", "never_stops", "waits_then_raises", "says_no",
    "number", "odd_thing", "bad_code", "no_number", "line_break", "generator", "some_nonsense",
)  # fmt: skip
PLUGIN = '''"""Fails in one hook as it is told to."""

import asyncio
import time

from gatepost.plugin import AddHeader, Context, Plugin, PluginSettings, Reject, Score


class Settings(PluginSettings):
    """What it is told."""

    how: str = ""
    """The way to fail."""


class OddThing:
    """Has no words for itself."""

    def __repr__(self):
        raise ValueError("no words")

    def __bool__(self):
        raise ValueError("neither")


async def never_stops():
    """Does not even stop when it is cancelled."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


async def waits_then_raises():
    """Raises behind its first wait."""
    await asyncio.sleep(0.1)
    raise RuntimeError("later")


class Trouble_HOOK_(Plugin):
    """Fail in the hook _HOOK_. It works because tests want it to."""

    name = "trouble__HOOK_"

    settings = Settings
    timeout = 1.0

    def _HOOK_(self, ctx: Context[Settings]):
        how = ctx.settings.how
        if how == "raises":
            raise ValueError("as told")
        if how == "exits":
            raise SystemExit(3)
        if how == "is_cancelled":
            raise asyncio.CancelledError
        if how == "recurses":
            return self._HOOK_(ctx)
        if how == "waits":
            return asyncio.sleep(3600)
        if how == "never_stops":
            return never_stops()
        if how == "waits_then_raises":
            return waits_then_raises()
        if how == "says_no":
            return "no"
        if how == "number":
            return 550
        if how == "odd_thing":
            return OddThing()
        if how == "bad_code":
            return Reject("x", code=250)
        if how == "no_number":
            return Score(float("nan"), "x")
        if how == "line_break":
            return AddHeader("X-Bad", "a" + chr(13) + chr(10) + "Bcc: evil@client.example")
        if how == "generator":
            return (n for n in range(3))
        if how == "some_nonsense":
            return (Score(1, "x"), "and nonsense")
        if how == "blocks":
            time.sleep(3600)
        return None
'''


def put_plugins(top: Path) -> None:
    """Write a plugin for each hook into the folder."""
    folder = top / "plugins"
    folder.mkdir(mode=0o755)
    for hook in HOOKS:
        (folder / f"trouble_{hook}.py").write_text(PLUGIN.replace("_HOOK_", hook))
        (folder / f"trouble_{hook}.py").chmod(0o644)


@pytest.fixture(scope="module")
def back_end() -> Iterator[Backend]:
    """Give a back end that takes everything."""
    with behind() as backend:
        yield backend


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a plugin for each hook."""
    top = tmp_path_factory.mktemp("third-party")
    put_plugins(top)
    return top / "plugins"


@pytest.fixture(scope="module")
def gateway(back_end: Backend, folder: Path) -> Iterator[Gateway]:
    """Give a gateway with two workers and a domain for each way to fail in each hook."""
    with running(smtp={"workers": 2}, plugins={"folder": str(folder)}) as gateway:
        for hook in HOOKS:
            for how in HOWS:
                for on_failure in ("pass", "defer"):
                    name = f"trouble_{hook}"
                    values = {f"{name}.mode": "on", f"{name}.how": how, f"{name}.on_failure": on_failure}
                    host(gateway, domain(hook, how, on_failure), back_end.url, **values)
        host(gateway, "well.example", back_end.url)
        in_force()
        yield gateway


def domain(hook: str, how: str, on_failure: str) -> str:
    """Return the domain for a way to fail."""
    return f"{on_failure}.{how.replace('_', '-')}.{hook}.example"


def told(gateway: Gateway, *domains: str) -> list[int]:
    """Send a mail; the codes to each recipient, and to the data where somebody was accepted."""
    with Talk(gateway.port) as talk:
        codes = [code for code, _ in talk.begin(*(f"ann@{name}" for name in domains))]
        if 250 in codes:
            codes.append(talk.data(b"Subject: x\r\n\r\nx\r\n")[0])
        assert 250 == talk.say("NOOP")[0]
        return codes


@pytest.mark.parametrize("hook", HOOKS)
def test_a_fault_is_only_the_plugins_own(gateway: Gateway, back_end: Backend, hook: str) -> None:
    """L11: by `on_failure` the mail passes or is deferred; never a 5xx; journalled, counted and logged."""
    failures = metric(gateway, "gatepost_plugin_failures_total")
    cases = [(how, on_failure) for how in HOWS for on_failure in ("pass", "defer")]
    with ThreadPoolExecutor(len(cases)) as pool:
        results = list(pool.map(lambda case: told(gateway, domain(hook, *case)), cases))
    wrong = []
    for (how, on_failure), codes in zip(cases, results, strict=True):
        passes = on_failure == "pass" or hook == "done"  # the fate is known by then
        wanted = [[250, 250]] if passes else [[451], [250, 451]]
        if codes not in wanted:
            wrong.append(f"{how}, {on_failure}: {codes}")
    assert not wrong, "\n".join(wrong)

    wait_until(lambda: metric(gateway, "gatepost_plugin_failures_total") >= failures + len(cases), "counted")
    said = [line for line in gateway.said().splitlines() if f"hook={hook} " in line]
    assert len(cases) <= len([line for line in said if "event=plugin_no_answer" in line])
    if hook != "done":
        rows = {row.domain: row for row in journal(gateway)}
        for case in cases:
            trace = str(rows[domain(hook, *case)].trace)
            assert f"trouble_{hook}" in trace
            assert "failed" in trace, (case, trace)
    assert "event=bug" not in gateway.said()
    assert "event=process_died" not in gateway.said()
    assert not [mail for mail in back_end.taken if b"evil@client.example" in mail.wire]


def test_another_domain_in_the_same_mail(gateway: Gateway, back_end: Backend) -> None:
    """What fails for one recipient touches nobody else of the mail, nor of the process."""
    taken = Counter(rcpt for mail in back_end.taken for rcpt in mail.rcpts)
    bad = [domain(hook, "raises", "defer") for hook in ("connect", "rcpt", "headers", "message")]
    codes = told(gateway, bad[0], "well.example", bad[1], bad[2], bad[3])
    assert [451, 250, 451, 250, 250, 250] == codes
    now = Counter(rcpt for mail in back_end.taken for rcpt in mail.rcpts) - taken
    assert {"RCPT TO:<ann@well.example>": 1} == dict(now)
    queued = str(gateway.json("queue", "list"))
    assert bad[2] in queued  # deferred at message time while somebody has the mail: kept here
    assert bad[3] in queued


def test_a_plugin_that_cannot_be_loaded(back_end: Backend, tmp_path: Path) -> None:
    """It is listed with its error and stops nothing."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / "broken.py").write_text("def (")
    (folder / "misspelt.py").write_text(PLUGIN.replace("_HOOK_", "hello"))
    for path in folder.iterdir():
        path.chmod(0o644)
    with running(plugins={"folder": str(folder)}) as gateway:
        host(gateway, "well.example", back_end.url)
        in_force()
        assert [250, 250] == told(gateway, "well.example")
        said = [line for line in gateway.said().splitlines() if "event=plugin_failed" in line]
        assert any("plugin=broken" in line and "SyntaxError" in line for line in said)
        assert any("plugin=trouble_hello" in line and "did you mean" in line for line in said), said
        assert "broken" in gateway.cli("plugin", "list", check=False).stdout
