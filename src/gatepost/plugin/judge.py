"""From findings to the outcome when the message is there: by the lists, and by proof where an entry wants it.

The same for a client that waits and for a copy that is judged again in the spool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gatepost.policy.decide import Fate, Outcome, decide_message
from gatepost.policy.policy import DomainPolicy

if TYPE_CHECKING:
    from gatepost.mail.message import Message
    from gatepost.mail.session import Session
    from gatepost.mail.transaction import Recipient, Transaction
    from gatepost.plugin.pipeline import Pipeline

ACCEPTED = Outcome(Fate.ACCEPT)
_AGAINST = (Fate.REJECT, Fate.DEFER, Fate.QUARANTINE)


async def judge(
    pipeline: Pipeline,
    session: Session,
    transaction: Transaction,
    recipient: Recipient,
    whole: Callable[[], Message],
) -> Outcome:
    """Return what becomes of one recipient's copy; `whole` gives the message where a proof wants it."""
    if not recipient.findings:
        return ACCEPTED
    policy: DomainPolicy = recipient.policy
    outcome = _decided(pipeline, session, transaction, recipient, proven=False)
    if (
        outcome.fate in _AGAINST
        and pipeline.hangs_on_proof(session, transaction, policy, outcome)
        # With the message DKIM may agree with the sender, so that an allow entry holds.
        and await pipeline.proven(session, transaction, whole())
    ):
        recipient.findings = pipeline.past_own_lists(session, transaction, policy, recipient.findings)
        outcome = _decided(pipeline, session, transaction, recipient, proven=True)
    if policy.bypass and outcome.fate in _AGAINST:
        return replace(outcome, fate=Fate.ACCEPT, tags=(*outcome.tags, "bypass"), code=250)
    return outcome


def _decided(
    pipeline: Pipeline, session: Session, transaction: Transaction, recipient: Recipient, *, proven: bool
) -> Outcome:
    policy: DomainPolicy = recipient.policy
    entry = policy.lists.match_session(session, transaction.sender, transaction.started, proven)
    unskippable = pipeline.unskippable
    return decide_message(policy, recipient.findings, entry, proven=proven, unskippable=unskippable)
