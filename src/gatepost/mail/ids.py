"""Session ids: short, sortable by time, easy to read out on the telephone.

Thirteen characters of Crockford's base 32 (no I, L, O, U): 41 bits of milliseconds, 6 bits of
worker, 18 bits of a counter that starts at random. A transaction is the session's id with a
number behind a dot, `0DQ3N7V5K2F8T.1`. The clock and the dice are the caller's.
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 13
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]


class SessionIds:
    """Makes the ids of one process; `worker` (0..63) keeps those of two processes apart."""

    __slots__ = ("_counter", "_moment", "_prefix", "_worker")

    def __init__(self, worker: int, start: int) -> None:
        self._worker = (worker & 63) << 18
        self._counter = start & 0x3FFFF
        self._moment = -1
        self._prefix = ""

    def make(self, milliseconds: int) -> str:
        """Return the next id for this moment (milliseconds since 1970)."""
        pairs = _PAIRS
        if milliseconds != self._moment:
            # The nine characters of the time and of the worker's first bits are the same for a millisecond.
            self._moment = milliseconds
            n = ((milliseconds & 0x1FFFFFFFFFF) << 4) | (self._worker >> 20)
            self._prefix = (
                ALPHABET[(n >> 40) & 31]
                + pairs[(n >> 30) & 1023]
                + pairs[(n >> 20) & 1023]
                + pairs[(n >> 10) & 1023]
                + pairs[n & 1023]
            )
        self._counter = counter = (self._counter + 1) & 0x3FFFF
        n = self._worker | counter
        return self._prefix + pairs[(n >> 10) & 1023] + pairs[n & 1023]


def clean(text: str) -> str | None:
    """Return the id as we write it for what a person typed (`o` is 0, `i` and `l` are 1), or None."""
    head, dot, tail = text.strip().upper().partition(".")
    head = head.replace("-", "").replace("O", "0").replace("I", "1").replace("L", "1")
    if len(head) != LENGTH or any(c not in ALPHABET for c in head):
        return None
    if dot and not tail.isdecimal():
        return None
    return head + dot + tail
