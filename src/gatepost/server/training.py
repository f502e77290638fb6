"""The signed id on delivery, by which a training finds what it is about.

A delivered mail gets `X-Gatepost-Id` and its hashed features are kept for a while where its domain has
the check `training` and the classifier looked at it, so that a forward of it finds it again. Neither may
cost anybody his mail: what cannot be kept is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gatepost.mail import stamp
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.learning import Seen
from gatepost.policy.policy import TRAINING, DomainPolicy, Mode
from gatepost.server.copies import Copy
from gatepost.store.delivered import Delivered, Record

if TYPE_CHECKING:
    from gatepost.learn.features import Features

CLASSIFIER = "classifier"
Say = Callable[[str], None]


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
        try:
            self._remember(transaction, copies, head)
        except Exception as error:  # a fault of ours: they have it all the same, and it must not come again
            self._say(f"a bug: {error!r}"[:300])

    def _remember(self, transaction: Transaction, copies: Sequence[Copy], head: bytes) -> None:
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
