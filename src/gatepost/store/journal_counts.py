"""What the journal counts by hour: outcomes by check, and what checks on watch would have refused.

The collector adds to the counts in the transaction of the rows they count, so they agree with the
journal whoever is killed, and a question about a month reads some thousand counts and no row.
They stay when the rows are gone (`journal_old.py` says how long).
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

HOUR = 3600
CLIENTS = "recipients: clients"
"""Under what the refusals of a recipient's own list of clients are counted: that user exists."""

_TALLY = (
    "INSERT INTO tally (hour, domain, fate, plugin, number) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET number = number + excluded.number"
)
_WATCHED = (
    "INSERT INTO watched (hour, domain, plugin, fate, number) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET number = number + excluded.number"
)
_MARKED = '["gatepost","","marked",'
"""The step of a mail that went on with a mark (`X-Spam-Flag: YES`); no text can hold it, as above."""
NO_FATES = "('session', 'marked')"
"""What is counted beside the outcomes: sessions, and outcomes a second time that went on marked."""
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
        if _MARKED in trace and fate in ("accepted", "queued"):
            self._tally.append((hour, domain, "marked", ""))
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


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of a span of time as they stood at one moment; sums agree with each other."""

    outcomes: list[tuple[str, str, str, int]]
    """Domain ("" is mail for none of ours), fate, plugin, number; the most first."""
    hours: list[tuple[int, str, str, int]]
    """Hour (seconds since 1970 / 3600), fate, plugin, number; the oldest first."""
    watched: list[tuple[str, str, str, int]]
    """Domain, plugin on watch that would have refused, fate of the mail, number; the most first."""
    sessions: int
    """Sessions that ended, on the whole machine."""
    marked: list[tuple[str, int]] = field(default_factory=list)
    """Domain, number of mails that were delivered with a mark: what people sort into a folder."""
    marked_hours: list[tuple[int, int]] = field(default_factory=list)
    """Hour, number of those."""


def read(db: sqlite3.Connection, domain: str | None = None, since: float = 0.0) -> Tally:
    """Return the counts of one domain or of all, by whole hours: that of `since` counts from its start."""
    hour = int(since // HOUR)
    values = (hour, domain, domain)
    db.execute("BEGIN")  # one moment for all questions: the collector may write between them
    try:
        return Tally(
            db.execute(
                f"SELECT domain, fate, plugin, sum(number) FROM tally {_WHERE} AND fate NOT IN {NO_FATES}"  # noqa: S608
                " GROUP BY domain, fate, plugin ORDER BY 4 DESC, 1, 2, 3",
                values,
            ).fetchall(),
            db.execute(
                f"SELECT hour, fate, plugin, sum(number) FROM tally {_WHERE} AND fate NOT IN {NO_FATES}"  # noqa: S608
                " GROUP BY hour, fate, plugin ORDER BY hour",
                values,
            ).fetchall(),
            db.execute(
                f"SELECT domain, plugin, fate, sum(number) FROM watched {_WHERE}"  # noqa: S608
                " GROUP BY domain, plugin, fate ORDER BY 4 DESC, 1, 2, 3",
                values,
            ).fetchall(),
            db.execute(
                "SELECT coalesce(sum(number), 0) FROM tally WHERE hour >= ? AND fate = 'session'", (hour,)
            ).fetchone()[0],
            db.execute(
                f"SELECT domain, sum(number) FROM tally {_WHERE} AND fate = 'marked' GROUP BY domain",  # noqa: S608
                values,
            ).fetchall(),
            db.execute(
                f"SELECT hour, sum(number) FROM tally {_WHERE} AND fate = 'marked' GROUP BY hour",  # noqa: S608
                values,
            ).fetchall(),
        )
    finally:
        db.execute("COMMIT")


def hours(
    db: sqlite3.Connection, domain: str | None, first: int, last: int
) -> list[tuple[int, str, str, int]]:
    """Return (hour, fate, plugin, number) of one domain or of all; hours from `first` to before `last`."""
    if domain is None:
        return db.execute(
            "SELECT hour, fate, plugin, sum(number) FROM tally WHERE hour >= ? AND hour < ?"  # noqa: S608
            f" AND fate NOT IN {NO_FATES} GROUP BY hour, fate, plugin",
            (first, last),
        ).fetchall()
    # Hour by hour: the key begins with it, and a span would read the counts of every domain.
    return db.execute(
        "WITH RECURSIVE span(hour) AS (SELECT ? UNION ALL SELECT hour + 1 FROM span WHERE hour + 1 < ?)"  # noqa: S608
        " SELECT tally.hour, fate, plugin, number FROM span JOIN tally"
        f" ON tally.hour = span.hour AND domain = ? WHERE fate NOT IN {NO_FATES} AND ? < ?",
        (first, last, domain, first, last),
    ).fetchall()


def forget_domain(db: sqlite3.Connection, domain: str) -> None:
    """Delete the counts of a domain, hour by hour: the key begins with it, and the collector waits for us."""
    for table in ("tally", "watched"):
        rows = db.execute(
            f"WITH RECURSIVE span(hour) AS (SELECT min(hour) FROM {table} UNION ALL"  # noqa: S608
            f" SELECT (SELECT min(hour) FROM {table} WHERE hour > span.hour) FROM span"
            " WHERE span.hour IS NOT NULL) SELECT hour FROM span WHERE hour IS NOT NULL"
        ).fetchall()
        for (hour,) in rows:
            db.execute(f"DELETE FROM {table} WHERE hour = ? AND domain = ?", (hour, domain))  # noqa: S608
