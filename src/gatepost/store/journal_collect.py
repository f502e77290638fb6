"""From the workers' journal files into the journal database, each line once.

How far a file was read is written in the same transaction as its rows: whoever is killed at
whatever moment, no line comes twice and none is left out. A line is not parsed; it is cut where
`journal_lines` promises that no quote can stand.

Storms are folded here (CONTRACT 8): of like refusals (client, domain, check, reason) within a
minute only the first keeps its trace; the others keep their line and the id of the first.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from gatepost.store.journal_counts import CLIENTS, HOUR, Counts
from gatepost.store.journal_lines import NOT_FROM_HERE, NOT_HOSTED
from gatepost.store.journal_writer import FOLDER
from gatepost.store.sqlite import transaction

BLOCK = 1024 * 1024
"""Bytes of one file in one transaction."""
FOLD_SECONDS = 60.0
MAX_FOLDS = 50_000
"""Like refusals that are remembered; a storm of more different ones is not folded whole."""
_FOLDED = frozenset({"rejected", "deferred"})

_OUTCOME = "INSERT INTO outcome (time, id, domain, line, trace) VALUES (?, ?, ?, ?, ?)"
_SESSION = "INSERT INTO session (time, id, line) VALUES (?, ?, ?)"
_POSITION = (
    "INSERT INTO source (file, position, stamp) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET position = excluded.position, stamp = excluded.stamp"
)


class Collector:
    """Reads what the workers of one machine wrote. Two at once do no harm."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._seen: dict[str, int] = {}
        """file -> how far it was read by us: a look that costs no transaction."""
        self._folds: dict[tuple[str, str, str, str], tuple[float, str]] = {}
        self.bad = 0
        """Lines that are none of ours (a power cut in the middle of a write)."""

    def collect(self, folder: Path) -> int:
        """Take all new lines in; return how many rows that made."""
        try:
            names = sorted(e.name for e in os.scandir(folder / FOLDER) if e.name.endswith(".log"))
        except FileNotFoundError:
            return 0
        rows = 0
        for name in names:
            rows += self._file(folder / FOLDER / name)
        self._forget(set(names))
        return rows

    def _file(self, path: Path) -> int:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # another collector was faster
            return 0
        try:
            finished = _lock(fd)
            if not finished and os.fstat(fd).st_size <= self._seen.get(path.name, 0):
                return 0
            rows = 0
            while True:
                more, added = self._block(fd, path.name)
                rows += added
                if not more:
                    break
            if finished:
                if os.fstat(fd).st_size > self._seen.get(path.name, 0):
                    self.bad += 1  # the writer was killed in the middle of a line
                path.unlink(missing_ok=True)
            return rows
        finally:
            os.close(fd)

    def _block(self, fd: int, name: str) -> tuple[bool, int]:
        """Take in one block; return whether there may be more, and the number of rows."""
        db = self._db
        with transaction(db):
            found = db.execute("SELECT position, stamp FROM source WHERE file = ?", (name,)).fetchone()
            position, stamp = found or (0, 0.0)
            block = os.pread(fd, BLOCK, position)
            end = block.rfind(b"\n") + 1
            if end == 0:
                if len(block) == BLOCK:  # no line is so long: skip what is no journal
                    self.bad += 1
                    end = len(block)
                else:
                    self._seen[name] = position
                    return False, 0
            outcomes, sessions, counts, stamp = self._rows(block[: end - 1], stamp)
            db.executemany(_OUTCOME, outcomes)
            db.executemany(_SESSION, sessions)
            counts.write(db)
            db.execute(_POSITION, (name, position + end, stamp))
        self._seen[name] = position + end
        return len(block) == BLOCK, len(outcomes) + len(sessions)

    def _rows(
        self, block: bytes, stamp: float
    ) -> tuple[
        list[tuple[float, str, str, str, str]],
        list[tuple[float, str, str]],
        Counts,
        float,
    ]:
        outcomes: list[tuple[float, str, str, str, str]] = []
        sessions: list[tuple[float, str, str]] = []
        counts = Counts()
        hour = int(stamp // HOUR)
        folds = self._folds
        for line in block.decode("utf-8", "replace").split("\n"):
            kind = line[:5]
            if kind == '["o",':
                text, _, trace = line.partition("\t")
                parts = text.split('"', 14)
                try:
                    _, _, _, number, _, fate, _, plugin, _, domain, _, client, _, reason, _ = parts
                except ValueError:
                    self.bad += 1
                    continue
                cause = plugin
                if plugin == NOT_FROM_HERE[0] and reason.endswith(NOT_FROM_HERE[1]):
                    cause = CLIENTS
                counts.outcome(hour, "" if plugin == NOT_HOSTED else domain, fate, cause, trace)
                if trace and fate in _FOLDED:
                    key = (client, domain, plugin, reason)
                    first = folds.get(key)
                    if first is not None and stamp - first[0] < FOLD_SECONDS:
                        trace = "=" + first[1]
                    else:
                        if len(folds) >= MAX_FOLDS:
                            folds.clear()
                        folds[key] = (stamp, number)
                outcomes.append((stamp, number, domain, text, trace))
            elif kind == '["s",':
                sessions.append((stamp, line.split('"', 4)[3], line))
                counts.session(hour)
            elif kind == '["t",':
                try:
                    stamp = float(line[5:-1])
                    hour = int(stamp // HOUR)
                except ValueError:
                    self.bad += 1
            else:
                self.bad += 1
        return outcomes, sessions, counts, stamp

    def _forget(self, names: set[str]) -> None:
        """Drop the notes on files that are gone; their names never come again."""
        gone = [name for name in self._seen if name not in names]
        for name in gone:
            del self._seen[name]
        rows = self._db.execute("SELECT file FROM source").fetchall()
        stale = [(row[0],) for row in rows if row[0] not in names]
        if stale:
            self._db.executemany("DELETE FROM source WHERE file = ?", stale)


def _lock(fd: int) -> bool:
    """Return whether the writer has gone, so that the file will not grow any more."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
