"""State in SQLite: memory that may be lost, quick because it is written behind.

A process keeps what it uses in dictionaries and writes what changed twice a second, in one
transaction. Counts of several processes come together there (`number = number + more`); when
another process has written, this one forgets what it has read. So a value is at most half a
second behind, and a look costs a dictionary or three microseconds. No method ever suspends.

A damaged file is put aside and a new one begun: nothing in it is worth a refused mail.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.store.base import StoreDamaged, StoreError
from gatepost.store.sqlite import READ_WAIT, errors_of, in_words, open_database, transaction
from gatepost.store.windows import bucket_of, sliding

FILE = "state.db"
MAX_KEYS = 100_000
"""Values, and counts, that are held in memory."""
PURGE_ROWS = 500
"""Rows that are looked at for having expired, every so often."""
PURGE_EVERY = 10.0
PURGE_MORE = 20
"""So often in a row, while half of what is looked at has expired: after an attack that left much behind."""
LAST_CHARACTER = "\U0010ffff"
_TABLES = ("value", "count")


class StateStore:
    """`base.State`. One for each process: make it after the fork, call `flush` twice a second."""

    def __init__(
        self, path: Path, *, wait: float = READ_WAIT, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self.trouble = ""
        """Why the last flush failed, "" when it did not."""
        self.lost = 0
        """Changes that were dropped because they could not be written for long."""
        self._clock = clock
        self._db = _open(path, wait)
        self._token = self._data_version()
        # As read or written: key -> (value, expires).
        self._values: dict[str, tuple[bytes, float]] = {}
        self._dirty: dict[str, tuple[bytes | None, float]] = {}
        # (key, window) -> [bucket, running, before]; and what is not written yet.
        self._counts: dict[tuple[str, float], list[int]] = {}
        self._more: dict[tuple[str, float, int], int] = {}
        self._purge_next = 0.0
        self._purged = dict.fromkeys(_TABLES, "")
        """How far each table was looked through for what has expired."""

    def close(self) -> None:
        """Write what is left and close the database."""
        self.flush()
        self._db.close()

    # -- base.State --------------------------------------------------------------------------

    async def get(self, key: str) -> bytes | None:
        """Return a value that has not expired."""
        dirty = self._dirty.get(key)
        if dirty is not None:
            value, expires = dirty
            return value if expires > self._clock() else None
        found = self._values.get(key)
        if found is None:
            found = self._read(key)
            if found is None:
                return None
        return found[0] if found[1] > self._clock() else None

    async def put(self, key: str, value: bytes, expires: float) -> None:
        """Keep a value for so many seconds."""
        self._change(key, value, self._clock() + expires)

    async def delete(self, key: str) -> None:
        """Forget a value."""
        self._change(key, None, 0.0)

    async def add(self, key: str, n: int, window: float) -> int:
        """Count `n` more and return the count of about the last `window` seconds."""
        now = self._clock()
        bucket = bucket_of(now, window)
        count = self._counts.get((key, window))
        if count is None or count[0] != bucket:
            count = self._read_count(key, window, bucket)
        count[1] += n
        if n:  # a look is not a change
            place = (key, window, bucket)
            self._more[place] = self._more.get(place, 0) + n
            if len(self._more) > MAX_KEYS:
                self._relieve()
        return sliding(now, window, count[1], count[2]) if count[2] else count[1]

    async def sums(self, prefix: str) -> dict[str, int]:
        """Return the counts whose key begins so, each over all that is kept of it."""
        self.flush()
        with errors_of(self.path):
            rows = self._db.execute(
                "SELECT key, number FROM count WHERE key >= ? AND key < ? AND expires > ?",
                (prefix, prefix + LAST_CHARACTER, self._clock()),
            ).fetchall()
        found: dict[str, int] = {}
        for place, number in rows:
            key = place.rpartition("\x1f")[0]
            found[key] = found.get(key, 0) + number
        return found

    def forget(self, owner: str) -> int:
        """Forget all values and counts of one owner (a key is check, owner and the rest, with \\x1f between).

        Every key is looked at: for what is rare.
        """
        self.flush()
        done = 0
        with errors_of(self.path), transaction(self._db):
            for table in _TABLES:
                done += self._db.execute(
                    f"DELETE FROM {table} WHERE instr(key, char(31))"  # noqa: S608
                    " AND substr(key, instr(key, char(31)) + 1, length(?)) = ?",
                    (f"{owner}\x1f", f"{owner}\x1f"),
                ).rowcount
        self._values.clear()
        self._counts.clear()
        return done

    # -- writing behind ------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what changed and see what others wrote. Never raises: `trouble` says what is wrong."""
        now = self._clock()
        try:
            with errors_of(self.path):
                if self._dirty or self._more:
                    self._write(now)
                if now >= self._purge_next:
                    self._purge_next = now + PURGE_EVERY
                    self._purge(now)
                token = self._data_version()
        except StoreError as error:
            self.trouble = str(error)
            return
        self.trouble = ""
        if token != self._token:
            self._token = token
            self._values.clear()
            self._counts.clear()

    def _write(self, now: float) -> None:
        kept = [(key, value, expires) for key, (value, expires) in self._dirty.items() if value is not None]
        gone = [(key,) for key, (value, _) in self._dirty.items() if value is None]
        more = [
            (_place(key, window), bucket, number, (bucket + 2) * window)
            for (key, window, bucket), number in self._more.items()
        ]
        db = self._db
        with transaction(db):
            db.executemany("INSERT OR REPLACE INTO value (key, value, expires) VALUES (?, ?, ?)", kept)
            db.executemany("DELETE FROM value WHERE key = ?", gone)
            db.executemany(
                "INSERT INTO count (key, bucket, number, expires) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET number = number + excluded.number",
                more,
            )
        for key, value, expires in kept:
            self._values[key] = value, expires
        self._dirty.clear()
        self._more.clear()
        if len(self._values) > MAX_KEYS:
            self._values.clear()
        if len(self._counts) > MAX_KEYS:
            self._counts.clear()

    def _purge(self, now: float) -> None:
        """Delete what has expired, a few rows at a time, round and round by key."""
        for table in _TABLES:
            for _ in range(PURGE_MORE):
                if not self._purge_some(table, now):
                    break

    def _purge_some(self, table: str, now: float) -> bool:
        """Look at the next rows; True: many of them had expired, and there are more."""
        rows = self._db.execute(
            f"SELECT key, expires FROM {table} WHERE key > ? ORDER BY key LIMIT ?",  # noqa: S608
            (self._purged[table], PURGE_ROWS),
        ).fetchall()
        old = [(key, now) for key, expires in rows if expires <= now]
        if old:
            with transaction(self._db):
                self._db.executemany(f"DELETE FROM {table} WHERE key = ? AND expires <= ?", old)  # noqa: S608
        full = len(rows) == PURGE_ROWS
        self._purged[table] = rows[-1][0] if full else ""
        return full and len(old) * 2 >= PURGE_ROWS

    # -- reading -------------------------------------------------------------------------------

    def _change(self, key: str, value: bytes | None, expires: float) -> None:
        self._values.pop(key, None)
        self._dirty[key] = value, expires
        if len(self._dirty) > MAX_KEYS:
            self._relieve()

    def _relieve(self) -> None:
        """There is more to write than memory should hold."""
        self.flush()
        if self.trouble:
            self.lost += len(self._dirty) + len(self._more)
            self._dirty.clear()
            self._more.clear()

    def _read(self, key: str) -> tuple[bytes, float] | None:
        try:
            row = self._db.execute("SELECT value, expires FROM value WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise in_words(error, self.path) from error
        if len(self._values) > MAX_KEYS:
            self._values.clear()
        # That there is none is remembered too, as a value that has expired.
        self._values[key] = row or (b"", 0.0)
        if row is None:
            return None
        return row[0], row[1]

    def _read_count(self, key: str, window: float, bucket: int) -> list[int]:
        try:
            rows = self._db.execute(
                "SELECT bucket, number FROM count WHERE key = ? AND bucket IN (?, ?)",
                (_place(key, window), bucket, bucket - 1),
            ).fetchall()
        except sqlite3.Error as error:
            raise in_words(error, self.path) from error
        found = dict(rows)
        running, before = (
            found.get(b, 0) + self._more.get((key, window, b), 0) for b in (bucket, bucket - 1)
        )
        if len(self._counts) > MAX_KEYS:
            self._counts.clear()
        count = self._counts[key, window] = [bucket, running, before]
        return count

    def _data_version(self) -> int:
        with errors_of(self.path):
            (token,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(token)


def _place(key: str, window: float) -> str:
    """Counts of one key over two windows are two counts."""
    return f"{key}\x1f{window:g}"


def _open(path: Path, wait: float) -> sqlite3.Connection:
    # OFF: a power cut may cost the file, which may be lost; a flush never waits for the disk.
    try:
        return open_database(path, "state", wait=wait, synchronous="OFF")
    except StoreDamaged:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.replace(path.with_name(path.name + ".damaged"))
        return open_database(path, "state", wait=wait, synchronous="OFF")
