"""Runs the checks of a recipient's domain: who is asked, in which order, for whom the answer holds.

The hot path of the gateway. The plan of a policy is made once; asking is `runner`'s, waiting is
`waiting`'s. A hook that does not wait costs a call and nothing else; what waits, waits together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gatepost.mail.address import parse_address
from gatepost.mail.verdict import Rewrite, Verdict
from gatepost.plugin.answers import Failure, failed
from gatepost.plugin.context import RESERVATIONS, UNASKED, Context
from gatepost.plugin.deadly import NAME as POISON
from gatepost.plugin.deadly import Deadly
from gatepost.plugin.gateway import GatewayChecks
from gatepost.plugin.runner import WORTH_TELLING, Findings, Runner, own_entry
from gatepost.plugin.step import Groups, Plan, Step
from gatepost.plugin.tools import Tools
from gatepost.plugin.waiting import Waiting
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.policy import DomainPolicy, Mode

if TYPE_CHECKING:
    from gatepost.mail.message import Message
    from gatepost.mail.session import Session
    from gatepost.mail.transaction import Recipient, Transaction
    from gatepost.plugin.registry import Registry
    from gatepost.policy.lists import Lists

MESSAGE_SECONDS = 60.0
"""For all checks of one message: who has no answer then has failed, as if by its own limit, and the others'
answers hold. A limit that ends the asking as a whole would put off the mail of domains without that check."""
PROOF_TIMEOUT = 20.0
"""Seconds for SPF or DKIM to agree with a sender on a list."""

Later = Coroutine[Any, Any, Findings]


class Pipeline:
    """All plugins of a process with their tools. One per load of the plugins."""

    def __init__(self, registry: Registry, tools: Tools, clock: Callable[[], float]) -> None:
        self.registry = registry
        self.unskippable = registry.unskippable | {POISON}
        """Checks that a general allow entry does not lead past; for `policy.decide`."""
        self.tools = tools
        self.runner = Runner(registry, tools)
        self._clock = clock
        self._ask = self.runner.ask
        self._note = self.runner.note
        self._gateway = GatewayChecks(registry, self.runner, clock)
        self._deadly = Deadly(tools, clock)

    # -- what the server asks -------------------------------------------------------------

    def plan(self, policy: DomainPolicy) -> Plan:
        """Return the plan of a policy; made once, it dies with the policy."""
        plan: Plan | None = policy.cache.get(self)
        if plan is None:
            plan = policy.cache[self] = Plan(self.registry, policy)
        return plan

    @property
    def failures(self) -> dict[str, int]:
        """Plugin -> failures since the last `drain`."""
        return self.runner.failures

    def drain(self) -> tuple[dict[str, float], dict[str, int]]:
        """Return seconds and failures per plugin since the last call; for the metrics, once a second."""
        return self.runner.drain()

    def rewrites(self, policy: DomainPolicy) -> bool:
        """Return True when a plugin may say that a recipient is really another."""
        return bool(self.plan(policy).address)

    def reads_message(self, policy: DomainPolicy) -> bool:
        """Return True when a check wants to see the message."""
        return bool(self.plan(policy).content)

    def reads_body(self, recipients: Sequence[Recipient]) -> bool:
        """Return True when a check of these recipients wants more than the headers."""
        return any(self.plan(r.policy).reads_body for r in recipients)

    def run_recipient(
        self,
        session: Session,
        transaction: Transaction,
        recipient: Recipient,
        policy: DomainPolicy,
        row: Any = UNASKED,
    ) -> Findings | Later:
        """Ask connect, helo, mail and rcpt for a recipient. A coroutine only when something waits.

        `row`: what is known of the recipient, None for nothing; without it a check that wants it looks.
        """
        plan: Plan | None = policy.cache.get(self)
        if plan is None:
            plan = self.plan(policy)
        if plan.needs_host and not session.host_known:
            return self._with_host(session, transaction, recipient, policy, row)
        return self._run_recipient(plan, session, transaction, recipient, row)

    def _run_recipient(
        self, plan: Plan, session: Session, transaction: Transaction, recipient: Recipient, row: Any
    ) -> Findings | Later:
        if session.answers.get("helo") != session.helo:  # a new HELO: nothing remembered holds
            session.answers.clear()
            session.answers["helo"] = session.helo
        context: Context[Any] = Context(session, transaction, recipient, row, self._clock(), self.tools)
        findings = plan.idle.copy()
        for n, group in enumerate(plan.recipient):
            waiting, decided = self._ask(group, context, findings)
            if waiting is not None:
                return self._rest(plan.recipient, n, waiting, decided, context, findings)
            if decided:
                break
        return findings

    def _context(
        self, session: Session, transaction: Transaction | None, recipient: Recipient
    ) -> Context[Any]:
        return Context(session, transaction, recipient, UNASKED, self._clock(), self.tools)

    def run_address(
        self, session: Session, transaction: Transaction, recipient: Recipient, policy: DomainPolicy
    ) -> Findings | Later:
        """Ask whether the recipient is really another; sets `recipient.final`. A coroutine only to wait."""
        findings: Findings = []
        steps = self.plan(policy).address
        for n, step in enumerate(steps):
            context = self._context(session, transaction, recipient)
            started = perf_counter()
            answer = self.runner.start(step, context)
            if type(answer) is Waiting:
                rest = steps[n + 1 :]
                return self._rest_of_address(answer, rest, session, transaction, recipient, policy, findings)
            seconds = perf_counter() - started
            if answer is None and seconds < WORTH_TELLING:
                findings.append(step.nothing)
                continue
            answer = _rewritten(step, recipient, answer, policy.domain)
            self._note(step, context, findings, answer, seconds)
        self.runner.idle()
        return findings

    async def _rest_of_address(
        self,
        waiting: Waiting,
        steps: Sequence[Step],
        session: Session,
        transaction: Transaction,
        recipient: Recipient,
        policy: DomainPolicy,
        findings: Findings,
    ) -> Findings:
        self.runner.idle()
        await self.runner.waiters.gather([waiting])
        answer = _rewritten(waiting.step, recipient, waiting.answer, policy.domain)
        self._note(waiting.step, waiting.context, findings, answer, waiting.seconds)
        for step in steps:
            context = self._context(session, transaction, recipient)
            started = perf_counter()
            answer = _rewritten(step, recipient, await self.runner.answer(step, context), policy.domain)
            self._note(step, context, findings, answer, perf_counter() - started)
        return findings

    async def run_message(
        self,
        session: Session,
        transaction: Transaction,
        recipients: Sequence[Recipient],
        message: Message,
    ) -> list[Findings]:
        """Ask headers and message, once for recipients with equal settings; findings for each, in order."""
        if any(self.plan(r.policy).needs_host for r in recipients) and not session.host_known:
            await self.runner.know_host(session)
        steps = [[step for group in self._wanted(r) for step in group] for r in recipients]

        def ask(some: Sequence[Recipient]) -> Coroutine[Any, Any, list[Findings]]:
            return self._run_message(session, transaction, some, message)

        return await self._deadly.ask(transaction, message, recipients, steps, ask)

    def _wanted(self, recipient: Recipient) -> Groups:
        plan = self.plan(recipient.policy)
        return plan.essential if recipient.exempt else plan.content

    async def _run_message(
        self,
        session: Session,
        transaction: Transaction,
        recipients: Sequence[Recipient],
        message: Message,
    ) -> list[Findings]:
        findings: list[Findings] = [[] for _ in recipients]
        wanted = [self._wanted(recipient) for recipient in recipients]
        decided = [False] * len(recipients)
        until = perf_counter() + MESSAGE_SECONDS
        for rank in sorted({group[0].rank for groups in wanted for group in groups}):
            jobs: dict[Any, list[tuple[Step, int]]] = {}
            for n, groups in enumerate(wanted):
                if decided[n]:
                    continue
                for step in (s for group in groups if group[0].rank == rank for s in group):
                    jobs.setdefault((step.key, n if step.sees_recipient else -1), []).append((step, n))
            waiting: list[tuple[Waiting, list[tuple[Step, int]]]] = []
            for members in jobs.values():
                step, first = members[0]
                context = self._context(session, transaction, recipients[first])
                context.message = message
                started = perf_counter()
                answer = self.runner.start(step, context)
                if type(answer) is Waiting:
                    waiting.append((answer, members))
                else:
                    self._note_all(members, context, findings, decided, answer, perf_counter() - started)
            self.runner.idle()
            if waiting:
                await self.runner.waiters.gather([w for w, _ in waiting], until)
                for w, members in waiting:
                    self._note_all(members, w.context, findings, decided, w.answer, w.seconds)
        return findings

    def _note_all(
        self,
        members: list[tuple[Step, int]],
        context: Context[Any],
        findings: list[Findings],
        decided: list[bool],
        answer: Any,
        seconds: float,
    ) -> None:
        """One answer for all recipients with equal settings, each under its own switch and lists."""
        self.runner.spent(members[0][0], seconds)
        for step, n in members:
            if self._note(step, context, findings[n], answer, seconds):
                decided[n] = True

    def run_done(
        self,
        session: Session,
        transaction: Transaction | None,
        recipient: Recipient,
        outcome: Outcome,
    ) -> Coroutine[Any, Any, None] | None:
        """Tell what became of the mail for a recipient. None when nothing is left to wait for (as usual)."""
        policy: DomainPolicy | None = recipient.policy
        steps: Sequence[Step] = ()
        if policy is not None:
            plan = self.plan(policy)
            steps = plan.done if outcome.fate is Fate.ACCEPT else plan.done_refused
        everywhere = self._gateway.steps.get("done", ())
        waiting: list[Waiting] = []
        if steps or everywhere:
            context = self._context(session, transaction, recipient)
            context.outcome = outcome
            for step in (*steps, *everywhere) if everywhere else steps:
                answer = self.runner.start(step, context)
                if type(answer) is Waiting:
                    waiting.append(answer)
                    context = context.fork()
                elif answer is not None:
                    self._done_failed(step, answer)
            self.runner.idle()
        held = transaction.answers.get(RESERVATIONS) if transaction is not None else None
        if not waiting and not held:
            return None
        return self._rest_of_done(waiting, transaction, recipient, outcome)

    async def _rest_of_done(
        self,
        waiting: list[Waiting],
        transaction: Transaction | None,
        recipient: Recipient,
        outcome: Outcome,
    ) -> None:
        if waiting:
            await self.runner.waiters.gather(waiting)
            for one in waiting:
                if one.answer is not None:
                    self._done_failed(one.step, one.answer)
        if transaction is not None:
            used = outcome.fate in (Fate.ACCEPT, Fate.QUARANTINE, Fate.TAKE)
            await self.settle(transaction, recipient, used=used)

    def _done_failed(self, step: Step, answer: Any) -> None:
        text = answer.text if type(answer) is Failure else f"done returned {answer!r:.100}"
        self.runner.count_failure(step, text)

    async def settle(self, transaction: Transaction, recipient: Recipient | None, *, used: bool) -> None:
        """Count or give back what `ctx.reserve` held; `recipient` None: all that is left."""
        held = transaction.answers.get(RESERVATIONS)
        if not held:
            return
        mine = [h for h in held if recipient is None or h[0] is recipient or h[0] is None]
        transaction.answers[RESERVATIONS] = [h for h in held if h not in mine]
        for _, reservation, record in mine:
            await self.tools.records.settle(reservation, used=used, record=record)

    def hangs_on_proof(
        self, session: Session, transaction: Transaction, policy: DomainPolicy, outcome: Outcome
    ) -> bool:
        """Return True when an allow entry would lead past what refuses, if the sender were proven."""
        sender, now = transaction.sender, transaction.started
        own = self._own_lists(policy, outcome.plugin)
        if own is not None and own.hangs_on_proof(session, sender, now):
            return True
        return outcome.plugin not in self.unskippable and policy.lists.hangs_on_proof(session, sender, now)

    def past_own_lists(
        self, session: Session, transaction: Transaction, policy: DomainPolicy, findings: Findings
    ) -> Findings:
        """Return the findings of a mail whose sender is proven: entries of one check lead past that check."""
        found: Findings = []
        for finding in findings:
            own = self._own_lists(policy, finding.plugin)
            if own is not None and finding.verdict is not None and not finding.allowed_by:
                entry = own_entry(own, session, transaction.sender, transaction.started, proven=True)
                finding = replace(finding, allowed_by=entry) if entry else finding
            found.append(finding)
        return found

    def _own_lists(self, policy: DomainPolicy, name: str) -> Lists | None:
        """Return the lists of one check, where it has some that say anything of senders."""
        own = policy.plugins.get(name)
        if own is None or not own.lists.allows_senders or not self.registry[name].plugin.own_list:
            return None
        return own.lists

    async def proven(
        self, session: Session, transaction: Transaction, message: Message | None = None
    ) -> bool:
        """Return True when SPF agrees with the envelope sender, or, with the message there, DKIM.

        For list entries (CONTRACT 5, precedence 6 and `--verified`). What cannot be asked proves nothing.
        """
        from gatepost.auth.evidence import evidence_for

        if self.tools.dns is None:
            return False
        evidence = evidence_for(
            session, transaction, self.tools.dns, self._clock(), message, self.tools.hostname or "unknown"
        )
        try:
            async with asyncio.timeout(PROOF_TIMEOUT):
                return await evidence.proven()
        except Exception as error:  # the refusal stands, as it would without the entry
            if self.runner.on_failure is not None:
                self.runner.on_failure("lists", "proof", failed(error).text)
            return False

    # -- what acts before it is known whose mail it is --------------------------------------

    def configure_gateway(self, everywhere: DomainPolicy | None) -> None:
        """Take what is set for all domains (`Snapshot.everywhere`), whenever it changed."""
        self._gateway.configure(everywhere)

    def guards(self, hook: str) -> bool:
        """Return True when one of the machine's own checks has work in this hook."""
        return hook in self._gateway.steps

    def machine(self, hook: str) -> tuple[Step, ...]:
        """Return the machine's own checks that have work in this hook."""
        return self._gateway.steps.get(hook, ())

    def gateway_connect(self, session: Session) -> Verdict | None:
        """Ask the machine's own checks when a client has connected; a refusal closes the connection."""
        return self._gateway.ask("connect", session)

    def gateway_mail(self, session: Session, transaction: Transaction) -> Verdict | None:
        """Ask them at MAIL."""
        return self._gateway.ask("mail", session, transaction)

    def gateway_rcpt(
        self, session: Session, transaction: Transaction, recipient: Recipient
    ) -> Verdict | None:
        """Ask them at RCPT, before the recipient's policy."""
        return self._gateway.ask("rcpt", session, transaction, recipient)

    # -- what waits ---------------------------------------------------------------------------

    async def _rest(
        self,
        groups: Groups,
        n: int,
        waiting: list[Waiting] | None,
        decided: bool,
        context: Context[Any],
        findings: Findings,
    ) -> Findings:
        """Go on where something waits."""
        while True:
            if waiting is not None:
                await self.runner.waiters.gather(waiting)
                for w in waiting:
                    self.runner.spent(w.step, w.seconds)
                    if self._note(w.step, w.context, findings, w.answer, w.seconds):
                        decided = True
                context = waiting[-1].context.fork()
            n += 1
            if decided or n == len(groups):
                return findings
            waiting, decided = self._ask(groups[n], context, findings)

    async def _with_host(
        self,
        session: Session,
        transaction: Transaction,
        recipient: Recipient,
        policy: DomainPolicy,
        row: Any,
    ) -> Findings:
        await self.runner.know_host(session)
        findings = self._run_recipient(self.plan(policy), session, transaction, recipient, row)
        return findings if isinstance(findings, list) else await findings


def _rewritten(step: Step, recipient: Recipient, answer: Any, domain: str) -> Any:
    """Rewrite the recipient where the answer says so; return the answer, or what is wrong with it."""
    if type(answer) is Rewrite and step.policy.mode is Mode.ON:
        wrong = _rewrite(recipient, answer, domain)
        return Failure(wrong) if wrong else answer
    return answer


def _rewrite(recipient: Recipient, answer: Rewrite, domain: str) -> str:
    """Set the recipient's final address; return what is wrong with it."""
    try:
        address = parse_address(answer.address)
    except ValueError as error:
        return f"rewrote to a bad address: {error}"
    if address.domain != domain:
        return f"rewrote to another domain: {address.domain}"
    recipient.final = address
    return ""
