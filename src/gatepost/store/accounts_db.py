"""People, their sessions and their tries to sign in, in SQLite.

Nothing here that opens a door can be read back: passwords are hashes, of a session's token only its
digest is kept. A disk that is full or a file that is damaged is a StoreError; whoever asks then denies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.store.base import Conflict, NotFound
from gatepost.store.sqlite import WRITE_WAIT, copy, errors_of, open_database, transaction

FILE = "accounts.db"
KEPT_LOGINS = 90 * 86_400
"""Seconds that a try to sign in stays written down."""
_PERSON = "name, role, password, language, zone, totp, totp_step, recovery, disabled, created"
_COLUMNS = frozenset(_PERSON.split(", ")) - {"name", "created"}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who may sign in."""

    name: str
    role: str
    password: str
    language: str = ""
    zone: str = ""
    totp: str = ""
    totp_step: int = 0
    recovery: tuple[str, ...] = ()
    disabled: bool = False
    created: float = 0.0
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session."""

    id: str
    name: str
    since: float
    seen: float
    client: str
    agent: str


@dataclass(frozen=True, slots=True)
class LoginRow:
    """One try to sign in."""

    at: float
    name: str
    client: str
    outcome: str
    """`in`, `wrong`, `code`, `limited`."""


class AccountsStore:
    """The accounts of one installation."""

    def __init__(self, path: Path, *, wait: float = WRITE_WAIT) -> None:
        self.path = path
        self._db = open_database(path, "accounts", wait=wait)
        self._db.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def copy_to(self, path: Path) -> None:
        """Write a copy of one moment, also while others write."""
        copy(self._db, self.path, path)

    # -- people ------------------------------------------------------------------------------

    def people(self) -> list[PersonRow]:
        """Return everybody, by name."""
        with errors_of(self.path):
            rows = self._db.execute(f"SELECT {_PERSON} FROM person ORDER BY name").fetchall()  # noqa: S608
            given: dict[str, list[str]] = {}
            for name, domain in self._db.execute("SELECT name, domain FROM given ORDER BY name, domain"):
                given.setdefault(name, []).append(domain)
        return [_person(row, given.get(row[0], ())) for row in rows]

    def person(self, name: str) -> PersonRow | None:
        """Return one, None for nobody."""
        with errors_of(self.path):
            row = self._db.execute(f"SELECT {_PERSON} FROM person WHERE name = ?", (name,)).fetchone()  # noqa: S608
            if row is None:
                return None
            given = self._db.execute("SELECT domain FROM given WHERE name = ? ORDER BY domain", (name,))
            return _person(row, [domain for (domain,) in given])

    def add(self, person: PersonRow) -> None:
        """Add somebody; Conflict where the name is taken."""
        with errors_of(self.path), transaction(self._db) as db:
            if db.execute("SELECT 1 FROM person WHERE name = ?", (person.name,)).fetchone():
                raise Conflict(person.name, "", 0.0, {}, f"there is a user {person.name} already")
            db.execute(
                f"INSERT INTO person ({_PERSON}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    person.name,
                    person.role,
                    person.password,
                    person.language,
                    person.zone,
                    person.totp,
                    person.totp_step,
                    " ".join(person.recovery),
                    int(person.disabled),
                    person.created,
                ),
            )
            self._give(db, person.name, person.domains)

    def change(self, name: str, values: dict[str, Any]) -> None:
        """Change columns of somebody, and `domains`; NotFound for nobody."""
        columns = {key: value for key, value in values.items() if key != "domains"}
        assert columns.keys() <= _COLUMNS, columns.keys()
        if "recovery" in columns:
            columns["recovery"] = " ".join(columns["recovery"])
        with errors_of(self.path), transaction(self._db) as db:
            if not db.execute("SELECT 1 FROM person WHERE name = ?", (name,)).fetchone():
                raise NotFound(f"there is no user {name}")
            for column, value in columns.items():
                db.execute(f"UPDATE person SET {column} = ? WHERE name = ?", (value, name))  # noqa: S608
            if "domains" in values:
                self._give(db, name, values["domains"])

    def use_step(self, name: str, step: int) -> bool:
        """Take a step of a one-time code as used; False where it (or a later one) was used before."""
        with errors_of(self.path):
            done = self._db.execute(
                "UPDATE person SET totp_step = ? WHERE name = ? AND totp_step < ?", (step, name, step)
            )
        return done.rowcount == 1

    def use_recovery(self, name: str, digest: str) -> bool:
        """Take a recovery code as used; False where there is no such code."""
        with errors_of(self.path), transaction(self._db) as db:
            row = db.execute("SELECT recovery FROM person WHERE name = ?", (name,)).fetchone()
            left = row[0].split() if row else []
            if digest not in left:
                return False
            left.remove(digest)
            db.execute("UPDATE person SET recovery = ? WHERE name = ?", (" ".join(left), name))
        return True

    def remove(self, name: str) -> None:
        """Remove somebody with all sessions; NotFound for nobody."""
        with errors_of(self.path), transaction(self._db) as db:
            if not db.execute("DELETE FROM person WHERE name = ?", (name,)).rowcount:
                raise NotFound(f"there is no user {name}")

    def _give(self, db: sqlite3.Connection, name: str, domains: Iterable[str]) -> None:
        db.execute("DELETE FROM given WHERE name = ?", (name,))
        db.executemany(
            "INSERT INTO given (name, domain) VALUES (?, ?)", [(name, one) for one in sorted(set(domains))]
        )

    def take_domain(self, domain: str) -> list[str]:
        """Take a domain from everybody; returns whose it was."""
        with errors_of(self.path):
            rows = self._db.execute("DELETE FROM given WHERE domain = ? RETURNING name", (domain,)).fetchall()
        return sorted(name for (name,) in rows)

    # -- sessions ----------------------------------------------------------------------------

    def begin(self, session: SessionRow) -> None:
        """Keep a new session."""
        values = (session.id, session.name, session.since, session.seen, session.client, session.agent)
        with errors_of(self.path):
            self._db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", values)

    def session(self, id: str) -> SessionRow | None:  # noqa: A002 - the field's name
        """Return a session, None if there is none."""
        with errors_of(self.path):
            row = self._db.execute("SELECT * FROM session WHERE id = ?", (id,)).fetchone()
        return None if row is None else SessionRow(*row)

    def sessions(self, name: str) -> list[SessionRow]:
        """Return somebody's sessions, the last used first."""
        with errors_of(self.path):
            rows = self._db.execute("SELECT * FROM session WHERE name = ? ORDER BY seen DESC", (name,))
            return [SessionRow(*row) for row in rows.fetchall()]

    def seen(self, id: str, at: float) -> None:  # noqa: A002
        """Note that a session was used."""
        with errors_of(self.path):
            self._db.execute("UPDATE session SET seen = ? WHERE id = ?", (at, id))

    def end(self, id: str) -> None:  # noqa: A002
        """End a session; it may have ended already."""
        with errors_of(self.path):
            self._db.execute("DELETE FROM session WHERE id = ?", (id,))

    def end_all(self, name: str, but: str = "") -> int:
        """End all of somebody's sessions but one; returns how many ended."""
        with errors_of(self.path):
            done = self._db.execute("DELETE FROM session WHERE name = ? AND id != ?", (name, but))
        return done.rowcount

    # -- tries -------------------------------------------------------------------------------

    def failures(self, key: str, since: float) -> tuple[int, float]:
        """Return how often signing in failed for an account or network since then, and when first."""
        with errors_of(self.path):
            number, first = self._db.execute(
                "SELECT count(*), min(at) FROM failure WHERE key = ? AND at > ?", (key, since)
            ).fetchone()
        return int(number), float(first or 0.0)

    def failed(self, keys: Iterable[str], at: float, forget: float) -> None:
        """Count a failed try; those before `forget` are forgotten."""
        with errors_of(self.path), transaction(self._db) as db:
            db.execute("DELETE FROM failure WHERE at < ?", (forget,))
            db.executemany("INSERT INTO failure (key, at) VALUES (?, ?)", [(key, at) for key in keys])

    def forgive(self, key: str) -> None:
        """Forget an account's failed tries."""
        with errors_of(self.path):
            self._db.execute("DELETE FROM failure WHERE key = ?", (key,))

    def write_down(self, login: LoginRow) -> None:
        """Write down a try, for people."""
        with errors_of(self.path), transaction(self._db) as db:
            db.execute("DELETE FROM login WHERE at < ?", (login.at - KEPT_LOGINS,))
            db.execute(
                "INSERT INTO login (at, name, client, outcome) VALUES (?, ?, ?, ?)",
                (login.at, login.name, login.client, login.outcome),
            )

    def logins(self, name: str | None = None, limit: int = 50) -> list[LoginRow]:
        """Return the last tries, of one name or of all, the newest first."""
        with errors_of(self.path):
            rows = self._db.execute(
                "SELECT at, name, client, outcome FROM login WHERE ? IS NULL OR name = ?"
                " ORDER BY id DESC LIMIT ?",
                (name, name, limit),
            ).fetchall()
        return [LoginRow(*row) for row in rows]


def _person(row: tuple[Any, ...], domains: Iterable[str]) -> PersonRow:
    name, role, password, language, zone, totp, step, recovery, disabled, created = row
    return PersonRow(
        name, role, password, language, zone, totp, step, tuple(recovery.split()), bool(disabled), created,
        tuple(domains),
    )  # fmt: skip
