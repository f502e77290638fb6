"""What a client did, as values: the events of `ServerProtocol`, cheap to make."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.mail.address import Address
from gatepost.mail.reply import Reply


@dataclass(slots=True)
class Answer:
    """The protocol answers this itself: write the bytes. No reply is owed."""

    data: bytes
    close: bool = False


@dataclass(slots=True)
class Hello:
    """HELO or EHLO. Answer with `hello()`, or refuse with `reply()`."""

    name: str
    """As it was said: printable ASCII without space, at most 255 characters, nothing more is promised."""
    esmtp: bool


@dataclass(slots=True)
class Mail:
    """MAIL: a transaction begins when the reply is positive."""

    sender: Address | None
    """None is the null sender `<>`."""
    size: int = 0
    """From SIZE (RFC 1870), 0 if not given; never over the limit."""
    body: str = "7BIT"
    """`7BIT` or `8BITMIME` (RFC 6152)."""
    smtputf8: bool = False
    prdr: bool = False
    ret: str = ""
    """`FULL`, `HDRS` or "" (RFC 3461)."""
    envid: str = ""
    """As it came, in xtext."""


@dataclass(slots=True)
class Rcpt:
    """RCPT: one more recipient when the reply is positive."""

    address: Address
    """With domain "" for bare postmaster."""
    notify: str = ""
    """`NEVER`, or some of SUCCESS, FAILURE, DELAY parted by commas (RFC 3461)."""
    orcpt: str = ""
    """As it came, in xtext."""


@dataclass(slots=True)
class DataBegin:
    """DATA with at least one recipient: a 354 lets the bytes come."""

    early: bool = False
    """More bytes lay behind the command, before any 354: refuse and close (T2.4)."""


@dataclass(slots=True)
class DataChunk:
    """A piece of the message as it came over the wire; no reply is owed."""

    data: bytes


@dataclass(slots=True)
class DataEnd:
    """The message is complete. It wants a reply."""

    size: int
    """Bytes of the message as it came over the wire."""
    too_big: bool = False
    """Over the limit: what came behind it was dropped."""
    spoilt: str = ""
    """`nul`, `line` (too long), `bare` (CR or LF alone): must be refused."""
    normalize: bool = False
    """The bytes hold a bare CR or LF that `data.normalize_pieces` must make CRLF before anyone reads them."""
    stuffed: bool = True
    """The bytes are dot-stuffed (DATA), or plain (BDAT)."""


@dataclass(slots=True)
class BdatChunkEnd:
    """A BDAT chunk that is not the last is complete (RFC 3030). It wants a reply."""


@dataclass(slots=True)
class Reset:
    """RSET."""


@dataclass(slots=True)
class StartTls:
    """STARTTLS (RFC 3207)."""

    injected: bool = False
    """Bytes lay behind the command in clear text: never run them, close (T2.1)."""


@dataclass(slots=True)
class XClient:
    """XCLIENT from a trusted peer: it says who the client really is."""

    attributes: dict[str, str | None]
    """Upper-case name -> decoded value; None for [UNAVAILABLE] and [TEMPUNAVAIL]."""


@dataclass(slots=True)
class Quit:
    """QUIT: reply and close."""


@dataclass(slots=True)
class Abort:
    """The session cannot go on: answer with this reply, which closes."""

    reply: Reply


Event = (
    Answer
    | Hello
    | Mail
    | Rcpt
    | DataBegin
    | DataChunk
    | DataEnd
    | BdatChunkEnd
    | Reset
    | StartTls
    | XClient
    | Quit
    | Abort
)
