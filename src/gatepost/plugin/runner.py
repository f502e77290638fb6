"""Asks hooks and makes findings of what they say: the engine under `pipeline`.

A hook that does not wait costs a call and nothing else. An exception, a time-out or a nonsense
answer is a finding with a failure, and the plugin's `on_failure` makes a deferral of it or
nothing: never a refusal (CONTRACT 4). Answers are remembered for as long as they hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from gatepost.mail.verdict import Defer, Reject, Verdict
from gatepost.plugin.answers import VERDICTS, Failure, failed, problem, settled
from gatepost.plugin.context import Context
from gatepost.plugin.step import SESSION, Step
from gatepost.plugin.tools import Tools
from gatepost.plugin.waiting import Waiters, Waiting, begin
from gatepost.policy.decide import Finding
from gatepost.policy.policy import Action, OnFailure

if TYPE_CHECKING:
    from gatepost.mail.address import Address
    from gatepost.mail.session import Session
    from gatepost.plugin.registry import Registry
    from gatepost.policy.lists import Lists

Findings = list[Finding]

WORTH_TELLING = 0.0001
"""Seconds; a check that said nothing in less shares one finding for all mails."""
HOST_TIMEOUT = 10.0
PUBLIC_FAILURE = "A check cannot answer now, try again later"
_MISSING: Any = object()


class Runner:
    """Asks hooks, counts, remembers."""

    __slots__ = ("_registry", "_running", "_seconds", "failures", "on_failure", "tools", "waiters")

    def __init__(self, registry: Registry, tools: Tools) -> None:
        self._registry = registry
        self.tools = tools
        self._running = tools.running
        self._seconds = [0.0] * (len(registry) + 1)
        self.waiters = Waiters(tools.running)
        self.failures: dict[str, int] = {}
        """plugin -> failures since the last `drain`."""
        self.on_failure: Callable[[str, str, str], None] | None = None
        """Told of each failure: plugin, hook, text; for the log."""

    def ask(
        self, group: tuple[Step, ...], context: Context[Any], findings: Findings
    ) -> tuple[list[Waiting] | None, bool]:
        """Ask a group. Returns what waits, and whether dearer checks are needless now."""
        session_memory = context.session.answers
        transaction_memory = context._transaction.answers  # type: ignore[union-attr]
        seconds = self._seconds
        running = self._running
        waiting: list[Waiting] | None = None
        decided = False
        before = perf_counter()
        for step in group:
            keep = step.keep
            if keep:
                memory = session_memory if keep == SESSION else transaction_memory
                known = memory.get(step.key, _MISSING)
                if known is _MISSING and transaction_memory:
                    known = transaction_memory.get(step.key, _MISSING)  # a failure holds for one mail
                if known is not _MISSING:
                    if known is None:
                        findings.append(step.again)
                    elif self.note(step, context, findings, known, 0.0, remembered=True):
                        decided = True
                    continue
            context._step = step
            context._settings = step.settings
            running(step.index)
            try:
                answer = step.call(context)
                if answer is not None and type(answer) not in VERDICTS:
                    answer = _unusual(step, answer, context)
                    if type(answer) is Waiting:
                        waiting = waiting or []
                        waiting.append(answer)
                        context = context.fork()
                        before = perf_counter()
                        continue
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # whatever a plugin does, it is only that plugin's failure
                answer = failed(error)
            after = perf_counter()
            elapsed = after - before
            before = after
            seconds[step.index] += elapsed
            if answer is None and elapsed < WORTH_TELLING:
                if keep:
                    memory[step.key] = None
                findings.append(step.nothing)
            elif answer is step.usual and elapsed < WORTH_TELLING:
                findings.append(step.usual_finding)
                decided = decided or step.decides or step.final
                if step.final:
                    break
            elif self.note(step, context, findings, answer, elapsed):
                decided = True
                if step.final:
                    break
        running(0)
        return waiting, decided

    def start(self, step: Step, context: Context[Any]) -> Any:
        """Ask one hook: a verdict, None, a Failure, or Waiting."""
        context._step = step
        context._settings = step.settings
        self._running(step.index, context.hand)
        try:
            answer = step.call(context)
            if answer is not None and type(answer) not in VERDICTS:
                answer = _unusual(step, answer, context)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # as above
            answer = failed(error)
        return answer

    async def answer(self, step: Step, context: Context[Any]) -> Any:
        """Ask one hook and wait for it."""
        answer = self.start(step, context)
        self._running(0)
        if type(answer) is Waiting:
            await self.waiters.gather([answer])
            answer = answer.answer
        return answer

    def note(
        self,
        step: Step,
        context: Context[Any],
        findings: Findings,
        answer: Any,
        seconds: float,
        *,
        remembered: bool = False,
    ) -> bool:
        """Make findings of an answer and remember it. True: dearer checks are needless."""
        policy = step.policy
        if type(answer) is tuple:
            decided = False
            for one in answer:
                decided = self.note(step, context, findings, one, seconds, remembered=remembered) or decided
            if step.keep and not remembered:
                _memory(step, context)[step.key] = answer
            return decided
        failure = ""
        if answer is not None and type(answer) is not Failure:
            wrong = problem(step.hook, step.may, answer)
            if wrong:
                answer = Failure(wrong)
        verdict: Verdict | None
        action = policy.action
        if type(answer) is Failure:
            failure = answer.text
            verdict = None
            action = Action.DEFER
            if policy.on_failure is OnFailure.DEFER:
                verdict = Defer(f"{step.plugin.name} cannot answer: {failure}", PUBLIC_FAILURE, 451, "4.3.0")
            if not remembered:
                self.count_failure(step, failure)
                if step.keep and context._transaction is not None:
                    # Remembered for this mail only: the next one asks again.
                    context._transaction.answers[step.key] = answer
        else:
            verdict = answer
            if step.keep and not remembered:
                _memory(step, context)[step.key] = verdict
            if type(verdict) is Reject and not verdict.public:
                verdict = replace(verdict, public=step.plugin.public)
        allowed = ""
        if verdict is not None and step.lists is not None:
            allowed = _allowed(step, context)
        findings.append(
            Finding(
                step.plugin.name,
                step.hook,
                verdict,
                policy.mode,
                action,
                round(seconds * 1000, 3),
                failure,
                allowed,
                remembered,
            )
        )
        if type(verdict) is Reject and not step.keep and step.lists is None:
            _learn_usual(step, answer, verdict)
        return type(verdict) is Reject and (step.decides or step.final) and not allowed

    def count_failure(self, step: Step, text: str) -> None:
        """Never silent: counted, and told to the log."""
        name = step.plugin.name
        self.failures[name] = self.failures.get(name, 0) + 1
        if self.on_failure is not None:
            self.on_failure(name, step.hook, text)

    def spent(self, step: Step, seconds: float) -> None:
        """Add to a plugin's time."""
        self._seconds[step.index] += seconds

    def idle(self) -> None:
        """Tell the board that no plugin runs."""
        self._running(0)

    def drain(self) -> tuple[dict[str, float], dict[str, int]]:
        """Return seconds and failures per plugin since the last call; for the metrics, once a second."""
        seconds = {p.name: s for p in self._registry if (s := self._seconds[p.index])}
        failures = self.failures
        self._seconds = [0.0] * len(self._seconds)
        self.failures = {}
        return seconds, failures

    async def know_host(self, session: Session) -> None:
        """Look up the client's rDNS name; a resolver that fails leaves it unknown, to be asked again."""
        if session.host_known or self.tools.dns is None:
            return
        try:
            async with asyncio.timeout(HOST_TIMEOUT):
                session.know_host(*await self.tools.dns.hosts(session.client))
        except Exception as error:  # no name is better than no mail; lists by host do not match
            if self.on_failure is not None:
                self.on_failure("rdns", "connect", failed(error).text)


