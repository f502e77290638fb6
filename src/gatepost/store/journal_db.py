"""The journal database: what happened to each session and each recipient, and why.

One process collects (`JournalStore.collect`); everybody may read while it does. A search goes
from the newest to the oldest with a cursor, so that a page costs the same however long the
journal is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatepost.store import journal_counts, journal_old, journal_person
from gatepost.store.base import Explanation, OutcomeRow, SessionRow
from gatepost.store.journal_collect import Collector
from gatepost.store.journal_lines import (
    outcome_line,
    read_outcome,
    read_session,
    session_line,
)
from gatepost.store.journal_search import Question, like, seek
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.sqlite import WRITE_WAIT, copy, errors_of, open_database, transaction

__all__ = ["FILE", "JournalStore", "JournalWriter", "outcome_line", "session_line"]

FILE = "journal.db"
MAX_PAGE = 1_000
"""Rows that one explanation has at most."""
PRUNE_ROWS = 5_000
"""Rows deleted in one transaction: others wait no longer than that."""
DAY = 86_400.0
_OUTCOME = "seq, time, line, trace"


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A page of outcomes, the newest first."""

    rows: list[OutcomeRow]
    after: int | None
    """Where the next page begins; None when there is nothing older."""
    whole: bool
    """False: time was up before the page was full."""
    reached: float | None = None
    """The time up to which was looked, where it was not whole."""


