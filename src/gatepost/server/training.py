"""What the way of a mail has to do for training: whose `train.DOMAIN` is, and the signed id on delivery.

A delivered mail gets `X-Gatepost-Id` and its hashed features are kept for a while where its domain has
the check `training` and the classifier looked at it, so that a forward of it finds it again. Neither may
cost anybody his mail: what cannot be kept is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gatepost.mail import batv, stamp, train_address
from gatepost.mail.address import Address, fold
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.learning import Seen
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.policy import TRAINING, DomainPolicy, Mode
from gatepost.policy.snapshot import Snapshot
from gatepost.server.copies import Copy
from gatepost.store.delivered import Delivered, Record

if TYPE_CHECKING:
    from gatepost.learn.features import Features

CLASSIFIER = "classifier"
Say = Callable[[str], None]
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


class Marks:
    """The signed ids of one process, and what is kept under them."""

    def __init__(
        self, secret: bytes = b"", delivered: Delivered | None = None, say: Say = lambda _why: None
    ) -> None:
        self._secret = secret
        self._delivered = delivered
        """None: nothing is kept, so nothing is marked."""
        self._say = say

    def wanted(self, transaction: Transaction, policy: DomainPolicy | None) -> bool:
        """Say whether this domain's copy gets an id: it trains, and the classifier has read the mail."""
        if self._delivered is None or policy is None or policy.trains or Seen not in transaction.facts:
            return False
        both = policy.plugins.get(TRAINING), policy.plugins.get(CLASSIFIER)
        return all(one is not None and one.mode is not Mode.OFF for one in both)

    def owner(self, transaction: Transaction, recipient: Recipient) -> str:
        """Return the domain whose id a copy gets, "" where it gets none: one copy goes to one domain."""
        return recipient.policy.domain if self.wanted(transaction, recipient.policy) else ""

    def line(self, transaction: Transaction, recipient: Recipient, *, alone: bool) -> bytes:
        """Return the header line of a copy; b"" where it gets none. `alone`: it goes to one person."""
        domain = self.owner(transaction, recipient)
        if not domain:
            return b""
        to = recipient.final.text if alone else stamp.EVERYBODY
        value = stamp.make(self._secret, transaction.id, domain, to)
        return f"{stamp.HEADER}: {value}\r\n".encode("ascii")

    def remember(self, transaction: Transaction, copies: Sequence[Copy], head: bytes) -> None:
        """Keep the features of a mail for each domain that has it now."""
        domains: dict[str, list[Copy]] = {}
        for copy in copies:
            there = copy.spooled or (copy.result is not None and copy.result.kind == "delivered")
            if there and self.wanted(transaction, copy.recipient.policy):
                domains.setdefault(copy.recipient.policy.domain, []).append(copy)
        if not domains or self._delivered is None:
            return
        seen: Features = transaction.facts[Seen]
        packed = seen.pack()
        key = stamp.key_of(Message(head))
        for domain, mine in domains.items():
            to = tuple(copy.recipient.final.text for copy in mine)
            tagged = any(copy.outcome.tags for copy in mine)
            record = Record(transaction.id, transaction.started, to, key, tagged)
            try:
                self._delivered.add(domain, record, packed)
            except OSError as error:
                self._say(f"{domain}: {error.strerror or error}")
