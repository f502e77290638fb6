"""Passkeys, in the file of the accounts: public keys only, so whoever reads them cannot sign in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatepost.store.sqlite import WRITE_WAIT, errors_of, open_database

_COLUMNS = "id, name, label, public_key, sign_count, made, used"


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """One passkey."""

    id: str
    """The credential's, base64url."""
    name: str
    """Whose it is."""
    label: str
    public_key: bytes
    sign_count: int
    made: float
    used: float | None = None


class PasskeysStore:
    """The passkeys of one installation."""

    def __init__(self, path: Path, *, wait: float = WRITE_WAIT) -> None:
        self.path = path
        self._db = open_database(path, "accounts", wait=wait)
        self._db.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def add(self, row: PasskeyRow) -> bool:
        """Keep a new passkey; False where its id is there already."""
        values = (row.id, row.name, row.label, row.public_key, row.sign_count, row.made, row.used)
        with errors_of(self.path):
            done = self._db.execute("INSERT OR IGNORE INTO passkey VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        return done.rowcount == 1

    def get(self, id: str) -> PasskeyRow | None:  # noqa: A002 - the field's name
        """Return a passkey, None where there is none."""
        with errors_of(self.path):
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM passkey WHERE id = ?",  # noqa: S608
                (id,),
            ).fetchone()
        return None if row is None else PasskeyRow(*row)

    def listing(self, name: str) -> list[PasskeyRow]:
        """Return somebody's passkeys, the oldest first."""
        with errors_of(self.path):
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM passkey WHERE name = ? ORDER BY made, id",  # noqa: S608
                (name,),
            ).fetchall()
        return [PasskeyRow(*row) for row in rows]

    def used(self, id: str, sign_count: int, at: float) -> None:  # noqa: A002
        """Note that a passkey was used."""
        with errors_of(self.path):
            self._db.execute("UPDATE passkey SET sign_count = ?, used = ? WHERE id = ?", (sign_count, at, id))

    def remove(self, name: str, id: str) -> bool:  # noqa: A002
        """Remove one of somebody's passkeys; False where it is none of theirs."""
        with errors_of(self.path):
            done = self._db.execute("DELETE FROM passkey WHERE id = ? AND name = ?", (id, name))
        return done.rowcount == 1
