"""What goes into the spool with a copy that is not judged yet, and how it is judged there.

A check could not answer, or said "later", and the sender was told 250 for another domain's sake. The copy
waits; before it goes on the checks that read the message are asked again, with what the others said then
(`gatepost.app.unjudged` asks, `gatepost.policy.later` says what is kept).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.policy.decide import Finding
from gatepost.policy.later import as_plain, from_plain
from gatepost.spool.envelope import Envelope

REASON = "not judged yet"
"""Why it lies in the spool, as `gatepost queue list` says it."""


def unjudged(session: Session, transaction: Transaction, recipient: Recipient, ours: int) -> dict[str, Any]:
    """Return what waits in the envelope; `ours`: bytes before the mail that are our own lines."""
    return {
        "to": recipient.address.text,
        "exempt": recipient.exempt,
        "unanswered": sorted({f.plugin for f in recipient.findings if f.failure}),
        "findings": as_plain(recipient.findings),
        "ours": ours,
        "started": transaction.started,
        "esmtp": session.esmtp,
        "tls": session.tls,
        "early": session.early,
        "hosts": [list(one) for one in session.host_names] if session.host_known else None,
    }


@dataclass(frozen=True, slots=True)
class Again:
    """A copy of the spool as the checks saw it; without its policy, which is that of the day."""

    session: Session
    transaction: Transaction
    recipient: Recipient
    before: list[Finding]
    """What was said before the message came."""
    unanswered: list[str]
    """Checks that could not answer then."""
    ours: int


def again(envelope: Envelope) -> Again:
    """Return a copy as it was; ValueError where the envelope does not say it."""
    said = envelope.unjudged or {}
    try:
        session = Session(
            envelope.session.partition(".")[0],
            envelope.client,
            started=float(said["started"]),
            helo=envelope.helo,
            esmtp=said["esmtp"],
            tls=said["tls"],
            early=said["early"],
        )
        if said["hosts"] is not None:
            session.know_host(tuple((str(name), bool(sure)) for name, sure in said["hosts"]))
        sender = parse_address(envelope.sender) if envelope.sender else None
        transaction = Transaction(
            envelope.session, sender, session.started, envelope.size, envelope.body, envelope.smtputf8
        )
        (one,) = envelope.recipients
        recipient = Recipient(parse_address(said["to"]), parse_address(one.address), one.notify, one.orcpt)
        recipient.exempt = said["exempt"]
        transaction.recipients.append(recipient)
        unanswered = [str(name) for name in said.get("unanswered", ())]
        before = from_plain(said["findings"])
        return Again(session, transaction, recipient, before, unanswered, int(said["ours"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"what was said of it cannot be read: {error!r}") from error


def ours_of(envelope: Envelope) -> int:
    """Return how many bytes before the mail are our own; 0 where the envelope does not say it."""
    ours = (envelope.unjudged or {}).get("ours")
    return ours if isinstance(ours, int) and ours >= 0 else 0
