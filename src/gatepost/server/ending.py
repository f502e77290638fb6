"""The end of a message's data, or of a transaction without: also where a domain was removed since MAIL.

A transaction keeps the policy that it began with, and minutes may lie between RCPT and the end of the data.
Nothing may be kept, queued or written under a name that is perhaps another owner's by now, and no 250 was
said yet: so the client keeps the mail, and hears at RCPT when it comes again. What is under way when the
domain is removed is waited for by who deletes what it left (`store.under_way`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatepost.mail.reply import Reply
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.snapshot import PolicyUnavailable, Snapshot
from gatepost.server.fixed import LATER
from gatepost.smtp.server import DataEnd

if TYPE_CHECKING:
    from gatepost.server.gateway import Gateway
    from gatepost.server.intake import Intake

REMOVED = "the domain of a recipient was removed meanwhile"


async def replies(gateway: Gateway, intake: Intake, event: DataEnd) -> list[Reply]:
    """Return what is said at the end of the data; our own faults leave the mail with the client."""
    if let_go(gateway, intake.session, intake.transaction):
        # All of it: the others' copies would come twice if they went on now.
        intake.failed(REMOVED)
        return [LATER.with_id(intake.session.id)]
    with gateway.under_way.work(domains_of(intake.transaction)):
        try:
            return await intake.finish(event)
        except Exception as error:
            gateway.bug("intake", error, intake.session.id)
            intake.failed(str(error))
            return [LATER.with_id(intake.session.id)]


def let_go(gateway: Gateway, session: Session, transaction: Transaction) -> bool:
    """Let nothing more be written under domains that are gone; true where a copy was to come for one."""
    for recipient in [one for one in transaction.refused if _take_out(gateway, one)]:
        transaction.refused.remove(recipient)
        gateway.refused_at_rcpt(session, transaction, recipient)
    return bool([one for one in transaction.recipients if _take_out(gateway, one)])


def is_gone(policy: DomainPolicy, snapshot: Snapshot) -> bool:
    """Return whether the domain of a policy was removed since, though another may have its name by now."""
    now = snapshot.policy_for(policy.domain)
    return now is None or now.owned_since != policy.owned_since


def domains_of(transaction: Transaction) -> set[str]:
    """Return the hosted domains whose mail it is."""
    policies = (one.policy for one in (*transaction.recipients, *transaction.refused))
    found = {policy.domain for policy in policies if policy is not None}
    return found | {transaction.owner} if transaction.owner else found


def _take_out(gateway: Gateway, recipient: Recipient) -> bool:
    policy = recipient.policy
    try:
        if policy is None or not is_gone(policy, gateway.live.snapshot):
            return False
    except PolicyUnavailable as error:  # or nothing is hosted any more, which cannot be told apart
        gateway.no_policy(error)
    recipient.policy = None
    return True
