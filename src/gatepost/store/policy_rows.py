"""The policy database, read side: what a snapshot asks for, by prepared selects.

One look-up in a list of a million recipients costs what one in a list of ten does: a few
microseconds in the page cache that all workers share. `data_version` sees the commits of other
processes in two microseconds, so every worker follows by looking and nobody pushes to anybody.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatepost.policy.lists import Entry
from gatepost.policy.source import DomainRows, Everywhere, RecipientRow
from gatepost.store.scopes import EVERYWHERE, level_of, parse_scope, scope_of
from gatepost.store.sqlite import errors_of, in_words

MAX_CHANGED = 1_000
"""More changed domains than this, and a follower starts anew."""
KINDS = ("invalid", "valid")
"""By their number in the database; invalid sorts first and wins."""

_HOSTED = (
    "SELECT (SELECT max(time) FROM change WHERE domain = name AND local = '' AND what = 'forgotten')"
    " FROM domain WHERE name = ?"
)
_SETTINGS = "SELECT local, key, value FROM setting WHERE domain = ?"
_ENTRY_COLUMNS = "id, kind, field, value, plugin, local, expires, note, verified, locked"
_ENTRIES = f"SELECT {_ENTRY_COLUMNS} FROM entry WHERE domain = ? ORDER BY id"  # noqa: S608
_RECIPIENT = (
    "SELECT local, kind, acl FROM recipient WHERE domain = (SELECT id FROM domain WHERE name = ?)"
    " AND local = ? ORDER BY kind LIMIT 1"
)
_SOME = (
    "SELECT local, kind, acl FROM recipient WHERE domain = (SELECT id FROM domain WHERE name = ?)"
    " AND local > ? ORDER BY local, kind LIMIT ?"
)


class PolicyReader:
    """What is in the policy database. One connection, for one process: open it after a fork."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self.path = path
        self.db = db

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    # -- what a snapshot asks (policy.source.PolicySource) ----------------------------------

    def domain(self, name: str) -> DomainRows | None:
        """Return a domain's rows, None if it is not hosted here."""
        db = self.db
        try:
            hosted = db.execute(_HOSTED, (name,)).fetchone()
            if hosted is None or name == EVERYWHERE:
                return None
            settings = db.execute(_SETTINGS, (name,)).fetchall()
            entries = db.execute(_ENTRIES, (name,)).fetchall()
        except sqlite3.Error as error:
            raise in_words(error, self.path) from error
        own: dict[str, Any] = {}
        mailboxes: dict[str, dict[str, Any]] = {}
        for local, key, value in settings:
            (mailboxes.setdefault(local, {}) if local else own)[key] = json.loads(value)
        of_domain: list[Entry] = []
        of_mailbox: dict[str, tuple[Entry, ...]] = {}
        for row in entries:
            entry = _entry(name, row)
            if entry.level == "mailbox":
                of_mailbox[row[5]] = (*of_mailbox.get(row[5], ()), entry)
            else:
                of_domain.append(entry)
        return DomainRows(name, own, tuple(of_domain), mailboxes, of_mailbox, float(hosted[0] or 0.0))

    def everywhere(self) -> Everywhere:
        """Return what is set for all domains."""
        with errors_of(self.path):
            settings = self.db.execute(_SETTINGS, (EVERYWHERE,)).fetchall()
            entries = self.db.execute(_ENTRIES, (EVERYWHERE,)).fetchall()
        return Everywhere(
            {key: json.loads(value) for _, key, value in settings},
            tuple(_entry(EVERYWHERE, row) for row in entries),
        )

    def values_of(self, key: str) -> dict[str, Any]:
        """Return scope -> value wherever a key is set; looks at every setting, so not on the way of mail."""
        with errors_of(self.path):
            rows = self.db.execute("SELECT domain, local, value FROM setting WHERE key = ?", (key,))
            return {scope_of(domain, local): json.loads(value) for domain, local, value in rows}

    def recipient(self, domain: str, local: str) -> RecipientRow | None:
        """Return what is known of a folded local part: invalid first, then itself, then the wildcard."""
        try:
            db = self.db
            row = (
                db.execute(_RECIPIENT, (domain, local)).fetchone()
                or db.execute(_RECIPIENT, (domain, "*")).fetchone()
            )
        except sqlite3.Error as error:
            raise in_words(error, self.path) from error
        return None if row is None else _recipient(row)

    def hold(self) -> None:
        """Go on with the rows as they are now: reads until `release` then take no lock each."""
        if not self.db.in_transaction:
            with errors_of(self.path):
                self.db.execute("BEGIN")

    def release(self) -> None:
        """See what others have changed."""
        if self.db.in_transaction:
            with errors_of(self.path):
                self.db.execute("COMMIT")

    def recipients_up_to(self, domain: str, limit: int) -> list[RecipientRow] | None:
        """Return all recipients of a domain, None if there are more than `limit`."""
        with errors_of(self.path):
            rows = self.db.execute(_SOME, (domain, "", limit + 1)).fetchall()
        return None if len(rows) > limit else [_recipient(row) for row in rows]

    def first_domain(self) -> str | None:
        """Return the first hosted domain by name, None if there is none."""
        with errors_of(self.path):
            row = self.db.execute("SELECT name FROM domain ORDER BY name LIMIT 1").fetchone()
        return None if row is None else row[0]

    # -- following ---------------------------------------------------------------------------

    def version(self) -> int:
        """Return the number of the policy: each change makes it one higher."""
        with errors_of(self.path):
            (number,) = self.db.execute("SELECT number FROM version").fetchone()
        return int(number)

    def follow_token(self) -> int:
        """Return a number that differs as soon as another connection has changed something."""
        try:
            (token,) = self.db.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise in_words(error, self.path) from error
        return int(token)

    def changed_domains(self, since_version: int) -> tuple[int, set[str] | None]:
        """Return the version now and the domains that changed since; None: all of them may have."""
        with errors_of(self.path):
            rows = self.db.execute(
                "SELECT DISTINCT domain FROM change WHERE version > ? LIMIT ?",
                (since_version, MAX_CHANGED + 1),
            ).fetchall()
            # Asked last: a change between the two is then seen twice and not missed.
            version = self.version()
            if version < since_version:  # another file: restored from a backup
                return version, None
        names = {row[0] for row in rows}
        if EVERYWHERE in names or len(names) > MAX_CHANGED or (version > since_version and not names):
            return version, None
        return version, names

    # -- what people ask ---------------------------------------------------------------------

    def domains(self, after: str = "", limit: int = -1) -> list[str]:
        """Return the names of the hosted domains in order, from the one behind `after` on."""
        with errors_of(self.path):
            rows = self.db.execute(
                "SELECT name FROM domain WHERE name > ? ORDER BY name LIMIT ?", (after, limit)
            ).fetchall()
        return [row[0] for row in rows]

    def settings(self, scope: str) -> dict[str, Any]:
        """Return what is set in just this scope."""
        domain, local = parse_scope(scope)
        with errors_of(self.path):
            rows = self.db.execute(
                "SELECT key, value FROM setting WHERE domain = ? AND local = ? ORDER BY key", (domain, local)
            ).fetchall()
        return {key: json.loads(value) for key, value in rows}

    def mailboxes(self, domain: str) -> list[str]:
        """Return the local parts that have settings or entries of their own."""
        with errors_of(self.path):
            rows = self.db.execute(
                "SELECT local FROM setting WHERE domain = ?1 AND local != ''"
                " UNION SELECT local FROM entry WHERE domain = ?1 AND local != '' ORDER BY 1",
                (domain,),
            ).fetchall()
        return [row[0] for row in rows]

    def recipients(self, domain: str, after: str = "", limit: int = -1) -> list[RecipientRow]:
        """Return the recipients of a domain by local part, from the one behind `after` on."""
        with errors_of(self.path):
            return [_recipient(r) for r in self.db.execute(_SOME, (domain, after, limit)).fetchall()]

    def count_recipients(self, domain: str) -> int:
        """Return how many recipients a domain has listed."""
        with errors_of(self.path):
            (number,) = self.db.execute(
                "SELECT count(*) FROM recipient WHERE domain = (SELECT id FROM domain WHERE name = ?)",
                (domain,),
            ).fetchone()
        return int(number)

    def entries(self, scope: str) -> list[Entry]:
        """Return the list entries of just this scope, the oldest first."""
        domain, local = parse_scope(scope)
        with errors_of(self.path):
            rows = self.db.execute(_ENTRIES, (domain,)).fetchall()
        return [_entry(domain, row) for row in rows if row[5] == local]


def _entry(domain: str, row: tuple[Any, ...]) -> Entry:
    number, kind, field, value, plugin, local, expires, note, verified, locked = row
    level = level_of(domain, local)
    return Entry(
        number, kind, field, value, plugin, level, expires, note, verified=bool(verified), locked=bool(locked)
    )


_PLAIN: Mapping[int, str] = dict(enumerate(KINDS))


def _recipient(row: tuple[Any, ...]) -> RecipientRow:
    local, kind, acl = row
    return RecipientRow(local, _PLAIN[kind], None if acl is None else tuple(json.loads(acl)))
