"""What the journal counts by hour: outcomes by check, and what checks on watch would have refused.

The collector adds to the counts in the transaction of the rows they count, so they agree with the
journal whoever is killed, and a question about a month reads some thousand counts and no row.
They stay when the rows are gone, for `KEEP_DAYS`.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator

KEEP_DAYS = 400
"""Days that counts are kept: this month can be held against the same month of last year."""
HOUR = 3600
DAY_HOURS = 24

_TALLY = (
    "INSERT INTO tally (hour, domain, fate, plugin, number) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET number = number + excluded.number"
)
_WATCHED = (
    "INSERT INTO watched (hour, domain, plugin, fate, number) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET number = number + excluded.number"
)
_WHERE = "WHERE hour >= ? AND (? IS NULL OR domain = ?)"

_WATCH = '"watch '
_WOULD_REFUSE = re.compile(
    r'\["([^"\\]+)","[^"\\]*","watch (?:failed )?(?:reject|defer|take)",[0-9.]+,"((?:[^"\\]|\\.)*)"\]'
)
"""A step of a trace as `server/record.py` writes it. Inside of a text a quote has a backslash, so no
reason that a stranger had a hand in looks like a step."""
_LET_PAST = "; let past by "


class Counts:
    """What one block of lines adds."""

    __slots__ = ("_tally", "_watched")

    def __init__(self) -> None:
        # Lists: a Counter costs ten times as much for one, and nothing for all at once.
        self._tally: list[tuple[int, str, str, str]] = []
        self._watched: list[tuple[int, str, str, str]] = []

    def session(self, hour: int) -> None:
        """Count a session that ended."""
        self._tally.append((hour, "", "session", ""))

    def outcome(self, hour: int, domain: str, fate: str, plugin: str, trace: str) -> None:
        """Count one recipient's outcome; `trace` as the worker wrote it, before it is folded."""
        self._tally.append((hour, domain, fate, plugin))
        if _WATCH in trace:
            self._watched += [(hour, domain, name, fate) for name in set(would_refuse(trace))]

    def write(self, db: sqlite3.Connection) -> None:
        """Add to the database, within the caller's transaction."""
        db.executemany(_TALLY, [(*key, number) for key, number in Counter(self._tally).items()])
        db.executemany(_WATCHED, [(*key, number) for key, number in Counter(self._watched).items()])


def would_refuse(trace: str) -> Iterator[str]:
    """Yield the checks on watch that would have refused; not those whom an allow entry had let past."""
    for step in _WOULD_REFUSE.finditer(trace):
        if _LET_PAST not in step[2]:
            yield step[1]


class Tallies:
    """Reading the counts; all by whole hours (a moment within an hour counts the hour)."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def outcomes(self, domain: str | None = None, since: float = 0.0) -> list[tuple[str, str, str, int]]:
        """Return (domain, fate, plugin, number), the most first; domain "" is mail for none of ours."""
        return self._db.execute(
            f"SELECT domain, fate, plugin, sum(number) FROM tally {_WHERE} AND fate != 'session'"  # noqa: S608
            " GROUP BY domain, fate, plugin ORDER BY 4 DESC, 1, 2, 3",
            _values(domain, since),
        ).fetchall()

    def hours(self, domain: str | None = None, since: float = 0.0) -> list[tuple[int, str, int]]:
        """Return (hour, fate, number); the hour is seconds since 1970 / 3600."""
        return self._db.execute(
            f"SELECT hour, fate, sum(number) FROM tally {_WHERE} AND fate != 'session'"  # noqa: S608
            " GROUP BY hour, fate ORDER BY hour",
            _values(domain, since),
        ).fetchall()

    def watched(self, domain: str | None = None, since: float = 0.0) -> list[tuple[str, str, str, int]]:
        """Return (domain, plugin, fate, number) of what checks on watch would have refused."""
        return self._db.execute(
            f"SELECT domain, plugin, fate, sum(number) FROM watched {_WHERE}"  # noqa: S608
            " GROUP BY domain, plugin, fate ORDER BY 4 DESC, 1, 2, 3",
            _values(domain, since),
        ).fetchall()

    def sessions(self, since: float = 0.0) -> int:
        """Return how many sessions ended since then."""
        (number,) = self._db.execute(
            "SELECT coalesce(sum(number), 0) FROM tally WHERE hour >= ? AND fate = 'session'",
            (int(since // HOUR),),
        ).fetchone()
        return int(number)

    def prune(self, now: float) -> None:
        """Forget what is older than `KEEP_DAYS`, a day of it in one call: others wait no longer than that."""
        oldest = int(now // HOUR) - KEEP_DAYS * DAY_HOURS
        for table in ("tally", "watched"):
            self._db.execute(
                f"DELETE FROM {table} WHERE hour < ? AND hour < (SELECT min(hour) FROM {table}) + ?",  # noqa: S608
                (oldest, DAY_HOURS),
            )


def _values(domain: str | None, since: float) -> tuple[int, str | None, str | None]:
    return int(since // HOUR), domain, domain
