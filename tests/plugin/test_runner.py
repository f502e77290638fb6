"""A plugin that raises, waits for ever or returns nonsense is a failure of that plugin and nothing else.

In each hook. What becomes of it is the plugin's `on_failure`: nothing, or a deferral. Never a 5xx,
never another plugin's answer, never an exception in the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take
from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.hooks import HOOKS
from gatepost.policy.decide import Fate, Finding, Outcome, decide_message, decide_recipient
from gatepost.policy.policy import Action, DomainPolicy
from tests.plugin.stage import make_plugin

MESSAGE = b"Subject: hello\r\n\r\nbody\r\n"


class Unprintable(Exception):
    """Even its text raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Evil:
    """Not a verdict, and cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def raises(error: BaseException) -> Callable[..., Any]:
    def hook(_self: Plugin, _ctx: Any) -> Any:
        raise error

    return hook


def raises_later(error: BaseException) -> Callable[..., Any]:
    async def hook(_self: Plugin, _ctx: Any) -> Any:
        await asyncio.sleep(0)
        raise error

    return hook


def returns(answer: Any) -> Callable[..., Any]:
    def hook(_self: Plugin, _ctx: Any) -> Any:
        return answer

    return hook


async def waits(_self: Plugin, _ctx: Any) -> None:
    await asyncio.Event().wait()


async def waits_and_will_not_stop(_self: Plugin, _ctx: Any) -> None:
    until = time.monotonic() + 1
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            pass


async def awaits_nonsense(_self: Plugin, _ctx: Any) -> None:
    class Odd:
        def __await__(self) -> Any:
            yield 42

    await Odd()


async def cancels_itself(_self: Plugin, _ctx: Any) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)


def closure(_self: Plugin, _ctx: Any) -> Any:
    def generator() -> Any:
        yield Reject("never")

    return generator()


BAD: dict[str, Callable[..., Any]] = {
    "raises": raises(ValueError("broken")),
    "exits": raises(SystemExit(3)),
    "stops": raises(StopIteration()),
    "generator exit": raises(GeneratorExit()),
    "cancelled": raises(asyncio.CancelledError()),
    "unprintable": raises(Unprintable()),
    "deep": raises(RecursionError("too deep")),
    "raises later": raises_later(ValueError("broken")),
    "exits later": raises_later(SystemExit(3)),
    "unprintable later": raises_later(Unprintable()),
    "waits": waits,
    "will not stop": waits_and_will_not_stop,
    "awaits nonsense": awaits_nonsense,
    "cancels itself": cancels_itself,
    "text": returns("550 go away"),
    "number": returns(550),
    "true": returns(True),
    "class": returns(Reject),
    "list": returns([Reject("x")]),
    "evil": returns(Evil()),
    "tuple": returns((Reject("x"), "550")),
    "generator": closure,
    "wrong code": returns(Reject("x", code=250)),
    "4xx as reject": returns(Reject("x", code=450)),
    "5xx as defer": returns(Defer("x", code=550)),
    "text as code": returns(Reject("x", code="550")),  # type: ignore[arg-type]
    "wrong enhanced": returns(Reject("x", enhanced="2.0.0")),
    "no reason": returns(Reject(None)),  # type: ignore[arg-type]
    "nan": returns(Score(float("nan"), "x")),
    "infinite": returns(Score(float("inf"), "x")),
    "no number": returns(Score("5", "x")),  # type: ignore[arg-type]
    "split header": returns(AddHeader("X-A", "b\r\nBcc: everyone@example.org")),
    "bad header": returns(AddHeader("X A", "b")),
}
FAST = {name: hook for name, hook in BAD.items() if name not in ("waits", "will not stop")}


def outcome_of(hook_name: str, bench: Bench, policy: DomainPolicy) -> tuple[list[Finding], Outcome]:
    """Put one mail through the hook."""

    async def run() -> tuple[list[Finding], Outcome]:
        case = Case()
        session, transaction = case.session(), case.transaction()
        address = parse_address(case.recipient)
        recipient = Recipient(address, address, policy=policy)
        transaction.recipients.append(recipient)
        if hook_name == "done":
            later = bench.pipeline.run_done(session, transaction, recipient, Outcome(Fate.ACCEPT))
            if later is not None:
                await later
            return [], Outcome(Fate.ACCEPT)
        if hook_name in ("headers", "message"):
            (findings,) = await bench.pipeline.run_message(
                session, transaction, [recipient], Message(MESSAGE, MESSAGE)
            )
            return findings, decide_message(policy, findings, None)
        run = bench.pipeline.run_address if hook_name == "address" else bench.pipeline.run_recipient
        answer = run(session, transaction, recipient, policy)
        findings = answer if isinstance(answer, list) else await answer
        return findings, decide_recipient(policy, findings, None)

    return asyncio.run(run())


@pytest.mark.parametrize("on_failure", ["pass", "defer"])
@pytest.mark.parametrize("hook_name", HOOKS)
def test_every_fault_in_every_hook(hook_name: str, on_failure: str) -> None:
    """The fault is written down with the plugin's name, the mail goes on or is deferred, never refused."""
    for name, hook in FAST.items():
        bench = Bench([make_plugin(**{hook_name: hook, "on_failure": on_failure})])
        findings, outcome = outcome_of(hook_name, bench, bench.policy())
        assert bench.pipeline.failures == {"probe": 1}, name
        if hook_name == "done":
            continue
        failures = [f for f in findings if f.failure]
        assert failures, name
        assert all(f.plugin == "probe" and f.hook == hook_name for f in failures)
        if on_failure == "pass":
            assert outcome.fate is Fate.ACCEPT, name
        elif name != "tuple":
            assert outcome.fate is Fate.DEFER, name
            assert 400 <= outcome.code < 500


