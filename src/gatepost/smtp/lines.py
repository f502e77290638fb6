"""Bytes in, lines out: a line ends in CRLF and in nothing else (RFC 5321, 2.3.8).

What a line may not be is an error of its own: `LineTooLong` as soon as it is certain, `BareNewline`
once for a whole line, whose rest up to the CRLF is thrown away, so that nothing behind a bare LF
is ever taken for a command. The answers do not depend on how the bytes were cut.

Adding is O(1), however many bytes wait; a line is looked for where the last one ended.
"""

from __future__ import annotations

from gatepost.smtp.errors import BareNewline, LineTooLong


class LineBuffer:
    """What came and was not yet taken."""

    __slots__ = ("_data", "_limit", "_more", "_pos", "_skipped", "_waiting")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        """Longest line, CRLF included."""
        self._data = b""
        self._pos = 0
        """Everything before this place in `_data` was taken; `_data` is empty when all was."""
        self._more: list[bytes] = []
        self._waiting = 0
        self._skipped = 0
        """Not 0: we are behind a bare LF, so many bytes into what is thrown away."""

    def add(self, data: bytes) -> None:
        """Append bytes."""
        if not self._data:
            self._data = data
        else:
            self._more.append(data)
            self._waiting += len(data)

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return len(self._data) - self._pos + self._waiting

    def clear(self) -> None:
        """Forget everything."""
        self._data = b""
        self._pos = self._waiting = self._skipped = 0
        self._more = []

    def take(self) -> bytes | None:
        """Return the next line without its CRLF, None while it is not complete."""
        data = self._data
        if not data:
            return None
        if self._skipped:
            return self.take() if self._skip() else None
        pos = self._pos
        end = data.find(b"\n", pos)
        if end < 0:
            if self._more:
                self._join()
                return self.take()
            if len(data) - pos >= self._limit:
                raise LineTooLong
            return None
        after = end + 1
        if after == len(data) and not self._more:
            self._data = b""
            self._pos = 0
        else:
            self._pos = after
        if after - pos > self._limit:
            raise LineTooLong
        if end == pos or data[end - 1] != 13:
            self._skipped = after - pos
            raise BareNewline(data[pos:end])
        return data[pos : end - 1]

    def take_all(self) -> bytes:
        """Return everything that waits."""
        if self._more or self._pos:
            self._join()
        data = self._data
        self._data = b""
        return data

    def take_some(self, limit: int) -> bytes:
        """Return what waits, at most `limit` bytes."""
        if self._more:
            self._join()
        data, pos = self._data, self._pos
        end = pos + limit
        if end >= len(data):
            self._data = b""
            self._pos = 0
        else:
            self._pos = end
        return data[pos:end]

    def put_back(self, data: bytes) -> None:
        """Make `data` the first bytes again; only what `take_all` gave, so nothing else waits."""
        self._data = data

    def _join(self) -> None:
        self._data = b"".join((self._data[self._pos :], *self._more))
        self._pos = self._waiting = 0
        self._more = []

    def _skip(self) -> bool:
        """Throw away the rest of a line that held a bare LF; True when its CRLF has gone by."""
        if self._more:
            self._join()
        data, pos = self._data, self._pos
        end = data.find(b"\r\n", pos)
        cut = end + 2 if end >= 0 else len(data) - data.endswith(b"\r", pos)
        self._skipped += cut - pos
        if self._skipped > self._limit:
            raise LineTooLong
        if cut == len(data):
            self._data = b""
            self._pos = 0
        else:
            self._pos = cut
        if end < 0:
            return False
        self._skipped = 0
        return True
