"""What the processes know of each other: one shared mapping with a column per process.

A process writes its own column and reads the others'; nothing is locked. So a limit holds across the
workers by a sum (CONTRACT section 2, `max_connections_per_client`), the parent sees whose loop stands
still and which plugin it was in (ARCHITECTURE 3), and a dead worker's connections are forgotten by
zeroing its column. A process counts itself first and sums then, so that two at once may both be
refused at the limit but never both be let in.

The last column is the keeper's. Pages that nobody touched take no memory.
"""

from __future__ import annotations

import mmap
import os
import random
import time

from gatepost.server import hands
from gatepost.server.counts import Counts, client_key
from gatepost.server.hands import Hands

__all__ = ["Board", "Column", "client_key"]

MAX_PLUGINS = 255
"""Plugins that have a name on the board; the number 0 means that none runs."""
NAME_BYTES = 48
"""Longest plugin name on the board, in bytes of UTF-8; longer ones are cut."""

# Words at the head of a column.
_PID, _BEAT, _RUNNING, _OPEN, _VERSION, _SESSIONS, _HAND = range(7)
_HEAD_WORDS = 64
_NAMES = _HEAD_WORDS * 8
_HANDS = _NAMES + (MAX_PLUGINS + 1) * NAME_BYTES
_COUNTS = _HANDS + hands.BYTES


class Board:
    """The mapping as a whole; the parent makes it before it forks."""

    __slots__ = ("_column_bytes", "_factor", "_map", "_slots", "_tables", "_words", "columns", "workers")

    def __init__(self, mapping: mmap.mmap, workers: int, slots: int, factor: int) -> None:
        self.workers = workers
        self.columns = workers + 1
        self._map = mapping
        self._slots = slots
        self._factor = factor
        self._column_bytes = _column_bytes(slots)
        self._words = [
            memoryview(mapping)[start : start + _NAMES].cast("Q")
            for start in range(0, self.columns * self._column_bytes, self._column_bytes)
        ]
        self._tables = [self._counts(n) for n in range(workers)]

    @classmethod
    def create(cls, path: str | None, workers: int, clients: int = 20_000) -> Board:
        """Make an empty board for so many workers and so many clients at once.

        Without a path the mapping is anonymous and lives as long as the processes that inherited
        it. A path (on a memory file system: it is written to all the time) makes it a file.
        """
        slots = 1 << max(8, (2 * clients - 1).bit_length())
        size = (workers + 1) * _column_bytes(slots)
        if path is None:
            mapping = mmap.mmap(-1, size)
        else:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(fd, size)
                mapping = mmap.mmap(fd, size)
            finally:
                os.close(fd)
        return cls(mapping, workers, slots, random.SystemRandom().getrandbits(64) | 1)

    @property
    def keeper(self) -> int:
        """The number of the keeper's column."""
        return self.workers

    def open_column(self, n: int) -> Column:
        """Take a column for this process, its only writer; what a predecessor left in it is gone."""
        self.zero(n)
        others = [table for other, table in enumerate(self._tables) if other != n]
        counts = self._counts(n) if n < self.workers else None
        return Column(self, n, self._words[n], counts, others, self._hands(n))

    def zero(self, n: int) -> None:
        """Forget all of a column: the parent calls it when the process behind it is dead."""
        start = n * self._column_bytes
        try:
            # Gives the pages back to the kernel, which hands out zeros from now on.
            self._map.madvise(mmap.MADV_REMOVE, start, self._column_bytes)
        except (AttributeError, OSError):
            self._map[start : start + self._column_bytes] = bytes(self._column_bytes)

    def connections(self) -> int:
        """Return how many connections all workers hold."""
        return sum(words[_OPEN] for words in self._words)

    def client_count(self, key: int) -> int:
        """Return how many connections all workers hold of a client (`client_key`)."""
        return sum(table.read(key) for table in self._tables)

    def pid(self, n: int) -> int:
        """Return the process that took the column, 0 if none."""
        return self._words[n][_PID]

    def beat(self, n: int) -> int:
        """Return the last heartbeat (monotonic nanoseconds), 0 before the first."""
        return self._words[n][_BEAT]

    def running(self, n: int) -> int:
        """Return the index of the plugin that the process is in, 0 if none."""
        return self._words[n][_RUNNING]

    def plugin_name(self, n: int, index: int) -> str:
        """Return what the process calls the plugin of that index, "" if it gave it no name."""
        if not 0 < index <= MAX_PLUGINS:
            return ""
        start = n * self._column_bytes + _NAMES + index * NAME_BYTES
        return self._map[start : start + NAME_BYTES].rstrip(b"\0").decode("utf-8", "replace")

    def suspects(self, n: int) -> tuple[str, list[bytes]]:
        """Return the plugin that a dead process was in, "" for none, and the messages that may be to blame.

        In a plugin that is the one message that it was asked about; else all that the process had in hand.
        """
        index = self.running(n)
        held = self._hands(n)
        if not index:
            return "", held.all()
        message = held.read(self._words[n][_HAND])
        return self.plugin_name(n, index), [message] if message else []

    def version(self, n: int) -> int:
        """Return the policy version in force in the process of a column."""
        return self._words[n][_VERSION]

    def versions(self) -> list[int]:
        """Return the policy version in force in each process that took its column."""
        return [words[_VERSION] for words in self._words if words[_PID]]

    def sessions(self) -> int:
        """Return how many sessions the workers that live now have begun."""
        return sum(words[_SESSIONS] for words in self._words)

    def write_names(self, n: int, names: list[str]) -> None:
        """Name the plugins of a column; index 1 is the first."""
        start = n * self._column_bytes + _NAMES + NAME_BYTES
        for at, name in enumerate(names[:MAX_PLUGINS]):
            cut = name.encode("utf-8", "replace")[:NAME_BYTES].ljust(NAME_BYTES, b"\0")
            self._map[start + at * NAME_BYTES : start + (at + 1) * NAME_BYTES] = cut

    def _hands(self, n: int) -> Hands:
        start = n * self._column_bytes + _HANDS
        return Hands(memoryview(self._map)[start : start + hands.BYTES])

    def _counts(self, n: int) -> Counts:
        start = n * self._column_bytes + _COUNTS
        return Counts(memoryview(self._map)[start : start + self._slots * 16].cast("Q"), self._factor)


