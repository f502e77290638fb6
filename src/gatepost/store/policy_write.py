"""The rows of the policy, as they are written inside a transaction of the caller's.

Every change ends with `changed`: the version one higher, and who, when, from and to. What is said
here is said to the two who write policies, `policy_db` and `policy_undo`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gatepost.store.base import Conflict, NotFound, Refused, StoreDamaged, StoreError
from gatepost.store.policy_rows import PolicyReader
from gatepost.store.scopes import EVERYWHERE, scope_of
from gatepost.store.sqlite import WRITE_WAIT, open_database

LAST_GOOD = "policy.last-good.db"
"""Beside the policy: a checked copy, made after each change."""

WRITTEN_DOWN = 5_000
"""Recipients that one change writes down whole; a larger change cannot be rolled back."""
MOST_ENTRIES = 50_000
"""List entries of one domain with its mailboxes: whoever decides about its mail holds them all."""
ENTRY = (
    "id",
    "domain",
    "local",
    "plugin",
    "kind",
    "field",
    "value",
    "expires",
    "note",
    "verified",
    "locked",
    "created",
    "created_by",
)


def is_there(path: Path) -> bool:
    """Return whether there is a file with something in it."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _must_not_be_lost(path: Path) -> None:
    """StoreDamaged where a policy was here and is gone: an empty one in its place would hide the loss."""
    good = path.with_name(LAST_GOOD)
    if is_there(good) and not is_there(path):
        raise StoreDamaged(
            f"{path} does not exist, or is empty; restore it from a backup: gatepost restore FILE"
            f" (or copy {good} to its place)"
        )


