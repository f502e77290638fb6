"""The bytes of one message on their way through: in memory while small, in a nameless file when large.

What lies in the file is no promise to anybody: the client still has the message until we reply.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gatepost.mail.retitled import Retitled
from gatepost.smtp.data import normalize_pieces, unstuff_pieces
from gatepost.store.durable import write_all

MEMORY_EACH = 1_048_576
"""Bytes of one message kept in memory."""
MEMORY_ALL = 268_435_456
"""Bytes of all messages of this process kept in memory; past that every message goes to a file at once."""
READ = 262_144


class Memory:
    """How many bytes of messages this process holds in memory."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0


class Body:
    """Append pieces, read them back as often as needed."""

    __slots__ = ("_file", "_folder", "_memory", "_pieces", "size")

    def __init__(self, memory: Memory, folder: Path) -> None:
        self._memory = memory
        self._folder = folder
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0

    def append(self, piece: bytes) -> None:
        """Keep a piece; raises OSError when the disk is full."""
        self.size += len(piece)
        if self._file is not None:
            write_all(self._file.fileno(), piece)
            return
        self._pieces.append(piece)
        self._memory.used += len(piece)
        if self.size > MEMORY_EACH or self._memory.used > MEMORY_ALL:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        """Yield all pieces from the beginning."""
        if self._file is None:
            yield from self._pieces
            return
        position, fd = 0, self._file.fileno()
        while True:
            # Not seek and read: copies of one message are written in threads, and a file has one place.
            piece = os.pread(fd, READ, position)
            if not piece:
                return
            position += len(piece)
            yield piece

    def pieces(self) -> list[bytes]:
        """Return the pieces when they are in memory, else read the whole file (for what must see all)."""
        return self._pieces if self._file is None else list(self)

    @property
    def in_memory(self) -> bool:
        """True while nothing went to a file."""
        return self._file is None

    def head(self, limit: int) -> bytes:
        """Return the first bytes, at most about `limit` of them."""
        if self._file is None and self._pieces and (len(self._pieces) == 1 or len(self._pieces[0]) >= limit):
            return self._pieces[0][:limit]
        out: list[bytes] = []
        size = 0
        for piece in self:
            out.append(piece)
            size += len(piece)
            if size >= limit:
                break
        return b"".join(out)[:limit]

    def with_head(self, skip: int, head: bytes) -> Body:
        """Return a body with `head` for the first `skip` bytes, and close this one; OSError: disk full."""
        other = Body(self._memory, self._folder)
        try:
            for piece in Retitled(self, skip, head):
                other.append(piece)
        except OSError:
            other.close()
            raise
        self.close()
        return other

    async def normalized(self, *, stuffed: bool) -> Body:
        """Return a body without stuffed dots, bare CR and bare LF, and close this one; OSError: disk full.

        Piece by piece: 25 MB of nothing but LF take a second, in which all others would wait.
        """
        other = Body(self._memory, self._folder)
        try:
            for piece in normalize_pieces(unstuff_pieces(self) if stuffed else self, stuffed=False):
                other.append(piece)
                if not self.in_memory:
                    await asyncio.sleep(0)
        except BaseException:
            other.close()
            raise
        self.close()
        return other

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()
            self._file = None
        else:
            self._memory.used -= self.size
        self._pieces = []
        self.size = 0

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # No buffer: what a full disk does not take is said by `append`, and never by `close`.
        self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed by close()
        pieces, self._pieces = self._pieces, []
        self._memory.used -= sum(map(len, pieces))
        for piece in pieces:
            write_all(self._file.fileno(), piece)
