"""The checks of `Scope.GATEWAY`: they act before it is known whose mail it is.

They belong to the machine and have no switch per domain. They must answer at once: one that
would wait has failed, because a client is held up by it before anything else is known.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gatepost.mail.verdict import Defer, Reject, Verdict
from gatepost.plugin.answers import Failure, close
from gatepost.plugin.context import UNASKED, Context
from gatepost.plugin.hooks import hooks_of
from gatepost.plugin.registry import own_policy
from gatepost.plugin.runner import Findings, Runner
from gatepost.plugin.step import Step
from gatepost.plugin.waiting import Waiting
from gatepost.policy.policy import DomainPolicy, Mode

if TYPE_CHECKING:
    from gatepost.mail.session import Session
    from gatepost.mail.transaction import Recipient, Transaction
    from gatepost.plugin.registry import Registry


class GatewayChecks:
    """The machine's own checks with the settings in force."""

    __slots__ = ("_clock", "_registry", "_runner", "steps")

    def __init__(self, registry: Registry, runner: Runner, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._runner = runner
        self._clock = clock
        self.steps: dict[str, tuple[Step, ...]] = {}
        self.configure(None)

    def configure(self, everywhere: DomainPolicy | None) -> None:
        """Take the settings of all domains (`Snapshot.everywhere`); None: the plugins' own defaults."""
        hooks: dict[str, list[Step]] = {}
        for loaded in self._registry.gateway():
            policy = everywhere.plugins.get(loaded.name) if everywhere is not None else None
            if policy is None:
                policy = own_policy(loaded)
            if policy.mode is Mode.OFF:
                continue
            for hook in hooks_of(loaded.plugin):
                if loaded.plugin.has_work(hook, policy.settings, None):
                    hooks.setdefault(hook, []).append(Step(loaded, hook, policy, None))
        self.steps = {hook: tuple(steps) for hook, steps in hooks.items()}

    def ask(
        self,
        hook: str,
        session: Session,
        transaction: Transaction | None = None,
        recipient: Recipient | None = None,
    ) -> Verdict | None:
        """Return the first refusal, or None. Costs a look into a dict where no check has work."""
        steps = self.steps.get(hook)
        if not steps:
            return None
        runner = self._runner
        context: Context[Any] = Context(session, transaction, recipient, UNASKED, self._clock(), runner.tools)
        findings: Findings = []
        for step in steps:
            started = perf_counter()
            answer = runner.start(step, context)
            if type(answer) is Waiting:
                close(answer.coroutine)
                answer = Failure("a check of Scope.GATEWAY must answer at once")
            seconds = perf_counter() - started
            runner.spent(step, seconds)
            if answer is not None:
                runner.note(step, context, findings, answer, seconds)
        runner.idle()
        for finding in findings:
            verdict = finding.verdict
            if type(verdict) in (Reject, Defer) and finding.mode is Mode.ON and not finding.allowed_by:
                return verdict
        return None