class PolicyWriter(PolicyReader):
    """Rows in, rows out; no transaction of its own."""

    def __init__(
        self, path: Path, *, wait: float = WRITE_WAIT, clock: Callable[[], float] = time.time
    ) -> None:
        _must_not_be_lost(path)
        super().__init__(path, open_database(path, "policy", wait=wait))
        self._clock = clock

    def now(self) -> float:
        """Return the time under which changes are written down."""
        return self._clock()

    def domain_id(self, name: str) -> int | None:
        """Return the number of a hosted domain, None if it is none."""
        row = self.db.execute("SELECT id FROM domain WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def require_domain(self, name: str) -> int:
        """Return the number of a hosted domain; NotFound if it is none."""
        found = self.domain_id(name)
        if found is None:
            raise NotFound(f"{name} is not hosted here")
        return found

    def require_scope(self, domain: str) -> None:
        """NotFound if the domain of a scope is not hosted."""
        if domain != EVERYWHERE:
            self.require_domain(domain)

    def insert_domain(self, name: str, by: str) -> int:
        """Host a domain; return its number."""
        done = self.db.execute(
            "INSERT INTO domain (name, created, created_by) VALUES (?, ?, ?)", (name, self._clock(), by)
        )
        assert done.lastrowid is not None
        return done.lastrowid

    def delete_domain(self, name: str) -> None:
        """Delete a domain with everything that is its own."""
        db = self.db
        db.execute("DELETE FROM recipient WHERE domain = ?", (self.require_domain(name),))
        for table in ("setting", "entry", "from_file"):
            db.execute(f"DELETE FROM {table} WHERE domain = ?", (name,))  # noqa: S608
        db.execute("DELETE FROM domain WHERE name = ?", (name,))

    def whole_domain(self, name: str) -> tuple[dict[str, Any], bool]:
        """Return everything of a domain, and whether that is really everything."""
        domain_id = self.require_domain(name)
        settings: dict[str, dict[str, Any]] = {"": self.settings(f"domain:{name}")}
        for local in self.mailboxes(name):
            settings[local] = self.settings(f"mailbox:{local}@{name}")
        ids = self.db.execute("SELECT id FROM entry WHERE domain = ? ORDER BY id", (name,)).fetchall()
        recipients = self.db.execute(
            "SELECT local, kind, acl FROM recipient WHERE domain = ? LIMIT ?",
            (domain_id, 10 * WRITTEN_DOWN + 1),
        ).fetchall()
        complete = len(recipients) <= 10 * WRITTEN_DOWN
        whole = {
            "settings": settings,
            "entries": [self.entry_row(row[0]) for row in ids],
            "recipients": recipients if complete else [],
        }
        return whole, complete

    def set_values(self, domain: str, local: str, values: Mapping[str, Any]) -> None:
        """Set values in one scope; None unsets."""
        for key, value in values.items():
            if value is None:
                self.db.execute(
                    "DELETE FROM setting WHERE (domain, local, key) = (?, ?, ?)", (domain, local, key)
                )
            else:
                self.db.execute(
                    "INSERT OR REPLACE INTO setting (domain, local, key, value) VALUES (?, ?, ?, ?)",
                    (domain, local, key, as_json(value)),
                )

    def room_for_entry(self, domain: str) -> None:
        """Refused if a domain has as many list entries as it may have."""
        (number,) = self.db.execute("SELECT count(*) FROM entry WHERE domain = ?", (domain,)).fetchone()
        if domain != EVERYWHERE and number >= MOST_ENTRIES:
            raise Refused(f"{domain} has {number} list entries, {MOST_ENTRIES} is the most")

    def insert_entry(self, row: Mapping[str, Any]) -> int:
        """Write a list entry, over one with the same number; return its number."""
        columns = ", ".join(ENTRY)
        marks = ", ".join("?" for _ in ENTRY)
        done = self.db.execute(
            f"INSERT OR REPLACE INTO entry ({columns}) VALUES ({marks})",  # noqa: S608
            [row[column] for column in ENTRY],
        )
        assert done.lastrowid is not None
        return done.lastrowid

    def entry_row(self, entry_id: int) -> dict[str, Any] | None:
        """Return a list entry with all its columns."""
        row = self.db.execute(
            f"SELECT {', '.join(ENTRY)} FROM entry WHERE id = ?",  # noqa: S608
            (entry_id,),
        ).fetchone()
        return None if row is None else dict(zip(ENTRY, row, strict=True))

    def expect_version(
        self, domain: str, local: str | None, expect: int | None, present: Mapping[str, Any]
    ) -> None:
        """`Conflict` if the settings of this scope (local None: anything of the domain) changed since."""
        if expect is None:
            return
        where, values = "", [domain]
        if local is not None:
            where, values = "AND local = ? AND what IN ('settings', 'domain')", [domain, local]
        row = self.db.execute(
            f"SELECT version, by, time FROM change WHERE domain = ? {where} ORDER BY id DESC LIMIT 1",  # noqa: S608
            values,
        ).fetchone()
        if row is not None and row[0] > expect:
            raise Conflict(scope_of(domain, local or ""), row[1], row[2], present)

    def changed_recipients(self, name: str, before: list[Any], after: list[Any], by: str) -> None:
        """Write down that recipients went (`before`) and came (`after`)."""
        complete = len(before) + len(after) <= WRITTEN_DOWN
        if complete:
            self.changed(name, "", "recipients", before, after, by)
        else:
            self.changed(name, "", "recipients", len(before), len(after), by, complete=False)

    def changed(
        self,
        domain: str,
        local: str,
        what: str,
        before: Any,
        after: Any,
        by: str,
        *,
        undoes: int | None = None,
        complete: bool = True,
    ) -> int:
        """Make the version one higher and write the change down; return the version."""
        (version,) = self.db.execute("UPDATE version SET number = number + 1 RETURNING number").fetchone()
        self.written_down(domain, local, what, before, after, by, version, undoes=undoes, complete=complete)
        return int(version)

    def written_down(
        self,
        domain: str,
        local: str,
        what: str,
        before: Any,
        after: Any,
        by: str,
        version: int,
        *,
        undoes: int | None = None,
        complete: bool = True,
    ) -> None:
        """Write one line into the list of changes."""
        self.db.execute(
            "INSERT INTO change (version, time, by, domain, local, what, before, after, undoes, complete)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                version,
                self._clock(),
                by,
                domain,
                local,
                what,
                as_json(before),
                as_json(after),
                undoes,
                int(complete),
            ),
        )


def as_json(value: Any) -> str:
    """Return a value as it is kept; StoreError if JSON has no such thing."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise StoreError(f"a value is not what JSON has: {error}") from None


def unlocked(entry: Mapping[str, Any], admin: bool) -> None:
    """Refused if an entry is locked and it is not an administrator who would change it."""
    if entry["locked"] and not admin:
        raise Refused(f"list entry {entry['id']} is locked by an administrator")
