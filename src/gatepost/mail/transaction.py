"""One mail transaction: the envelope and what became of each recipient."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatepost.mail.address import Address


@dataclass(slots=True)
class Recipient:
    """One accepted RCPT of a transaction."""

    address: Address
    """As the client gave it."""
    final: Address
    """As it is handed on; differs where a plugin rewrote it."""
    notify: str = ""
    """DSN parameter NOTIFY (RFC 3461), "" if not given."""
    orcpt: str = ""
    policy: Any = None
    """The domain's policy that was in force (gatepost.policy.policy.DomainPolicy)."""
    findings: list[Any] = field(default_factory=list)
    """What the checks said so far (gatepost.policy.decide.Finding)."""
    exempt: bool = False
    """postmaster and abuse: reached without filtering other than virus and size (RFC 5321, 4.5.1)."""
    pending: Any = None
    """A refusal that waits for the end of the data (`refuse_at=data`): gatepost.policy.decide.Outcome."""


@dataclass(slots=True)
class Transaction:
    """From MAIL to the reply after the data, or RSET."""

    id: str
    """The session's id, a dot, a number from 1."""
    sender: Address | None
    """None is the null sender `<>`."""
    started: float = 0.0
    size: int = 0
    """From the SIZE parameter, 0 if not given."""
    body: str = "7BIT"
    smtputf8: bool = False
    prdr: bool = False
    ret: str = ""
    envid: str = ""
    owner: str = ""
    """Of outgoing mail: the domain that sends it, whose journal has its rows."""
    recipients: list[Recipient] = field(default_factory=list)
    refused: list[Recipient] = field(default_factory=list)
    """Refused at RCPT, but their copy is to be kept from the data that follow."""
    known: Any = None
    """(domain, folded local part) -> what the policy that it began with knows of a recipient."""
    hand: int = 0
    """Its slot among the messages at hand (gatepost.server.hands) while checks read it."""
    facts: dict[type, Any] = field(default_factory=dict)
    answers: dict[Any, Any] = field(default_factory=dict)

    def international(self, head: Callable[[], bytes], top: bytes, recipients: Iterable[Recipient]) -> bool:
        """Return whether a next hop must know SMTPUTF8, and is not only asked for it (RFC 6531, 3.4).

        Some programs ask for each mail; one with plain headers and addresses goes to every server.
        `top`: the lines that we put before the header block that `head` gives.
        """
        if not self.smtputf8:
            return False
        addresses = (self.sender, *(recipient.final for recipient in recipients))
        plain = all(address is None or address.text.isascii() for address in addresses)
        return not (plain and top.isascii() and head().isascii())
