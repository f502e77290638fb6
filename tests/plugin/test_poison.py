"""Mail that ends its process twice is poison; a machine without a free process is not the mail's fault."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.message import Message
from gatepost.mail.verdict import Verdict
from gatepost.plugin.base import Cost, Plugin, PluginSettings
from gatepost.plugin.bench import Bench
from gatepost.plugin.context import Context
from gatepost.plugin.poison import Poison, twice
from gatepost.plugin.tools import Killed, Tools
from gatepost.plugin.worker import WorkerBusy, WorkerError


def work() -> str:
    """Stand for heavy work."""
    return "done"


class Reader(Plugin):
    """Read a mail in a process. It is for a test. That is why it works."""

    cost = Cost.CPU

    def headers(self, ctx: Context[PluginSettings]) -> Any:
        return self._read(ctx)

    async def _read(self, ctx: Context[PluginSettings]) -> Verdict | None:
        try:
            SAID.append(await twice(ctx, work, seconds=1.5))
        except Poison as error:
            SAID.append(f"poison: {error}")
        return None


SAID: list[str] = []


def run(*outcomes: str | Exception) -> tuple[list[str], list[str], list[str]]:
    """Return what came out, failures, and alerts, where a process does these things in turn."""
    SAID.clear()
    alerts: list[str] = []
    turns = list(outcomes)

    async def in_worker(function: Any, *arguments: Any, timeout: float) -> Any:
        assert (work, 1.5) == (function, timeout)
        turn = turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn

    def alert(plugin: str, text: str) -> None:
        alerts.append(f"{plugin}: {text}")

    bench = Bench([Reader], Tools(in_worker=in_worker, alert=alert))
    policy = bench.policy("example.org", {"reader": {"mode": "on"}})
    findings = asyncio.run(bench.ask_message(policy, Message(b"Subject: x\r\n\r\n")))
    assert [] == turns
    return list(SAID), [f.failure for f in findings if f.failure], alerts


def test_once_may_be_the_machine() -> None:
    """What works the second time works."""
    assert (["done"], [], []) == run("done")
    assert (["done"], [], []) == run(Killed("the process died"), "done")


def test_twice_is_the_mail() -> None:
    """Both ways in which its process ended are told, and the administrator is told once."""
    said, failures, (alert,) = run(Killed("the process died"), Killed("took more than 1.5 s", late=True))
    assert (["poison: the process died; took more than 1.5 s"], []) == (said, failures)
    assert alert.startswith("reader: poison: TRY0000000000.1: took more than")


def test_an_error_of_ours_is_no_death() -> None:
    """A process that lives and says that we have a fault: as the check's `on_failure` says, and at once."""
    assert ([], ["WorkerError: ValueError: x"], []) == run(WorkerError("ValueError: x"))
    assert ([], ["WorkerError: ValueError: x"], []) == run(Killed("died"), WorkerError("ValueError: x"))


@pytest.mark.parametrize("first", [[], [Killed("died")]])
def test_no_process_is_nobodys_fault(first: list[Exception]) -> None:
    """The check could not answer; that is no poison."""
    said, failures, alerts = run(*first, WorkerBusy("no process was free"))
    assert ([], ["no process was free"], []) == (said, failures, alerts)
