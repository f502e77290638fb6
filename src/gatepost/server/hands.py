"""Which messages a process has in its hands, where its parent can read it when the process is dead.

A table of fingerprints in shared memory: one process writes it and the parent reads it, of the dead only.
So nothing is locked, and a message costs two writes of 16 bytes.
"""

from __future__ import annotations

SLOTS = 1_024
"""Messages at once; of more nobody is blamed."""
SIZE = 16
"""Bytes of a fingerprint (`gatepost.mail.fingerprint`)."""
BYTES = SLOTS * SIZE
_EMPTY = bytes(SIZE)


class Hands:
    """The table of one column; slots are numbered from 1, 0 is none."""

    __slots__ = ("_free", "_view")

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._free: list[int] | None = None

    def take(self, fingerprint: bytes) -> int:
        """Have a message in hand; return its slot, 0 where the table is full."""
        if self._free is None:
            self._free = list(range(SLOTS, 0, -1))
        if not self._free:
            return 0
        slot = self._free.pop()
        self._view[(slot - 1) * SIZE : slot * SIZE] = fingerprint
        return slot

    def put(self, slot: int) -> None:
        """Be done with it."""
        if slot and self._free is not None:
            self._view[(slot - 1) * SIZE : slot * SIZE] = _EMPTY
            self._free.append(slot)

    def read(self, slot: int) -> bytes:
        """Return what is in a slot, b"" for nothing."""
        if not 0 < slot <= SLOTS:
            return b""
        found = bytes(self._view[(slot - 1) * SIZE : slot * SIZE])
        return found if found != _EMPTY else b""

    def all(self) -> list[bytes]:
        """Return all that is in hand, each once."""
        return list(dict.fromkeys(found for slot in range(1, SLOTS + 1) if (found := self.read(slot))))
