"""The client's side of SMTP and LMTP without a socket: bytes in, replies out, for the relay.

A server behind us may be broken or taken over, so what it says is bounded: so many bytes and lines a
reply, and what is no reply is a `GarbageError`. Its text goes into journals and into replies of ours
and so holds printable characters only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gatepost.smtp.errors import GarbageError, LocalProtocolError
from gatepost.smtp.outbound import outbound
from gatepost.smtp.xclient import format_attributes

MAX_REPLY = 65_536
"""Bytes of one reply, all lines."""
MAX_LINE = 4096
"""Bytes of one line (RFC 5321 has 512)."""
MAX_LINES = 100
"""Lines of one reply."""
MAX_COMMAND = 510
"""Octets of one command without CRLF."""

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ \-])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")
_NAME = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class ClientReply:
    """One reply of a server (RFC 5321, 4.2)."""

    code: int
    enhanced: str
    """`5.1.1` (RFC 2034), or ""."""
    lines: list[str]
    """The text without codes: at least one line, printable."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the EHLO reply offers."""

    pipelining: bool = False
    size: int | None = None
    """The limit that SIZE names, 0 for none named; None: no SIZE."""
    utf8: bool = False
    eightbit: bool = False
    starttls: bool = False
    chunking: bool = False
    dsn: bool = False
    xclient: frozenset[str] = frozenset()
    """The attributes that XCLIENT takes; empty: no XCLIENT."""
    xforward: frozenset[str] = frozenset()
    prdr: bool = False
    auth: frozenset[str] = frozenset()
    """The ways to sign in; empty: none."""


class ClientProtocol:
    """One connection to a server."""

    __slots__ = ("_code", "_data", "_lines", "_lmtp", "_pos", "_size")

    def __init__(self, lmtp: bool = False) -> None:
        self._lmtp = lmtp
        self._data = b""
        self._pos = 0
        # Of the reply in hand: its code, its lines so far and their bytes.
        self._code = b""
        self._lines: list[str] = []
        self._size = 0

    # -- what the server says -------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._data = self._data[self._pos :] + data if self._data else data
        self._pos = 0

    @property
    def pending(self) -> bool:
        """The server said more than was read as replies."""
        return bool(self._data) or bool(self._lines)

    def drop_plaintext(self) -> None:
        """Forget every byte that came before the TLS handshake ended (T2.3)."""
        self._data = b""
        self._pos = self._size = 0
        self._code = b""
        self._lines = []

    def next_reply(self) -> ClientReply | None:
        """Return the next reply, None until it is complete; raises GarbageError."""
        while self._data:
            end = self._data.find(b"\n", self._pos)
            if end < 0:
                if len(self._data) - self._pos > MAX_LINE:
                    raise GarbageError("reply is too long")
                return None
            line = self._data[self._pos : end]
            self._pos = end + 1
            if self._pos == len(self._data):
                self._data = b""
                self._pos = 0
            reply = self._line(line[:-1] if line.endswith(b"\r") else line)
            if reply is not None:
                return reply
        return None

    def _line(self, line: bytes) -> ClientReply | None:
        match = _LINE.fullmatch(line)
        if match is None:
            raise GarbageError(f"no reply code in {_printable(line[:80])!r}")
        code, dash, text = match.groups()
        self._size += len(line) + 2
        if self._size > MAX_REPLY or len(line) > MAX_LINE or len(self._lines) >= MAX_LINES:
            raise GarbageError("reply is too long")
        if self._lines and code != self._code:
            raise GarbageError("reply with two codes")
        self._code = code
        self._lines.append(_printable(text) if text else "")
        if dash == b"-":
            return None
        lines, self._lines, self._size = self._lines, [], 0
        return _reply(int(code), lines)

    # -- what we say ----------------------------------------------------------------------

    def ehlo(self, name: str) -> bytes:
        """Return EHLO, or LHLO for LMTP (RFC 2033, 4.1)."""
        if _NAME.fullmatch(name) is None:
            raise LocalProtocolError(f"{name!r} is no host name")
        return f"{'LHLO' if self._lmtp else 'EHLO'} {name}\r\n".encode("ascii")

    def capabilities(self, reply: ClientReply) -> Capabilities:
        """Read the reply to EHLO."""
        offered: dict[str, list[str]] = {}
        for line in reply.lines[1:]:
            words = line.upper().replace("=", " ").split()
            if words:
                offered[words[0]] = words[1:]
        return Capabilities(
            pipelining="PIPELINING" in offered,
            size=_size(offered.get("SIZE")),
            utf8="SMTPUTF8" in offered,
            eightbit="8BITMIME" in offered,
            starttls="STARTTLS" in offered,
            chunking="CHUNKING" in offered,
            dsn="DSN" in offered,
            xclient=frozenset(offered.get("XCLIENT", ())),
            xforward=frozenset(offered.get("XFORWARD", ())),
            prdr="PRDR" in offered,
            auth=frozenset(offered.get("AUTH", ())),
        )

    def xclient(self, attributes: dict[str, str | None]) -> bytes:
        """Return XCLIENT; attributes that would make the line too long are left out, from the end."""
        return _with_attributes("XCLIENT", attributes)

    def xforward(self, attributes: dict[str, str | None]) -> bytes:
        """Return XFORWARD: the same for servers that only write it down."""
        return _with_attributes("XFORWARD", attributes)

    def body(self, chunks: Iterable[bytes], stuffed: bool) -> Iterator[bytes]:
        """Yield what follows the 354 (`outbound`); raises OutboundError for what must not go out."""
        return outbound(chunks, stuffed=stuffed)


def _reply(code: int, lines: list[str]) -> ClientReply:
    """Take the enhanced code off each line; it counts when its class is the code's (RFC 2034, 4)."""
    match = _ENHANCED.match(lines[-1])
    if match is None or match[1][0] != str(code)[0]:
        return ClientReply(code, "", lines)
    return ClientReply(code, match[1], [_ENHANCED.sub("", line, count=1).strip() for line in lines])


def _printable(text: bytes) -> str:
    if text.isascii():
        decoded = text.decode("ascii")
        if decoded.isprintable():
            return decoded
    decoded = text.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in decoded)


def _size(words: list[str] | None) -> int | None:
    if words is None:
        return None
    return int(words[0]) if words and words[0].isdecimal() and len(words[0]) <= 20 else 0


def _with_attributes(verb: str, attributes: dict[str, str | None]) -> bytes:
    said = dict(attributes)
    while len(line := f"{verb} {format_attributes(said)}") > MAX_COMMAND:
        said.popitem()
    return line.encode("ascii") + b"\r\n"
