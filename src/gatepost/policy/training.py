"""Mail to `train.DOMAIN`: whose it is, and that it never becomes a delivery. Pure."""

from __future__ import annotations

from dataclasses import replace

from gatepost.mail import batv, train_address
from gatepost.mail.address import Address, fold
from gatepost.mail.transaction import Recipient
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.policy import TRAINING, DomainPolicy
from gatepost.policy.snapshot import Snapshot

ALWAYS_THERE = frozenset({"postmaster", "abuse"})
NOT_LEARNT = Outcome(
    Fate.DEFER,
    TRAINING,
    "nobody learnt from it",
    "Training is not possible now, try again later",
    451,
    "4.3.0",
)

UNREADABLE = Outcome(Fate.REJECT, TRAINING, "", "This mail cannot be read", 550, "5.6.0")


def whose(snapshot: Snapshot, address: Address) -> tuple[Address, DomainPolicy | None]:
    """Return who is meant by an address, and under which policy: also below `train.` of a hosted domain.

    `postmaster` and `abuse` there are those of the domain (RFC 5321, 4.5.1).
    """
    policy = snapshot.policy_for(address.domain)
    if policy is not None or not address.domain.startswith(train_address.PREFIX):
        # Whatever checks bounces: who is named with a BATV tag is the one behind it, for list and counts.
        return batv.plain(address), policy
    domain = train_address.domain_of(address.domain)
    policy = snapshot.policy_for(domain)
    if policy is not None and fold(address.local) in ALWAYS_THERE:
        return Address(address.local, domain, f"{address.local}@{domain}"), policy
    return address, policy.for_training() if policy is not None else None


def settled(recipient: Recipient, outcome: Outcome) -> Outcome:
    """Return the outcome; mail to a training address that nobody learnt from stays with its client.

    Never delivered, never held: whatever failed, the domain's own server does not get to see it. What
    would be held is mail that nobody can read (`plugin.deadly`): that comes again for nothing.
    """
    if not recipient.policy.trains or outcome.fate not in (Fate.ACCEPT, Fate.QUARANTINE):
        return outcome
    why = outcome.reason or NOT_LEARNT.reason
    return replace(UNREADABLE if outcome.fate is Fate.QUARANTINE else NOT_LEARNT, reason=why)
