"""How many connections each client has, in a table that one process writes and all read.

An open-addressing table of (key, count) pairs in shared memory. Its owner alone writes; a reader in
another process needs no lock: a key is written before its count, a live key is never moved, and each
cell is one aligned word. Dead keys (count 0) are used again by the next that falls there, and those
at the end of a run are wiped, so that a look-up stays short after years.

The multiplier is drawn at random when the board is made: whoever owns many addresses cannot choose
those that collide.
"""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET6, inet_aton, inet_pton

FULL = 1 << 40
"""What `add` answers when the table has no room: more than any limit, so that the client is refused."""

_WORD = (1 << 64) - 1
_IPV4 = 1 << 32
"""IPv4 keys lie in 0:1::/32, addresses that IPv6 keeps reserved (RFC 4291, 2.4) and never gives out."""
_OTHER = 2 << 32
"""What has no address that we can read counts as one client."""


@lru_cache(maxsize=4096)
def client_key(client: str) -> int:
    """Return under which number a client is counted: its IPv4 address, or its IPv6 /64.

    A customer gets a /64 at least, so anything finer counts one client as many. IPv4-mapped
    addresses count as IPv4.
    """
    try:
        if ":" not in client:
            return _IPV4 | int.from_bytes(inet_aton(client), "big")
        packed = inet_pton(AF_INET6, client.partition("%")[0])
    except (OSError, ValueError):
        return _OTHER
    if packed[:12] == b"\0\0\0\0\0\0\0\0\0\0\xff\xff":
        return _IPV4 | int.from_bytes(packed[12:], "big")
    # Loopback `::1` has the prefix 0, which marks an empty cell.
    return int.from_bytes(packed[:8], "big") or _OTHER | 1


class Counts:
    """The table over `cells`, words of eight bytes; `2 * slots` of them, slots a power of two."""

    __slots__ = ("_cells", "_factor", "_mask", "_shift", "_where")

    def __init__(self, cells: memoryview[int], factor: int) -> None:
        slots = len(cells) >> 1
        if slots & (slots - 1):
            raise ValueError(f"{slots} slots: not a power of two")
        self._cells = cells
        self._factor = factor
        self._mask = len(cells) - 1
        self._shift = 65 - slots.bit_length()
        self._where: dict[int, int] = {}
        """Owner only: key -> its cell."""

    def __len__(self) -> int:
        """Return how many clients the owner counts."""
        return len(self._where)

    def read(self, key: int) -> int:
        """Return the count of a key, 0 if it has none; from any process."""
        cells = self._cells
        mask = self._mask
        at = ((key * self._factor & _WORD) >> self._shift) << 1
        for _ in range(0, mask, 2):
            there = cells[at]
            if there == key:
                if count := cells[at + 1]:
                    return count
            elif not there:
                return 0
            at = (at + 2) & mask
        return 0

    def add(self, key: int) -> int:
        """Count one more and return the count; owner only."""
        cells = self._cells
        at = self._where.get(key)
        if at is not None:
            count = cells[at + 1] + 1
            cells[at + 1] = count
            return count
        mask = self._mask
        at = ((key * self._factor & _WORD) >> self._shift) << 1
        for _ in range(0, mask, 2):
            if not cells[at + 1]:
                cells[at] = key
                cells[at + 1] = 1
                self._where[key] = at
                return 1
            at = (at + 2) & mask
        return FULL

    def take(self, key: int) -> None:
        """Count one less; owner only. A key without a count is passed over."""
        at = self._where.get(key)
        if at is None:
            return
        cells = self._cells
        count = cells[at + 1] - 1
        cells[at + 1] = count
        if not count:
            del self._where[key]
            self._wipe_back(at)

    def _wipe_back(self, at: int) -> None:
        """Empty the dead cells at the end of a run: nobody's search needs to pass them."""
        cells = self._cells
        mask = self._mask
        if cells[(at + 2) & mask]:
            return
        while cells[at] and not cells[at + 1]:
            cells[at] = 0
            at = (at - 2) & mask