class JournalStore:
    """The journal of one machine."""

    def __init__(self, path: Path, *, wait: float = WRITE_WAIT) -> None:
        self.path = path
        self._db = open_database(path, "journal", wait=wait, synchronous="NORMAL")
        self._collector = Collector(self._db)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @property
    def bad(self) -> int:
        """Lines that could not be understood since this was opened."""
        return self._collector.bad

    def collect(self, folder: Path | None = None) -> int:
        """Take in all new lines of the workers (`folder`: the data directory); return how many rows."""
        with errors_of(self.path):
            return self._collector.collect(folder or self.path.parent)

    # -- reading -----------------------------------------------------------------------------

    def search(self, domain: str | None = None, *, limit: int = 50, **asked: Any) -> list[OutcomeRow]:
        """Return a page of outcomes; `asked` are a `Question`'s fields (`newer`: the oldest first).

        However long it takes: who reads page by page wants `page`.
        """
        found: list[OutcomeRow] = []
        question = Question(None if domain is None else (domain,), limit=limit, **asked)
        while True:
            page = self.page(question)
            found += page.rows
            if page.whole or len(found) >= question.limit:
                return found[:limit]
            question = replace(question, after=page.after)

    def page(self, question: Question) -> JournalPage:
        """Return what is found within `journal_search.BUDGET` seconds, the newest first."""
        with errors_of(self.path):
            found = seek(self._db, question, self._first_at)
            reached = None
            if not found.whole and found.after is not None:
                (reached,) = self._db.execute(
                    "SELECT time FROM outcome WHERE seq >= ? ORDER BY seq LIMIT 1", (found.after,)
                ).fetchone() or (None,)
        return JournalPage(_outcomes(found.rows), found.after, found.whole, reached)

    def sessions(
        self, *, text: str | None = None, after: str | None = None, limit: int = 50
    ) -> list[SessionRow]:
        """Return sessions, the newest first; `after`: the id of the last one of the page before."""
        with errors_of(self.path):
            rows = self._db.execute(
                "SELECT time, line FROM session"
                " WHERE seq < coalesce((SELECT seq FROM session WHERE id = ?), ?)"
                " AND (? IS NULL OR line LIKE ? ESCAPE '\\') ORDER BY seq DESC LIMIT ?",
                (after, 1 << 62, text, f"%{like(text or '')}%", min(limit, MAX_PAGE)),
            ).fetchall()
        return _sessions(rows)

    def explain(self, id: str) -> Explanation | None:  # noqa: A002 - the field's name everywhere
        """Return what is written down about a session's or a transaction's id, None if nothing is.

        A folded trace is taken from the like refusal that has it.
        """
        session_id, dot, _ = id.partition(".")
        with errors_of(self.path):
            found = self._db.execute("SELECT time, line FROM session WHERE id = ?", (session_id,)).fetchall()
            # "/" follows "." in ASCII: all transactions of the session.
            low, high = (id, id) if dot else (session_id, session_id + "/")
            rows = self._db.execute(
                f"SELECT {_OUTCOME} FROM outcome WHERE id >= ? AND id <= ? ORDER BY seq LIMIT ?",  # noqa: S608
                (low, high, MAX_PAGE),
            ).fetchall()
            rows = [self._unfolded(row) for row in rows]
        sessions = _sessions(found)
        if not sessions and not rows:
            return None
        return Explanation(sessions[0] if sessions else None, _outcomes(rows))

    def last_seq(self) -> int:
        """Return the cursor of the newest outcome: where following starts."""
        with errors_of(self.path):
            (seq,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM outcome").fetchone()
        return int(seq)

    def tally(self, domain: str | None = None, since: float = 0.0) -> journal_counts.Tally:
        """Return what is counted by hour, of one domain or of all; no row of the journal is read."""
        with errors_of(self.path):
            return journal_counts.read(self._db, domain, since)

    def hours(self, domain: str | None, first: int, last: int) -> list[tuple[int, str, str, int]]:
        """Return (hour, fate, plugin, number) for hours since 1970 from `first` to before `last`."""
        with errors_of(self.path):
            return journal_counts.hours(self._db, domain, first, last)

    # -- one person ---------------------------------------------------------------------------

    def naming(self, domain: str, word: str) -> Iterator[journal_person.Row]:
        """Yield the rows of a domain that hold a word in any field (ASCII: without case)."""
        with errors_of(self.path):
            yield from journal_person.naming(self._db, domain, word)

    def rewrite(self, rows: list[tuple[int, str, str]]) -> None:
        """Put (seq, line, trace) in the place of what stood there."""
        with errors_of(self.path):
            journal_person.rewrite(self._db, rows)

    # -- forgetting --------------------------------------------------------------------------

    def prune(self, now: float, keep_days: Callable[[str], int], max_rows: int = 100_000) -> int:
        """Delete what is older than each domain keeps; return how many rows (`max_rows`: call again).

        `keep_days` is asked for each domain in the journal, and for "": what belongs to none.
        """
        deleted = 0
        longest = keep_days("")
        with errors_of(self.path):
            for domain in self._domains():
                days = keep_days(domain)
                longest = max(longest, days)
                cutoff = now - days * DAY
                boundary = self._first_at(cutoff)
                deleted += self._delete(
                    "DELETE FROM outcome WHERE seq IN"
                    " (SELECT seq FROM outcome WHERE domain = ? AND seq < ? AND time < ? LIMIT ?)",
                    (domain, boundary, cutoff),
                    max_rows - deleted,
                )
            deleted += self._delete(
                "DELETE FROM session WHERE seq IN"
                " (SELECT seq FROM session WHERE seq < ? AND time < ? ORDER BY seq LIMIT ?)",
                (self._first_at(now - longest * DAY, "session"), now - longest * DAY),
                max_rows - deleted,
            )
            journal_old.age(self._db, now)
        return deleted

    def forget_domain(self, domain: str) -> int:
        """Delete all that is written down or counted of one domain; returns how many rows."""
        with errors_of(self.path):
            self._db.execute("PRAGMA secure_delete = ON")
            sql = "DELETE FROM outcome WHERE seq IN (SELECT seq FROM outcome WHERE domain = ? LIMIT ?)"
            done = self._delete(sql, (domain,), sys.maxsize)
            journal_counts.forget_domain(self._db, domain)
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return done

    def copy_to(self, path: Path) -> None:
        """Write a consistent, checked copy."""
        copy(self._db, self.path, path)

    def _delete(self, sql: str, values: tuple[Any, ...], most: int) -> int:
        deleted = 0
        while deleted < most:
            batch = min(PRUNE_ROWS, most - deleted)
            with transaction(self._db):
                number = self._db.execute(sql, (*values, batch)).rowcount
            deleted += number
            if number < batch:
                break
        return deleted

    def _domains(self) -> list[str]:
        """Return the domains in the journal, by skipping through the index."""
        rows = self._db.execute(
            "WITH RECURSIVE name(d) AS (SELECT min(domain) FROM outcome UNION ALL"
            " SELECT (SELECT min(domain) FROM outcome WHERE domain > d) FROM name WHERE d IS NOT NULL)"
            " SELECT d FROM name WHERE d IS NOT NULL"
        ).fetchall()
        return [row[0] for row in rows]

    def _first_at(self, time: float, table: str = "outcome") -> int:
        """Return the first `seq` whose time is not before `time`: rows come (nearly) in order of time."""
        (low,), (high,) = (
            self._db.execute(f"SELECT coalesce({f}(seq), 0) FROM {table}").fetchone()  # noqa: S608
            for f in ("min", "max")
        )
        high += 1
        while low < high:
            middle = (low + high) // 2
            row = self._db.execute(
                f"SELECT seq, time FROM {table} WHERE seq >= ? ORDER BY seq LIMIT 1",  # noqa: S608
                (middle,),
            ).fetchone()
            if row is None or row[1] >= time:
                high = middle
            else:
                low = row[0] + 1
        return int(low)

    def _unfolded(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        trace: str = row[3]
        if not trace.startswith("="):
            return row
        found = self._db.execute(
            f"SELECT {_OUTCOME} FROM outcome WHERE id = ? AND trace != '' AND trace NOT LIKE '=%'",  # noqa: S608
            (trace[1:],),
        ).fetchall()
        for other in found:
            if _alike(other[2]) == _alike(row[2]):
                return (*row[:3], other[3])
        return row


def _outcomes(rows: Iterable[tuple[Any, ...]]) -> list[OutcomeRow]:
    found = []
    for row in rows:
        try:
            found.append(read_outcome(*row))
        except ValueError:  # a line that only looked like one of ours
            continue
    return found


def _sessions(rows: Iterable[tuple[Any, ...]]) -> list[SessionRow]:
    found = []
    for row in rows:
        try:
            found.append(read_session(*row))
        except ValueError:
            continue
    return found


def _alike(line: str) -> list[str]:
    """Return what two refusals have in common when one's trace was folded into the other's."""
    return line.split('"', 14)[7:14:2]  # check, domain, client, reason
