"""Requests for a review by refused senders, in the file of the records: one for each refusal, few a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.store.sqlite import WRITE_WAIT, errors_of, open_database, transaction

OPEN = "open"
DAY = 86_400.0
_COLUMNS = (
    "id, domain, mail, recipient, sender, plugin, asked, network, contact, text, state, decided, decided_by"
)
_SOME = 500
"""Domains of one question."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One request."""

    id: int
    domain: str
    mail: str
    """The transaction's id."""
    recipient: str
    sender: str
    plugin: str
    """The check that refused it."""
    asked: float
    network: str
    """Where the request came from: the address, or the network that is counted together."""
    contact: str
    """What the stranger gave as his address; maybe ""."""
    text: str
    state: str = OPEN
    """`open`, `released`, `allowed` or `declined`."""
    decided: float | None = None
    decided_by: str = ""


class Asked(Exception):
    """There is a request for this refusal."""


class TooMany(Exception):
    """As many as may be asked in a day were asked."""


class ReviewsStore:
    """The requests of one installation."""

    def __init__(self, path: Path, *, wait: float = WRITE_WAIT) -> None:
        self.path = path
        self._db = open_database(path, "records", wait=wait)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def add(self, row: ReviewRow, *, of_network: int, of_domain: int) -> int:
        """Keep a request, durably (its number is ours to give).

        Asked: there is one for this refusal. TooMany: so many came within a day from that network or for that
        domain.
        """
        since = row.asked - DAY
        with errors_of(self.path), transaction(self._db) as db:
            place = row.domain, row.mail, row.recipient
            if db.execute(
                "SELECT 1 FROM review WHERE domain = ? AND mail = ? AND recipient = ?", place
            ).fetchone():
                raise Asked
            for column, value, most in (
                ("network", row.network, of_network),
                ("domain", row.domain, of_domain),
            ):
                (number,) = db.execute(
                    f"SELECT count(*) FROM review WHERE {column} = ? AND asked > ?",  # noqa: S608
                    (value, since),
                ).fetchone()
                if number >= most:
                    raise TooMany
            (number,) = db.execute(
                "INSERT INTO review (domain, mail, recipient, sender, plugin, asked, network, contact, text)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (*place, row.sender, row.plugin, row.asked, row.network, row.contact, row.text),
            ).fetchone()
        return int(number)

    def of_refusal(self, domain: str, mail: str, recipient: str) -> ReviewRow | None:
        """Return the request for one refusal, None where nobody asked."""
        return self._one("domain = ? AND mail = ? AND recipient = ?", (domain, mail, recipient))

    def get(self, domain: str, number: int) -> ReviewRow | None:
        """Return a request of a domain, None where there is none."""
        return self._one("domain = ? AND id = ?", (domain, number))

    def listing(
        self, domains: Sequence[str] | None, *, waiting: bool, limit: int = 50, before: int | None = None
    ) -> list[ReviewRow]:
        """Return what waits, or what was decided (of these domains; None: of all), the newest first."""
        found: list[ReviewRow] = []
        for where, values in _places(domains):
            state = "state = 'open'" if waiting else "state <> 'open'"
            with errors_of(self.path):
                rows = self._db.execute(
                    f"SELECT {_COLUMNS} FROM review WHERE {where} AND {state} AND id < ?"  # noqa: S608
                    " ORDER BY id DESC LIMIT ?",
                    (*values, before if before is not None else 1 << 62, limit),
                ).fetchall()
            found += [ReviewRow(*row) for row in rows]
        return sorted(found, key=lambda row: row.id, reverse=True)[:limit]

    def waiting(self, domains: Sequence[str] | None) -> int:
        """Return how many wait for a decision."""
        total = 0
        for where, values in _places(domains):
            with errors_of(self.path):
                (number,) = self._db.execute(
                    f"SELECT count(*) FROM review WHERE {where} AND state = 'open'",  # noqa: S608
                    values,
                ).fetchone()
            total += int(number)
        return total

    def decide(self, domain: str, number: int, state: str, by: str, at: float) -> bool:
        """Write down what was decided; False where somebody else decided before."""
        with errors_of(self.path):
            return (
                self._db.execute(
                    "UPDATE review SET state = ?, decided = ?, decided_by = ?"
                    " WHERE domain = ? AND id = ? AND state = 'open'",
                    (state, at, by, domain, number),
                ).rowcount
                == 1
            )

    def expire(self, now: float, keep_days: Callable[[str], int]) -> int:
        """Delete what is as old as the mail that it is about may become; returns how many."""
        with errors_of(self.path):
            names = [name for (name,) in self._db.execute("SELECT DISTINCT domain FROM review")]
            oldest = [(name, now - keep_days(name) * DAY) for name in names]
            return sum(
                self._db.execute("DELETE FROM review WHERE domain = ? AND asked < ?", one).rowcount
                for one in oldest
            )

    def remove(self, domain: str, numbers: Iterable[int]) -> int:
        """Delete requests of a domain for good; returns how many."""
        self._db.execute("PRAGMA secure_delete = ON")
        with errors_of(self.path), transaction(self._db):
            return sum(
                self._db.execute("DELETE FROM review WHERE domain = ? AND id = ?", (domain, one)).rowcount
                for one in numbers
            )

    def forget_domain(self, domain: str) -> int:
        """Delete all requests of a domain for good; returns how many."""
        self._db.execute("PRAGMA secure_delete = ON")
        with errors_of(self.path):
            return self._db.execute("DELETE FROM review WHERE domain = ?", (domain,)).rowcount

    def _one(self, where: str, values: tuple[Any, ...]) -> ReviewRow | None:
        with errors_of(self.path):
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM review WHERE {where}",  # noqa: S608
                values,
            ).fetchone()
        return None if row is None else ReviewRow(*row)


def _places(domains: Sequence[str] | None) -> list[tuple[str, tuple[str, ...]]]:
    """Return conditions that hold together for all of these domains."""
    if domains is None:
        return [("1", ())]
    pieces = [tuple(domains[at : at + _SOME]) for at in range(0, len(domains), _SOME)]
    return [(f"domain IN ({', '.join('?' * len(piece))})", piece) for piece in pieces]