@pytest.mark.parametrize("hook_name", [h for h in HOOKS if h != "done"])
def test_waiting_for_ever(hook_name: str) -> None:
    """Who waits is cut off at the plugin's time limit, even one that will not be cancelled."""
    for name in ("waits", "will not stop"):
        bench = Bench([make_plugin(**{hook_name: BAD[name], "timeout": 0.05, "on_failure": "defer"})])
        started = time.monotonic()
        findings, outcome = outcome_of(hook_name, bench, bench.policy())
        took = time.monotonic() - started
        assert "no answer within 0.05 s" == findings[0].failure
        assert outcome.fate is Fate.DEFER
        if name == "waits":
            assert took < 10  # not for ever; a busy machine takes its time
        assert findings[0].milliseconds >= 50


@pytest.mark.parametrize("action", list(Action))
def test_failure_under_every_action(action: Action) -> None:
    """Whatever a refusal becomes in this domain, a failure is never made a refusal."""
    bench = Bench([make_plugin(rcpt=BAD["raises"], on_failure="defer")])
    policy = bench.policy("example.org", {"probe": {"action": action}})
    findings, outcome = outcome_of("rcpt", bench, policy)
    assert outcome.fate is Fate.DEFER
    assert "probe cannot answer: ValueError: broken" == findings[0].verdict.reason  # type: ignore[union-attr]
    assert "A check cannot answer now, try again later" == outcome.public


def test_the_others_go_on() -> None:
    """One plugin's fault leaves the answers of the others as they are."""
    good = make_plugin("Good", rcpt=returns(Score(2, "odd")))
    for name, hook in FAST.items():
        bench = Bench([make_plugin("First", rcpt=hook), good, make_plugin("Last", rcpt=returns(None))])
        findings, _ = outcome_of("rcpt", bench, bench.policy())
        assert Score(2, "odd") in [f.verdict for f in findings], name
        assert "last" in [f.plugin for f in findings]


def test_verdict_in_the_wrong_hook() -> None:
    """`Rewrite` means something only in address, and `done` only watches."""
    bench = Bench([make_plugin(rcpt=returns(Rewrite("bob@example.org")), address=returns(Allow("x")))])
    findings, _ = outcome_of("rcpt", bench, bench.policy())
    assert "Rewrite means nothing in the hook rcpt" == findings[0].failure
    findings, _ = outcome_of("address", bench, bench.policy())
    assert "Allow means nothing in the hook address" == findings[0].failure


