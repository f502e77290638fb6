"""Has the facts told again that were told before the message came, for a copy that outlived its session.

A check of the content reads what others told in `connect`, `helo`, `mail`, `address` and `rcpt` ("the client
is a forwarder that this domain trusts"), the machine's own checks among them. Those facts lived with the
session; without them good mail would be refused. Only the facts count: what was said then is kept with the
copy (`gatepost.policy.later`).
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from gatepost.plugin.base import Scope
from gatepost.plugin.context import UNASKED, Context

if TYPE_CHECKING:
    from gatepost.mail.session import Session
    from gatepost.mail.transaction import Recipient, Transaction
    from gatepost.plugin.pipeline import Pipeline
    from gatepost.plugin.step import Step
    from gatepost.policy.decide import Finding


async def recall(
    pipeline: Pipeline, session: Session, transaction: Transaction, recipient: Recipient
) -> list[Finding]:
    """Ask who tells facts; returns the findings of those who could not answer.

    Asked as of the moment when the mail came: what runs out in days (a BATV tag) was valid then.
    """
    plan, runner = pipeline.plan(recipient.policy), pipeline.runner
    steps = [step for step in _asked_before(pipeline, recipient) if step.plugin.tells]
    if steps and plan.needs_host and not session.host_known:
        await runner.know_host(session)
    findings: list[Finding] = []
    for step in steps:
        now = transaction.started
        # What the machine's own checks told at accept holds for the session: there was no mail yet.
        mail = None if step.hook == "connect" and step.plugin.scope is Scope.GATEWAY else transaction
        context: Context[Any] = Context(session, mail, recipient, UNASKED, now, pipeline.tools)
        began = perf_counter()
        answer = await runner.answer(step, context)
        runner.note(step, context, findings, answer, perf_counter() - began)
    return [finding for finding in findings if finding.failure]


def _asked_before(pipeline: Pipeline, recipient: Recipient) -> list[Step]:
    """Return what was asked before the message, in the order of port 25."""
    plan, own = pipeline.plan(recipient.policy), pipeline.machine
    early = [*own("connect"), *own("mail"), *plan.address]
    if recipient.exempt:  # for postmaster nobody else was asked
        return early
    return [*early, *own("rcpt"), *(step for group in plan.recipient for step in group)]
