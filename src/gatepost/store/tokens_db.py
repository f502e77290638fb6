"""Tokens of programs, in the file of the accounts: only their digests, whose they are and what they open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.store.sqlite import WRITE_WAIT, errors_of, open_database

_COLUMNS = "id, digest, name, label, rights, domains, made, expires, used"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token."""

    id: int
    digest: str
    name: str
    """Whose it is."""
    label: str
    rights: str
    """`look`, `change` or `admin`."""
    domains: tuple[str, ...]
    """Empty: all of the person's."""
    made: float
    expires: float | None
    used: float | None


class TokensStore:
    """The tokens of one installation."""

    def __init__(self, path: Path, *, wait: float = WRITE_WAIT) -> None:
        self.path = path
        self._db = open_database(path, "accounts", wait=wait)
        self._db.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def add(self, row: TokenRow) -> TokenRow:
        """Keep a new token (its number is ours to give)."""
        with errors_of(self.path):
            found = self._db.execute(
                "INSERT INTO token (digest, name, label, rights, domains, made, expires)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
                " RETURNING id, digest, name, label, rights, domains, made, expires, used",
                (row.digest, row.name, row.label, row.rights, " ".join(row.domains), row.made, row.expires),
            ).fetchone()
        return _row(found)

    def find(self, digest: str) -> TokenRow | None:
        """Return the token of a digest, None for none."""
        return self._one("digest", digest)

    def get(self, number: int) -> TokenRow | None:
        """Return a token, None where there is none."""
        return self._one("id", number)

    def listing(self, name: str | None = None) -> list[TokenRow]:
        """Return the tokens (of one person), the newest last."""
        with errors_of(self.path):
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM token WHERE ? IS NULL OR name = ? ORDER BY id",  # noqa: S608
                (name, name),
            ).fetchall()
        return [_row(row) for row in rows]

    def used(self, number: int, at: float) -> None:
        """Note that a token was used."""
        with errors_of(self.path):
            self._db.execute("UPDATE token SET used = ? WHERE id = ?", (at, number))

    def remove(self, number: int) -> bool:
        """Remove a token; False where there was none."""
        with errors_of(self.path):
            return self._db.execute("DELETE FROM token WHERE id = ?", (number,)).rowcount == 1

    def take_domain(self, domain: str) -> int:
        """Take a domain out of all tokens; one that was for it alone goes. Returns how many lost it."""
        done = 0
        for row in self.listing():
            if domain not in row.domains:
                continue
            left = " ".join(one for one in row.domains if one != domain)
            with errors_of(self.path):
                if left:
                    self._db.execute("UPDATE token SET domains = ? WHERE id = ?", (left, row.id))
                else:
                    self._db.execute("DELETE FROM token WHERE id = ?", (row.id,))
            done += 1
        return done

    def _one(self, column: str, value: Any) -> TokenRow | None:
        with errors_of(self.path):
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM token WHERE {column} = ?",  # noqa: S608
                (value,),
            ).fetchone()
        return None if row is None else _row(row)


def _row(row: tuple[Any, ...]) -> TokenRow:
    number, digest, name, label, rights, domains, made, expires, used = row
    return TokenRow(number, digest, name, label, rights, tuple(domains.split()), made, expires, used)
