"""SMTP replies as values: code, enhanced status code (RFC 3463), text.

What the sender sees is general. A refusal carries the session's id, so that a person can ask "why".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP reply (RFC 5321, 4.2). `text` may have several lines, parted by LF."""

    code: int
    enhanced: str
    """`5.1.1`, or "" for replies that carry none (greeting, EHLO, 354; RFC 2034)."""
    text: str
    close: bool = False
    """Close the connection after this reply."""

    @property
    def positive(self) -> bool:
        """True for 2xx and 3xx."""
        return self.code < 400

    @property
    def permanent(self) -> bool:
        """True for 5xx."""
        return self.code >= 500

    def wire(self) -> bytes:
        """Return the bytes, each line ending in CRLF; control and non-ASCII characters become `?`."""
        lines = self.text.split("\n")
        prefix = f"{self.enhanced} " if self.enhanced else ""
        last = len(lines) - 1
        out = [
            f"{self.code}{'-' if n < last else ' '}{prefix}{visible(line)}\r\n" for n, line in enumerate(lines)
        ]
        return "".join(out).encode("ascii", "replace")

    def with_id(self, session_id: str) -> Reply:
        """Return the same reply with `(id)` behind its text."""
        return Reply(self.code, self.enhanced, f"{self.text} ({session_id})", self.close)


def visible(text: str) -> str:
    """Return `text` with everything that is not printable ASCII replaced, at most 400 characters."""
    if len(text) > 400:
        text = text[:397] + "..."
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else "?" for c in text)