class Column:
    """One process's own column; made by `Board.open_column` in the process that writes it."""

    __slots__ = ("_counts", "_others", "_words", "board", "hands", "n")

    def __init__(
        self,
        board: Board,
        n: int,
        words: memoryview[int],
        counts: Counts | None,
        others: list[Counts],
        held: Hands,
    ) -> None:
        self.board = board
        self.n = n
        self._words = words
        self._counts = counts
        self._others = others
        self.hands = held
        """The messages that this process reads."""
        words[_PID] = os.getpid()

    def enter(self, key: int) -> int:
        """Count a connection of a client and return how many it has now in all workers, this one too.

        Call `leave` for each `enter`, also where the number is too high and the client refused.
        """
        words = self._words
        words[_OPEN] += 1
        words[_SESSIONS] += 1
        assert self._counts is not None, "the keeper accepts no clients"
        total = self._counts.add(key)
        for other in self._others:
            total += other.read(key)
        return total

    def leave(self, key: int) -> None:
        """The connection is closed."""
        self._words[_OPEN] -= 1
        assert self._counts is not None, "the keeper accepts no clients"
        self._counts.take(key)

    def move(self, old: int, new: int) -> int:
        """PROXY or XCLIENT named the true client: count the open connection for it from now on."""
        assert self._counts is not None, "the keeper accepts no clients"
        self._counts.take(old)
        return self._counts.add(new) + sum(other.read(new) for other in self._others)

    def beat(self) -> None:
        """Say that the loop turns; called by the loop once a second."""
        self._words[_BEAT] = time.monotonic_ns()

    def running(self, index: int, hand: int = 0) -> None:
        """Say which plugin runs now, 0 behind it, and the slot of the message that it is asked about."""
        words = self._words
        words[_RUNNING] = index
        words[_HAND] = hand

    def name_plugins(self, names: list[str]) -> None:
        """Say what the indices mean: index 1 is the first name."""
        self.board.write_names(self.n, names)

    def set_version(self, version: int) -> None:
        """Say which version of the policy is in force here."""
        self._words[_VERSION] = version

    @property
    def open(self) -> int:
        """Connections of this process."""
        return self._words[_OPEN]


def _column_bytes(slots: int) -> int:
    """Return the bytes of a column, whole pages: a column is given back to the kernel by pages."""
    size = _COUNTS + slots * 16
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
