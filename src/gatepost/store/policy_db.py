"""The policy database, write side: each change is one transaction with its row, who and when.

The rows, a version one higher and a line in the list of changes come together or not at all.
Whoever changes something may say which version he saw; if someone was faster that is a
`Conflict` with what is there now, never a silent overwriting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gatepost.policy.lists import Entry
from gatepost.store import policy_undo
from gatepost.store.base import Change, Conflict, NotFound, StoreError
from gatepost.store.policy_rows import KINDS
from gatepost.store.policy_write import PolicyWriter, as_json, unlocked
from gatepost.store.scopes import EVERYWHERE, domain_name, level_of, local_part, parse_scope, scope_of
from gatepost.store.sqlite import copy, errors_of, transaction

FILE = "policy.db"
CLOSED = "closed"
"""Stands with a removal that nobody can roll back any more, since what was left is being deleted."""
Domain = tuple[str, str | Iterable[str], Mapping[str, Any], Iterable[str]]
"""For loading: name, routes, settings, recipients."""


class PolicyStore(PolicyWriter):
    """The policy of all domains, for those who change it."""

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
        with errors_of(self.path), transaction(self.db):
            if self.domain_id(name) is not None:
                raise Conflict(f"domain:{name}", "", 0.0, {}, f"{name} is hosted already")
            self.insert_domain(name, by)
            self.set_values(name, "", values)
            return self.changed(name, "", "domain", None, {"settings": {"": values}}, by)

    def remove_domain(self, name: str, by: str = "") -> int:
        """Host a domain no longer; its settings, entries and recipients go with it."""
        name = domain_name(name)
        with errors_of(self.path), transaction(self.db):
            before, complete = self.whole_domain(name)
            self.delete_domain(name)
            return self.changed(name, "", "domain", before, None, by, complete=complete)

    # -- settings ----------------------------------------------------------------------------

    def put(self, scope: str, values: Mapping[str, Any], expect: int | None = None, by: str = "") -> int:
        """Set values (None unsets); return the version. `expect`: the version that the caller saw."""
        domain, local = parse_scope(scope)
        with errors_of(self.path), transaction(self.db):
            self.require_scope(domain)
            present = self.settings(scope)
            self.expect_version(domain, local, expect, present)
            before = {key: present.get(key) for key in values}
            after = dict(values)
            if before == after:
                return self.version()
            self.set_values(domain, local, after)
            return self.changed(domain, local, "settings", before, after, by)

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
        with errors_of(self.path), transaction(self.db):
            domain_id = self.require_domain(name)
            fresh = []
            before = []
            for local in names:
                row = self.db.execute(
                    "SELECT acl FROM recipient WHERE domain = ? AND local = ? AND kind = ?",
                    (domain_id, local, number),
                ).fetchone()
                if row is not None and row[0] == wanted:
                    continue
                if row is not None:
                    before.append([local, number, row[0]])
                fresh.append([local, number, wanted])
            if fresh:
                self.db.executemany(
                    "INSERT OR REPLACE INTO recipient (domain, local, kind, acl) VALUES (?, ?, ?, ?)",
                    ([domain_id, *row] for row in fresh),
                )
                self.changed_recipients(name, before, fresh, by)
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
        with errors_of(self.path), transaction(self.db):
            domain_id = self.require_domain(name)
            gone = []
            for local in names:
                for number in kinds:
                    gone += self.db.execute(
                        "DELETE FROM recipient WHERE domain = ? AND local = ? AND kind = ?"
                        " RETURNING local, kind, acl",
                        (domain_id, local, number),
                    ).fetchall()
            if gone:
                self.changed_recipients(name, gone, [], by)
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
        with errors_of(self.path), transaction(self.db):
            self.require_scope(domain)
            found = self.db.execute(
                "SELECT id FROM entry WHERE (domain, local, plugin, kind, field, value) = (?, ?, ?, ?, ?, ?)",
                (domain, local, plugin, kind, field, value),
            ).fetchone()
            before = None if found is None else self.entry_row(found[0])
            if before is not None:
                unlocked(before, admin)
            else:
                self.room_for_entry(domain)
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
            number = row["id"] = self.insert_entry(row)
            self.changed(domain, local, "entry", before, row, by)
        level = level_of(domain, local)
        return Entry(number, kind, field, value, plugin, level, expires, note, verified, locked)

    def remove_entry(self, entry_id: int, by: str = "", admin: bool = False) -> int:
        """Take an entry off its list; return the version."""
        with errors_of(self.path), transaction(self.db):
            before = self.entry_row(entry_id)
            if before is None:
                raise NotFound(f"there is no list entry {entry_id}")
            unlocked(before, admin)
            self.db.execute("DELETE FROM entry WHERE id = ?", (entry_id,))
            return self.changed(before["domain"], before["local"], "entry", before, None, by)

    # -- changes -----------------------------------------------------------------------------

    def changes(
        self,
        since_version: int = -1,
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
            rows = self.db.execute(
                f"SELECT {_CHANGE} FROM change WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608
                (*bound, limit),
            ).fetchall()
        return [_change(row) for row in rows]

    def change(self, change_id: int) -> Change:
        """Return one change."""
        with errors_of(self.path):
            row = self.db.execute(f"SELECT {_CHANGE} FROM change WHERE id = ?", (change_id,)).fetchone()  # noqa: S608
        if row is None:
            raise NotFound(f"there is no change {change_id}")
        return _change(row)

    def changes_of(self, domain: str) -> Iterator[Change]:
        """Yield all changes of a domain with its mailboxes, the newest first."""
        before = None
        while page := self.changes(domain=domain, limit=PAGE, before_id=before):
            yield from page
            before = page[-1].id

    def rewrite_changes(self, rows: Iterable[tuple[int, str, Any, Any, bool]]) -> None:
        """Put (id, by, before, after, complete) in the place of what stood there: somebody is erased."""
        self.db.execute("PRAGMA secure_delete = ON")
        with errors_of(self.path), transaction(self.db):
            self.db.executemany(
                "UPDATE change SET by = ?, before = ?, after = ?, complete = ? WHERE id = ?",
                [
                    (by, as_json(old), as_json(new), int(whole), number)
                    for number, by, old, new, whole in rows
                ],
            )

    def note(self, what: str, before: Any, after: Any, by: str, domain: str = EVERYWHERE) -> None:
        """Write down what somebody did that is no policy (users, tokens, kept mail); the version stays."""
        with errors_of(self.path), transaction(self.db):
            self.written_down(domain, "", what, before, after, by, self.version())

    def roll_back(self, change_id: int, by: str = "", admin: bool = False) -> int:
        """Make undone what one change did, as a change of its own; `Conflict` if someone built on it."""
        with errors_of(self.path), transaction(self.db):
            return policy_undo.roll_back(self, self.change(change_id), by, admin)

    # -- what a removed domain left ----------------------------------------------------------------

    def hosted_since(self, name: str) -> float:
        """Return when a domain was hosted (again); 0 for one that is not."""
        with errors_of(self.path):
            row = self.db.execute("SELECT created FROM domain WHERE name = ?", (name,)).fetchone()
        return 0.0 if row is None else float(row[0])

    def removal(self, name: str) -> Change | None:
        """Return how a domain was removed that is not hosted now and still has what it left behind."""
        with errors_of(self.path):
            row = self.db.execute(
                f"SELECT {_CHANGE} FROM change WHERE domain = ? AND local = ''"  # noqa: S608
                " AND what IN ('domain', 'forgotten') ORDER BY id DESC LIMIT 1",
                (name,),
            ).fetchone()
            if row is None or self.domain_id(name) is not None:
                return None
        found = _change(row)
        return found if found.what == "domain" and found.after is None else None

    def close_removal(self, name: str) -> bool:
        """Let a removal be rolled back no longer; False where the domain is hosted, or left nothing."""
        with errors_of(self.path), transaction(self.db):
            found = self.removal(name)
            if found is not None:
                self.db.execute(
                    "UPDATE change SET complete = 0 WHERE domain = ? AND what = 'domain'", (name,)
                )
                self.db.execute(
                    "UPDATE change SET before = ? WHERE id = ?",
                    (as_json({"settings": {}, CLOSED: True}), found.id),
                )
        return found is not None

    def removed_before(self, moment: float) -> list[str]:
        """Return the domains whose removal is older and which still have what they left behind."""
        with errors_of(self.path):
            rows = self.db.execute(
                "SELECT domain FROM change WHERE id IN (SELECT max(id) FROM change"
                " WHERE what IN ('domain', 'forgotten') AND local = '' GROUP BY domain)"
                " AND what = 'domain' AND after = 'null' AND time < ?"
                " AND domain NOT IN (SELECT name FROM domain) ORDER BY domain",
                (moment,),
            ).fetchall()
        return [name for (name,) in rows]

    def forget_domain(self, name: str, told: Mapping[str, Any], by: str) -> int:
        """Delete a domain's part of the list of changes; that it came and went stays, empty, and this deed.

        How much was deleted (`told`) is for administrators: the next owner reads the domain's own list.
        """
        empty = "CASE {0} WHEN 'null' THEN 'null' ELSE '{{\"settings\": {{}}}}' END"
        self.db.execute("PRAGMA secure_delete = ON")
        with errors_of(self.path), transaction(self.db):
            done = self.db.execute(
                "DELETE FROM change WHERE domain = ? AND what NOT IN ('domain', 'forgotten')", (name,)
            ).rowcount
            self.db.execute(
                f"UPDATE change SET before = {empty.format('before')}, after = {empty.format('after')},"  # noqa: S608
                " complete = 0 WHERE domain = ? AND what = 'domain'",
                (name,),
            )
            self.written_down(name, "", "forgotten", None, {}, by, self.version())
            told = {"domain": name, **told, "changes": done}
            self.written_down(EVERYWHERE, "", "forgotten", None, told, by, self.version())
        return done

    # -- files -------------------------------------------------------------------------------

    def load(self, domains: Iterable[Domain], by: str = "") -> int:
        """Host many domains at once, in one transaction with one line of change; return how many."""
        db, now = self.db, self._clock()
        number = 0
        with errors_of(self.path), transaction(db):
            for name, routes, settings, recipients in domains:
                values = dict(settings)
                values["route"] = [routes] if isinstance(routes, str) else list(routes)
                name = domain_name(name)
                domain_id = db.execute(
                    "INSERT INTO domain (name, created, created_by) VALUES (?, ?, ?)", (name, now, by)
                ).lastrowid
                self.set_values(name, "", values)
                db.executemany(
                    "INSERT OR IGNORE INTO recipient (domain, local, kind) VALUES (?, ?, 1)",
                    ((domain_id, local_part(local)) for local in recipients),
                )
                number += 1
            if number:
                self.changed(EVERYWHERE, "", "load", None, {"domains": number}, by, complete=False)
        return number

    def copy_to(self, path: Path) -> None:
        """Write a consistent, checked copy; a copy that is there already stays until the new one is whole."""
        copy(self.db, self.path, path)


PAGE = 1_000
"""Changes that are read at once."""
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
