"""The words of a hand-off: what goes on, to whom, and what became of each recipient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gatepost.mail.address import Address

DELIVERED, DEFERRED, REFUSED, UNREACHABLE = "delivered", "deferred", "refused", "unreachable"

PROTOCOL_FAULTS = frozenset({500, 502, 503, 504, *range(530, 540)})
"""Codes that speak of us, not of the mail (wrong order, authentication wanted): our fault never becomes
the sender's 5xx, so they count as 4xx."""


class To(NamedTuple):
    """One recipient of a hand-off."""

    address: Address
    notify: str = ""
    orcpt: str = ""


class MailParams(NamedTuple):
    """What stood behind MAIL FROM."""

    size: int = 0
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""


class Who(NamedTuple):
    """The true client, for XCLIENT and XFORWARD."""

    client: str = ""
    port: int = 0
    host: str = ""
    """Confirmed rDNS name, "" if none."""
    helo: str = ""
    esmtp: bool = True
    id: str = ""
    """The session's id, as IDENT."""


class Target(NamedTuple):
    """Recipients that share their routes (URLs as in the domain's policy)."""

    routes: tuple[str, ...]
    recipients: Sequence[To]


class Result(NamedTuple):
    """What became of one recipient, as the reply that the sender may get."""

    kind: str
    code: int
    enhanced: str
    text: str
    where: str = ""
    """Who said it, for the owner; never shown to the sender."""
    dsn: bool = False
    """The next hop takes care of the notices that were asked for (RFC 3461)."""

    @property
    def delivered(self) -> bool:
        """True when the next hop took responsibility."""
        return self.kind == DELIVERED


class Content(NamedTuple):
    """The message's bytes as they are handed on."""

    chunks: Iterable[bytes]
    """May be iterated more than once (a list, a Blob)."""
    stuffed: bool
    """Dots are still stuffed, as the bytes came in DATA."""
    top: bytes = b""
    """Headers that we add: whole lines, each ending in CRLF."""
    proven: bool = False
    """Our own reader saw every byte and found nothing to spoil it: not looked at a second time."""


def from_reply(code: int, enhanced: str, text: str, where: str, dsn: bool = False) -> Result:
    """Make a next hop's reply the recipient's result."""
    if 200 <= code < 300:
        return Result(DELIVERED, code, enhanced or "2.0.0", text, where, dsn)
    if 500 <= code < 600 and code not in PROTOCOL_FAULTS:
        return Result(REFUSED, code, enhanced if enhanced[:1] == "5" else "5.0.0", text, where)
    if code == 421 or not 400 <= code < 500:
        # 421 would tell the sender that *we* close; the others are not for him at all.
        return Result(DEFERRED, 451, enhanced if enhanced[:1] == "4" else "4.3.0", text, where)
    return Result(DEFERRED, code, enhanced if enhanced[:1] == "4" else "4.0.0", text, where)


def deferred(enhanced: str, text: str, where: str = "") -> Result:
    """The next hop could not finish: the sender should try again."""
    return Result(DEFERRED, 451, enhanced, text, where)


def unreachable(text: str, where: str = "", enhanced: str = "4.4.1") -> Result:
    """No next hop answered at all: `on_backend_down` decides what that means."""
    return Result(UNREACHABLE, 451, enhanced, text, where)


TROUBLE = deferred("4.3.0", "Internal trouble, try again later")
"""Our own fault, at one recipient: no reason to send the others their copies again."""
