"""BDAT: the message in chunks whose length is said before them (RFC 3030).

The count alone decides where a chunk ends (T1.4): no dots, no line ends. What makes DATA spoilt
(NUL, bare CR or LF, a line too long) spoils this too, since the message goes on by DATA where the
next hop has no CHUNKING. Bytes of a chunk that was refused are counted and dropped, never run.
"""

from __future__ import annotations

from gatepost.smtp.data import Inspector


class BdatReader:
    """Counts the bytes of the chunks of one message."""

    __slots__ = ("_inspector", "last", "left", "max_size", "size")

    def __init__(self, max_size: int, line_limit: int) -> None:
        self.max_size = max_size
        self.size = 0
        self.left = 0
        """Bytes of the chunk in hand that are still to come."""
        self.last = False
        self._inspector = Inspector(line_limit)

    @property
    def too_big(self) -> bool:
        """More than the limit came; nothing is given back any more."""
        return self.size > self.max_size

    @property
    def spoilt(self) -> str:
        """Behind the last chunk: what is wrong with the bytes (`Inspector.verdict`)."""
        return self._inspector.verdict()

    def begin(self, count: int, last: bool) -> None:
        """A BDAT command announced so many bytes."""
        self.left = count
        self.last = last

    def feed(self, piece: bytes) -> bytes:
        """Take a piece of the chunk, at most `left` bytes; return what is to be kept of it."""
        self.left -= len(piece)
        self.size += len(piece)
        self._inspector.look(piece)
        return piece if self.size <= self.max_size else b""
