"""The policy database, write side: each change is one transaction with its row, who and when.

The rows, a version one higher and a line in the list of changes come together or not at all.
Whoever changes something may say which version he saw; if someone was faster that is a
`Conflict` with what is there now, never a silent overwriting.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gatepost.policy.lists import Entry
from gatepost.store import policy_undo
from gatepost.store.base import Change, Conflict, NotFound, StoreError
from gatepost.store.policy_rows import KINDS, PolicyReader
from gatepost.store.scopes import EVERYWHERE, domain_name, level_of, local_part, parse_scope, scope_of
from gatepost.store.sqlite import WRITE_WAIT, copy, errors_of, open_database, transaction

FILE = "policy.db"
WRITTEN_DOWN = 5_000
"""Recipients that one change writes down whole; a larger change cannot be rolled back."""

Domain = tuple[str, str | Iterable[str], Mapping[str, Any], Iterable[str]]
"""For loading: name, routes, settings, recipients."""


class PolicyStore(PolicyReader):
    """The policy of all domains, for those who change it."""

    def __init__(
        self, path: Path, *, wait: float = WRITE_WAIT, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(path, open_database(path, "policy", wait=wait))
        self._clock = clock

    # -- domains -----------------------------------------------------------------------------

    def add_domain(
        self,
        name: str,
        routes: str | Iterable[str] = (),
        settings: Mapping[str, Any] | None = None,
        by: str = "",
    ) -> int:
        """Host a domain from now on; return the version."""
        name = domain_name(name)
        values = dict(settings or {})
        listed = [routes] if isinstance(routes, str) else list(routes)
        if listed:
            values["route"] = listed
        with errors_of(self.path), transaction(self._db):
            if self._domain_id(name) is not None:
                raise Conflict(f"domain:{name}", "", 0.0, {}, f"{name} is hosted already")
            self._insert_domain(name, by)
            self._set(name, "", values)
            return self._changed(name, "", "domain", None, {"settings": {"": values}}, by)

    def remove_domain(self, name: str, by: str = "") -> int:
        """Host a domain no longer; its settings, entries and recipients go with it."""
        name = domain_name(name)
        with errors_of(self.path), transaction(self._db):
            before, complete = self._whole_domain(name)
            self._delete_domain(name)
            return self._changed(name, "", "domain", before, None, by, complete=complete)

    # -- settings ----------------------------------------------------------------------------

    def put(self, scope: str, values: Mapping[str, Any], expect: int | None = None, by: str = "") -> int:
        """Set values (None unsets); return the version. `expect`: the version that the caller saw."""
        domain, local = parse_scope(scope)
        with errors_of(self.path), transaction(self._db):
            self._require(domain)
            present = self.settings(scope)
            self._expect(domain, local, expect, present)
            before = {key: present.get(key) for key in values}
            after = dict(values)
            if before == after:
                return self.version()
            self._set(domain, local, after)
            return self._changed(domain, local, "settings", before, after, by)

    def unset(self, scope: str, keys: Iterable[str], expect: int | None = None, by: str = "") -> int:
        """Let the values of farther levels hold again."""
        return self.put(scope, dict.fromkeys(keys), expect, by)

    # -- recipients --------------------------------------------------------------------------

    def add_recipients(
        self,
        domain: str,
        locals: Iterable[str],  # noqa: A002 - the mail word for them
        kind: str = "valid",
        acl: Iterable[str] | None = None,
        by: str = "",
    ) -> int:
        """List local parts (`*` is everybody) as valid or invalid; return how many were new or changed."""
        if kind not in KINDS:
            raise StoreError(f"{kind!r} is neither valid nor invalid")
        name = domain_name(domain)
        names = list(dict.fromkeys(local_part(text) for text in locals))
        wanted = None if acl is None else json.dumps(list(acl))
        number = KINDS.index(kind)
        with errors_of(self.path), transaction(self._db):
            domain_id = self._require_domain(name)
            fresh = []
            before = []
            for local in names:
                row = self._db.execute(
                    "SELECT acl FROM recipient WHERE domain = ? AND local = ? AND kind = ?",
                    (domain_id, local, number),
                ).fetchone()
                if row is not None and row[0] == wanted:
                    continue
                if row is not None:
                    before.append([local, number, row[0]])
                fresh.append([local, number, wanted])
            if fresh:
                self._db.executemany(
                    "INSERT OR REPLACE INTO recipient (domain, local, kind, acl) VALUES (?, ?, ?, ?)",
                    ([domain_id, *row] for row in fresh),
                )
                self._changed_recipients(name, before, fresh, by)
        return len(fresh)

    def remove_recipients(
        self,
        domain: str,
        locals: Iterable[str],  # noqa: A002 - the mail word for them
        kind: str | None = None,
        by: str = "",
    ) -> int:
        """Take local parts off the list (of one kind, or of both); return how many rows went."""
        name = domain_name(domain)
        names = list(dict.fromkeys(local_part(text) for text in locals))
        kinds = [KINDS.index(kind)] if kind is not None else list(range(len(KINDS)))
        with errors_of(self.path), transaction(self._db):
            domain_id = self._require_domain(name)
            gone = []
            for local in names:
                for number in kinds:
                    gone += self._db.execute(
                        "DELETE FROM recipient WHERE domain = ? AND local = ? AND kind = ?"
                        " RETURNING local, kind, acl",
                        (domain_id, local, number),
                    ).fetchall()
            if gone:
                self._changed_recipients(name, gone, [], by)
        return len(gone)

    # -- list entries ------------------------------------------------------------------------

    def add_entry(
        self,
        scope: str,
        kind: str,
        field: str,
        value: str,
        *,
        plugin: str = "",
        expires: float | None = None,
        note: str = "",
        verified: bool = False,
        locked: bool = False,
        by: str = "",
        admin: bool = False,
    ) -> Entry:
        """Put an entry (field and value as `parse_entry` gives them) on a list; the same one is renewed.

        `admin`: may change entries that are locked.
        """
        domain, local = parse_scope(scope)
        with errors_of(self.path), transaction(self._db):
            self._require(domain)
            found = self._db.execute(
                "SELECT id FROM entry WHERE (domain, local, plugin, kind, field, value) = (?, ?, ?, ?, ?, ?)",
                (domain, local, plugin, kind, field, value),
            ).fetchone()
            before = None if found is None else self._entry_row(found[0])
            if before is not None:
                _unlocked(before, admin)
            row = {
                "id": None if found is None else found[0],
                "domain": domain,
                "local": local,
                "plugin": plugin,
                "kind": kind,
                "field": field,
                "value": value,
                "expires": expires,
                "note": note,
                "verified": int(verified),
                "locked": int(locked),
                "created": self._clock(),
                "created_by": by,
            }
            number = row["id"] = self._insert_entry(row)
            self._changed(domain, local, "entry", before, row, by)
        level = level_of(domain, local)
        return Entry(number, kind, field, value, plugin, level, expires, note, verified, locked)

    def remove_entry(self, entry_id: int, by: str = "", admin: bool = False) -> int:
        """Take an entry off its list; return the version."""
        with errors_of(self.path), transaction(self._db):
            before = self._entry_row(entry_id)
            if before is None:
                raise NotFound(f"there is no list entry {entry_id}")
            _unlocked(before, admin)
            self._db.execute("DELETE FROM entry WHERE id = ?", (entry_id,))
            return self._changed(before["domain"], before["local"], "entry", before, None, by)

    # -- changes -----------------------------------------------------------------------------

    def changes(
        self,
        since_version: int = 0,
        domain: str | None = None,
        limit: int = 200,
        before_id: int | None = None,
    ) -> list[Change]:
        """Return changes behind a version, the newest first; of one domain with its mailboxes if named."""
        where, values = "version > ?", [since_version]
        bound: list[Any] = list(values)
        if domain is not None:
            where += " AND domain = ?"
            bound.append(EVERYWHERE if domain == "all" else domain_name(domain))
        if before_id is not None:
            where += " AND id < ?"
            bound.append(before_id)
        with errors_of(self.path):
            rows = self._db.execute(
                f"SELECT {_CHANGE} FROM change WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608
                (*bound, limit),
            ).fetchall()
        return [_change(row) for row in rows]

    def change(self, change_id: int) -> Change:
        """Return one change."""
        with errors_of(self.path):
            row = self._db.execute(f"SELECT {_CHANGE} FROM change WHERE id = ?", (change_id,)).fetchone()  # noqa: S608
        if row is None:
            raise NotFound(f"there is no change {change_id}")
        return _change(row)

    def roll_back(self, change_id: int, by: str = "", admin: bool = False) -> int:
        """Make undone what one change did, as a change of its own; `Conflict` if someone built on it."""
        with errors_of(self.path), transaction(self._db):
            return policy_undo.roll_back(self, self.change(change_id), by, admin)

    # -- files -------------------------------------------------------------------------------

    def load(self, domains: Iterable[Domain], by: str = "") -> int:
        """Host many domains at once, in one transaction with one line of change; return how many."""
        db, now = self._db, self._clock()
        number = 0
        with errors_of(self.path), transaction(db):
            for name, routes, settings, recipients in domains:
                values = dict(settings)
                values["route"] = [routes] if isinstance(routes, str) else list(routes)
                name = domain_name(name)
                domain_id = db.execute(
                    "INSERT INTO domain (name, created, created_by) VALUES (?, ?, ?)", (name, now, by)
                ).lastrowid
                self._set(name, "", values)
                db.executemany(
                    "INSERT OR IGNORE INTO recipient (domain, local, kind) VALUES (?, ?, 1)",
                    ((domain_id, local_part(local)) for local in recipients),
                )
                number += 1
            if number:
                self._changed(EVERYWHERE, "", "load", None, {"domains": number}, by, complete=False)
        return number

    def copy_to(self, path: Path) -> None:
        """Write a consistent, checked copy; a copy that is there already stays until the new one is whole."""
        copy(self._db, self.path, path)

    # -- rows (also used by policy_undo) -------------------------------------------------------

    def _domain_id(self, name: str) -> int | None:
        row = self._db.execute("SELECT id FROM domain WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def _require_domain(self, name: str) -> int:
        found = self._domain_id(name)
        if found is None:
            raise NotFound(f"{name} is not hosted here")
        return found

    def _require(self, domain: str) -> None:
        if domain != EVERYWHERE:
            self._require_domain(domain)

    def _insert_domain(self, name: str, by: str) -> int:
        done = self._db.execute(
            "INSERT INTO domain (name, created, created_by) VALUES (?, ?, ?)", (name, self._clock(), by)
        )
        assert done.lastrowid is not None
        return done.lastrowid

    def _delete_domain(self, name: str) -> None:
        db = self._db
        db.execute("DELETE FROM recipient WHERE domain = ?", (self._require_domain(name),))
        for table in ("setting", "entry"):
            db.execute(f"DELETE FROM {table} WHERE domain = ?", (name,))  # noqa: S608
        db.execute("DELETE FROM domain WHERE name = ?", (name,))

    def _whole_domain(self, name: str) -> tuple[dict[str, Any], bool]:
        """Return everything of a domain, and whether that is really everything."""
        domain_id = self._require_domain(name)
        settings: dict[str, dict[str, Any]] = {"": self.settings(f"domain:{name}")}
        for local in self.mailboxes(name):
            settings[local] = self.settings(f"mailbox:{local}@{name}")
        ids = self._db.execute("SELECT id FROM entry WHERE domain = ? ORDER BY id", (name,)).fetchall()
        recipients = self._db.execute(
            "SELECT local, kind, acl FROM recipient WHERE domain = ? LIMIT ?",
            (domain_id, 10 * WRITTEN_DOWN + 1),
        ).fetchall()
        complete = len(recipients) <= 10 * WRITTEN_DOWN
        whole = {
            "settings": settings,
            "entries": [self._entry_row(row[0]) for row in ids],
            "recipients": recipients if complete else [],
        }
        return whole, complete

    def _set(self, domain: str, local: str, values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            if value is None:
                self._db.execute(
                    "DELETE FROM setting WHERE (domain, local, key) = (?, ?, ?)", (domain, local, key)
                )
            else:
                self._db.execute(
                    "INSERT OR REPLACE INTO setting (domain, local, key, value) VALUES (?, ?, ?, ?)",
                    (domain, local, key, _json(value)),
                )

    def _insert_entry(self, row: Mapping[str, Any]) -> int:
        columns = ", ".join(_ENTRY)
        marks = ", ".join("?" for _ in _ENTRY)
        done = self._db.execute(
            f"INSERT OR REPLACE INTO entry ({columns}) VALUES ({marks})",  # noqa: S608
            [row[column] for column in _ENTRY],
        )
        assert done.lastrowid is not None
        return done.lastrowid

    def _entry_row(self, entry_id: int) -> dict[str, Any] | None:
        row = self._db.execute(
            f"SELECT {', '.join(_ENTRY)} FROM entry WHERE id = ?",  # noqa: S608
            (entry_id,),
        ).fetchone()
        return None if row is None else dict(zip(_ENTRY, row, strict=True))

    def _expect(self, domain: str, local: str, expect: int | None, present: Mapping[str, Any]) -> None:
        if expect is None:
            return
        row = self._db.execute(
            "SELECT version, by, time FROM change WHERE domain = ? AND local = ?"
            " AND what IN ('settings', 'domain') ORDER BY id DESC LIMIT 1",
            (domain, local),
        ).fetchone()
        if row is not None and row[0] > expect:
            raise Conflict(scope_of(domain, local), row[1], row[2], present)

    def _changed_recipients(self, name: str, before: list[Any], after: list[Any], by: str) -> None:
        complete = len(before) + len(after) <= WRITTEN_DOWN
        if complete:
            self._changed(name, "", "recipients", before, after, by)
        else:
            self._changed(name, "", "recipients", len(before), len(after), by, complete=False)

    def _changed(
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
        db = self._db
        (version,) = db.execute("UPDATE version SET number = number + 1 RETURNING number").fetchone()
        db.execute(
            "INSERT INTO change (version, time, by, domain, local, what, before, after, undoes, complete)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                version,
                self._clock(),
                by,
                domain,
                local,
                what,
                _json(before),
                _json(after),
                undoes,
                int(complete),
            ),
        )
        return int(version)


_ENTRY = (
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
_CHANGE = "id, version, time, by, domain, local, what, before, after, undoes, complete"


def _change(row: tuple[Any, ...]) -> Change:
    number, version, when, by, domain, local, what, before, after, undoes, complete = row
    return Change(
        number,
        version,
        when,
        by,
        scope_of(domain, local),
        what,
        json.loads(before),
        json.loads(after),
        undoes,
        bool(complete),
    )


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise StoreError(f"a value is not what JSON has: {error}") from None


def _unlocked(entry: Mapping[str, Any], admin: bool) -> None:
    if entry["locked"] and not admin:
        raise StoreError(f"list entry {entry['id']} is locked by an administrator")
