"""SMTP replies as values: code, enhanced status code (RFC 3463), text.

What the sender sees is general. A refusal carries the session's id, so that a person can ask "why".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_LINE = 400
"""Characters of one line of text (RFC 5321 allows 512 octets a reply line, all included)."""


@dataclass(frozen=True, slots=True, init=False)
class Reply:
    """One SMTP reply (RFC 5321, 4.2). `text` may have several lines, parted by LF."""

    code: int
    enhanced: str
    """`5.1.1`, or "" for replies that carry none (greeting, EHLO, 354; RFC 2034)."""
    text: str
    close: bool = False
    """Close the connection after this reply."""
    _wire: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __init__(self, code: int, enhanced: str, text: str, close: bool = False) -> None:
        # By hand: the __init__ of a frozen dataclass takes twice as long, and every refusal makes one.
        _set_code(self, code)
        _set_enhanced(self, enhanced)
        _set_text(self, text)
        _set_close(self, close)
        _set_wire(self, b"")

    @property
    def positive(self) -> bool:
        """True for 2xx and 3xx."""
        return self.code < 400

    @property
    def permanent(self) -> bool:
        """True for 5xx."""
        return self.code >= 500

    def wire(self) -> bytes:
        """Return the bytes, each line ending in CRLF; control and non-ASCII characters become `?`.

        Made once for each reply: most replies are constants, said a million times.
        """
        return self._wire or self._make()

    def _make(self) -> bytes:
        text = self.text
        if self.enhanced and len(text) <= MAX_LINE and text.isascii() and text.isprintable():
            wire = f"{self.code} {self.enhanced} {text}\r\n".encode()
        else:
            prefix = f"{self.enhanced} " if self.enhanced else ""
            lines = text.split("\n")
            last = len(lines) - 1
            wire = "".join(
                f"{self.code}{'-' if n < last else ' '}{prefix}{visible(line)}\r\n"
                for n, line in enumerate(lines)
            ).encode("ascii")
        _set_wire(self, wire)
        return wire

    def with_id(self, session_id: str) -> Reply:
        """Return the same reply with `(id)` behind its text."""
        return Reply(self.code, self.enhanced, f"{self.text} ({session_id})", self.close)


_set_code: Any = Reply.__dict__["code"].__set__
_set_enhanced: Any = Reply.__dict__["enhanced"].__set__
_set_text: Any = Reply.__dict__["text"].__set__
_set_close: Any = Reply.__dict__["close"].__set__
_set_wire: Any = Reply.__dict__["_wire"].__set__


def visible(text: str) -> str:
    """Return `text` with everything that is not printable ASCII replaced, at most 400 characters."""
    if len(text) > MAX_LINE:
        text = text[: MAX_LINE - 3] + "..."
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else "?" for c in text)
