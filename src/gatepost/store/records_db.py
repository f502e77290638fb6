"""Records in SQLite: what checks and people leave behind for good, and counts that never go over.

A count is held before the mail is accepted and settled when its fate is known, so two mails at
once for the last one of a counted address let one in, in whatever processes they are. Who dies in
between gives back what it held when the lease ends.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.store.base import Reservation, StoreError
from gatepost.store.sqlite import WRITE_WAIT, copy, errors_of, open_database, transaction

FILE = "records.db"
MAX_LIST = 10_000
LATE = 86_400.0
"""So long after its lease a mail that was accepted all the same still counts."""
LAST_CHARACTER = "\U0010ffff"
_PLACE = "domain = ? AND plugin = ? AND key = ?"
_KEEP = "INSERT OR REPLACE INTO record (domain, plugin, key, value) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record of a domain."""

    plugin: str
    key: str
    value: Any


class RecordsStore:
    """`base.Records`, and the uses of list entries. One for each process: make it after the fork."""

    def __init__(
        self, path: Path, *, wait: float = WRITE_WAIT, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self._clock = clock
        self._db = open_database(path, "records", wait=wait)
        self._uses: dict[int, tuple[int, float]] = {}

    def close(self) -> None:
        """Write what is left and close the database."""
        self.flush()
        self._db.close()

    # -- records -----------------------------------------------------------------------------

    async def get(self, domain: str, plugin: str, key: str) -> Any:
        """Return a record, None if there is none."""
        with errors_of(self.path):
            row = self._db.execute(
                f"SELECT value FROM record WHERE {_PLACE}",  # noqa: S608
                (domain, plugin, key),
            ).fetchone()
        return None if row is None else json.loads(row[0])

    async def put(self, domain: str, plugin: str, key: str, value: Any) -> None:
        """Keep a record; on return it is on disk."""
        text = _written(value)
        with errors_of(self.path):
            self._db.execute(_KEEP, (domain, plugin, key, text))

    async def delete(self, domain: str, plugin: str, key: str) -> None:
        """Delete a record."""
        with errors_of(self.path):
            self._db.execute(f"DELETE FROM record WHERE {_PLACE}", (domain, plugin, key))  # noqa: S608

    async def forget(self, domain: str, plugin: str, key: str) -> None:
        """Delete a record and what was counted under its key."""
        place = (domain, plugin, key)
        with errors_of(self.path), transaction(self._db):
            for table in ("record", "used", "held"):
                self._db.execute(f"DELETE FROM {table} WHERE {_PLACE}", place)  # noqa: S608

    async def list(
        self, domain: str, plugin: str, prefix: str = "", limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """Return (key, value) of records whose key begins so, by key."""
        with errors_of(self.path):
            rows = self._db.execute(
                "SELECT key, value FROM record WHERE domain = ? AND plugin = ? AND key >= ? AND key < ?"
                " ORDER BY key LIMIT ?",
                (domain, plugin, prefix, prefix + LAST_CHARACTER, min(limit, MAX_LIST)),
            ).fetchall()
        return [(key, json.loads(value)) for key, value in rows]

    def of_domain(self, domain: str) -> Iterator[RecordRow]:
        """Yield all records of a domain, by check and key."""
        with errors_of(self.path):
            for plugin, key, value in self._db.execute(
                "SELECT plugin, key, value FROM record WHERE domain = ? ORDER BY plugin, key", (domain,)
            ):
                yield RecordRow(plugin, key, json.loads(value))

    def domains_with(self, plugin: str, prefix: str = "") -> Sequence[str]:
        """Return the domains that have records of a check whose key begins so.

        From domain to domain by the key: however many records there are, each domain costs two looks.
        """
        with errors_of(self.path):
            rows = self._db.execute(
                "WITH RECURSIVE name(d) AS (SELECT min(domain) FROM record UNION ALL"
                " SELECT (SELECT min(domain) FROM record WHERE domain > d) FROM name WHERE d IS NOT NULL)"
                " SELECT d FROM name WHERE d IS NOT NULL AND EXISTS (SELECT 1 FROM record"
                " WHERE domain = d AND plugin = ? AND key >= ? AND key < ?)",
                (plugin, prefix, prefix + LAST_CHARACTER),
            ).fetchall()
        return [name for (name,) in rows]

    def forget_domain(self, domain: str) -> int:
        """Delete all records and counts of a domain for good; returns how many records."""
        self.overwrite()
        with errors_of(self.path), transaction(self._db):
            done = self._db.execute("DELETE FROM record WHERE domain = ?", (domain,)).rowcount
            for table in ("used", "held"):
                self._db.execute(f"DELETE FROM {table} WHERE domain = ?", (domain,))  # noqa: S608
        return done

    def overwrite(self) -> None:
        """From now on what is deleted or replaced is overwritten on the disk."""
        with errors_of(self.path):
            self._db.execute("PRAGMA secure_delete = ON")

    # -- counts ------------------------------------------------------------------------------

    async def reserve(
        self, domain: str, plugin: str, key: str, limit: int, lease: float
    ) -> Reservation | None:
        """Hold one of `limit` counts for `lease` seconds; None: all are used or held."""
        place, now = (domain, plugin, key), self._clock()
        db = self._db
        with errors_of(self.path), transaction(db):
            db.execute(f"DELETE FROM held WHERE {_PLACE} AND expires <= ?", (*place, now - LATE))  # noqa: S608
            (taken,) = db.execute(
                f"SELECT (SELECT count(*) FROM held WHERE {_PLACE} AND expires > ?)"  # noqa: S608
                f" + coalesce((SELECT number FROM used WHERE {_PLACE}), 0)",
                (*place, now, *place),
            ).fetchone()
            if taken >= limit:
                return None
            (number,) = db.execute(
                "INSERT INTO held (domain, plugin, key, expires) VALUES (?, ?, ?, ?) RETURNING id",
                (*place, now + lease),
            ).fetchone()
        return Reservation(number, *place)

    async def settle(self, reservation: Reservation, used: bool, record: Any = None) -> None:
        """The fate is known: the count is used for good, or given back. Twice is once."""
        db = self._db
        place = (reservation.domain, reservation.plugin, reservation.key)
        with errors_of(self.path), transaction(db):
            gone = db.execute("DELETE FROM held WHERE id = ?", (reservation.id,)).rowcount
            if used and gone:
                db.execute(
                    "INSERT INTO used (domain, plugin, key, number) VALUES (?, ?, ?, 1)"
                    " ON CONFLICT DO UPDATE SET number = number + 1",
                    place,
                )
                if record is not None:
                    db.execute(_KEEP, (*place, _written(record)))

    async def count(self, domain: str, plugin: str, key: str) -> int:
        """Return how many counts are used."""
        with errors_of(self.path):
            row = self._db.execute(
                f"SELECT number FROM used WHERE {_PLACE}",  # noqa: S608
                (domain, plugin, key),
            ).fetchone()
        return 0 if row is None else int(row[0])

    # -- uses of list entries ------------------------------------------------------------------

    def count_use(self, entry_id: int, times: int = 1) -> None:
        """A list entry decided: counted in memory until `flush`."""
        number, _ = self._uses.get(entry_id, (0, 0.0))
        self._uses[entry_id] = number + times, self._clock()

    def flush(self) -> None:
        """Write the counted uses."""
        if not self._uses:
            return
        with errors_of(self.path), transaction(self._db):
            self._db.executemany(
                "INSERT INTO entry_use (entry, number, last) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                " SET number = number + excluded.number, last = max(last, excluded.last)",
                ((entry, number, last) for entry, (number, last) in self._uses.items()),
            )
        self._uses.clear()

    def uses(self, entry_ids: Iterable[int]) -> dict[int, tuple[int, float]]:
        """Return how often entries decided and when last; those that never did are left out."""
        found: dict[int, tuple[int, float]] = {}
        with errors_of(self.path):
            for entry in entry_ids:
                row = self._db.execute(
                    "SELECT number, last FROM entry_use WHERE entry = ?", (entry,)
                ).fetchone()
                if row is not None:
                    found[entry] = row
        return found

    def copy_to(self, path: Path) -> None:
        """Write a consistent, checked copy."""
        copy(self._db, self.path, path)


def _written(value: Any) -> str:
    """Return a record as JSON."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError(f"a record is not what JSON has: {error}") from None