def _unusual(step: Step, answer: Any, context: Context[Any]) -> Any:
    """A coroutine is driven up to its first wait; a tuple of verdicts is fine; the rest is nonsense."""
    if type(answer) is CoroutineType or isinstance(answer, Coroutine):
        return begin(step, answer, context)
    return settled(answer)


def _learn_usual(step: Step, answer: Reject, verdict: Reject) -> None:
    """A plugin that returns one and the same object each time ("no such user") shares its finding too."""
    if answer is step.last:
        step.usual = answer
        step.usual_finding = Finding(
            step.plugin.name, step.hook, verdict, step.policy.mode, step.policy.action
        )
    step.last = answer


def _memory(step: Step, context: Context[Any]) -> dict[Any, Any]:
    if step.keep == SESSION:
        return context.session.answers
    assert context._transaction is not None
    return context._transaction.answers


def _allowed(step: Step, context: Context[Any]) -> str:
    """Return the plugin's own allow entry that lets this mail past it, as text."""
    transaction = context._transaction
    assert step.lists is not None
    sender = transaction.sender if transaction is not None else None
    return own_entry(step.lists, context.session, sender, context.now)


def own_entry(
    lists: Lists, session: Session, sender: Address | None, now: float, *, proven: bool = False
) -> str:
    """Return the allow entry of a plugin's own lists that decides, as text; "" where none does."""
    entry = lists.match_session(session, sender, now, proven)
    return f"{entry.field} {entry.value}" if entry is not None and entry.kind == "allow" else ""