def test_verdicts_that_are_right() -> None:
    """All that a hook may say reaches the finding as it is."""
    for verdict in (
        Reject("r", "p", 554, "5.7.1"),
        Defer("r", "p", 450, "4.2.0"),
        Score(-2.5, "good"),
        Allow("known"),
        Take("swallowed"),
        AddHeader("X-Probe", "yes"),
    ):
        bench = Bench([make_plugin(rcpt=returns(verdict))])
        findings, _ = outcome_of("rcpt", bench, bench.policy())
        assert [verdict] == [f.verdict for f in findings]
        assert "" == findings[0].failure


def test_several_verdicts() -> None:
    """A tuple is one finding each."""
    bench = Bench([make_plugin(rcpt=returns((Score(1, "a"), AddHeader("X-A", "b"))))])
    findings, _ = outcome_of("rcpt", bench, bench.policy())
    assert [Score(1, "a"), AddHeader("X-A", "b")] == [f.verdict for f in findings]


def test_public_sentence() -> None:
    """The sender reads the plugin's general sentence where the verdict has none of its own."""
    bench = Bench([make_plugin(rcpt=returns(Reject("exact reason")), public="General sentence")])
    findings, outcome = outcome_of("rcpt", bench, bench.policy())
    assert Reject("exact reason", "General sentence") == findings[0].verdict
    assert ("exact reason", "General sentence") == (outcome.reason, outcome.public)


def test_board_shows_who_runs() -> None:
    """The number of the plugin stands on the board while it runs, also after it waited, and 0 afterwards."""
    board: list[int] = [0]
    seen: list[int] = []

    async def rcpt(_self: Plugin, _ctx: Any) -> None:
        seen.append(board[0])
        await asyncio.sleep(0)
        seen.append(board[0])

    def helo(_self: Plugin, _ctx: Any) -> None:
        seen.append(board[0])

    bench = Bench([make_plugin("One", helo=helo), make_plugin("Two", rcpt=rcpt)])
    bench.tools.running = lambda n, _hand=0: board.__setitem__(0, n)
    bench = Bench(bench.registry, bench.tools)
    outcome_of("rcpt", bench, bench.policy())
    assert [1, 2, 2] == seen
    assert [0] == board
    assert ["", "one", "two", ""] == [bench.registry.by_index(n) for n in range(4)]


def test_counts() -> None:
    """Time and failures per plugin are handed out once, for the metrics; failures are also told at once."""

    def slow(_self: Plugin, _ctx: Any) -> None:
        time.sleep(0.002)

    told: list[tuple[str, str, str]] = []
    bench = Bench([make_plugin("Slow", helo=slow), make_plugin("Bad", rcpt=BAD["raises"])])
    bench.pipeline.runner.on_failure = lambda *what: told.append(what)
    findings, _ = outcome_of("rcpt", bench, bench.policy())
    assert findings[0].milliseconds >= 2
    seconds, failures = bench.pipeline.drain()
    assert seconds["slow"] >= 0.002
    assert {"bad": 1} == failures
    assert ({}, {}) == bench.pipeline.drain()
    assert [("bad", "rcpt", "ValueError: broken")] == told


def test_gateway_scope() -> None:
    """The machine's own checks fail the same way, and one that would wait has failed."""
    for hook in (*FAST.values(), waits):
        bench = Bench([make_plugin(connect=hook, scope=Scope.GATEWAY)])
        assert bench.pipeline.gateway_connect(Case().session()) is None
        assert {"probe": 1} == bench.pipeline.failures
    bench = Bench([make_plugin(connect=BAD["raises"], scope=Scope.GATEWAY, on_failure="defer")])
    verdict = bench.pipeline.gateway_connect(Case().session())
    assert isinstance(verdict, Defer)
