"""The policy as rows that a tree of files says: bring them in, and take out what it no longer says.

A row is a key and a value: `("setting", local, key)`, `("recipient", local, kind)` -> networks or None,
`("entry", local, plugin, kind, field, value)` -> what else it says, `("kept", name)`. What came from
files is written down in `from_file` with what stood there before, in the same transaction: so a file
that goes takes its own row with it and gives a person's back, and nothing that a person entered is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.store.policy_rows import KINDS
from gatepost.store.policy_write import PolicyWriter, as_json
from gatepost.store.scopes import EVERYWHERE
from gatepost.store.sqlite import errors_of, transaction

Key = tuple[str, ...]
Rows = Mapping[Key, Any]
DOMAIN: Key = ("domain",)
"""In `from_file`: the domain itself is hosted because the tree has it."""
MARKS = ("expires", "note", "verified", "locked")
NO_MARKS: Mapping[str, Any] = {"expires": None, "note": "", "verified": False, "locked": False}


@dataclass(slots=True)
class Brought:
    """How many rows came, were replaced and went."""

    added: int = 0
    replaced: int = 0
    removed: int = 0
    hosted: bool = False
    """The domain is new."""

    def __bool__(self) -> bool:
        return bool(self.added or self.replaced or self.removed or self.hosted)


def rows_of(store: PolicyWriter, domain: str) -> dict[Key, Any]:
    """Return everything that stands in the policy of a domain (`*`: of all domains)."""
    db = store.db
    with errors_of(store.path):
        rows: dict[Key, Any] = {
            ("setting", local, key): json.loads(value)
            for local, key, value in db.execute(
                "SELECT local, key, value FROM setting WHERE domain = ?", (domain,)
            )
        }
        for local, kind, acl in db.execute(
            "SELECT local, kind, acl FROM recipient WHERE domain = (SELECT id FROM domain WHERE name = ?)",
            (domain,),
        ):
            rows["recipient", local, KINDS[kind]] = None if acl is None else json.loads(acl)
        for *key, expires, note, verified, locked in db.execute(
            "SELECT local, plugin, kind, field, value, expires, note, verified, locked"
            " FROM entry WHERE domain = ?",
            (domain,),
        ):
            marks = (expires, note, bool(verified), bool(locked))
            rows["entry", *key] = dict(zip(MARKS, marks, strict=True))
        rows |= {key: value for key, (value, _) in _from_files(store, domain).items() if key[0] == "kept"}
    return rows


def followed(store: PolicyWriter) -> set[str]:
    """Return the domains (`*`: all) of which something came from files."""
    with errors_of(store.path):
        return {row[0] for row in store.db.execute("SELECT DISTINCT domain FROM from_file")}


def said_by_files(store: PolicyWriter, domain: str) -> dict[Key, Any]:
    """Return the rows of a domain that are there because files say so; `DOMAIN` among them."""
    with errors_of(store.path):
        return {key: value for key, (value, _) in _from_files(store, domain).items()}


def edited_since(store: PolicyWriter, version: int, by: str) -> tuple[int, set[str]]:
    """Return the version now, and the domains that somebody else than `by` changed since another."""
    with errors_of(store.path):
        newest = store.version()  # asked first: what comes between the two questions is then told twice
        rows = store.db.execute(
            "SELECT DISTINCT domain FROM change WHERE version > ? AND by != ?", (version, by)
        ).fetchall()
    return newest, {row[0] for row in rows}


def bring(
    store: PolicyWriter, domain: str, rows: Rows, by: str,
    *, follow: bool = False, remove: bool = False, host: bool = True,
) -> Brought:  # fmt: skip
    """Write what files say about a domain, in one transaction.

    `host`: the domain is hosted if it was not; else NotFound (somebody may have removed it this moment).
    `follow`: what is written belongs to the files, and a person's own recipients and entries stay as
    they are (a setting is what the file says while it is there). `remove`: what belongs to the files
    and is no longer said goes.
    """
    done = Brought()
    with errors_of(store.path), transaction(store.db):
        if not host:
            store.require_scope(domain)
        if domain != EVERYWHERE and store.domain_id(domain) is None:
            store.insert_domain(domain, by)
            done.hosted = True
            if follow:
                _own(store, domain, DOMAIN, None, None)
        present = rows_of(store, domain)
        owned = _from_files(store, domain)
        for key, value in rows.items():
            there = key in present
            mine = key in owned
            if there and (present[key] == value or (follow and not mine and key[0] != "setting")):
                continue
            if follow or key[0] == "kept":
                before = owned[key][1] if mine else as_json(present[key]) if there else None
                _own(store, domain, key, value, before)
            _write(store, domain, key, value, by)
            done.replaced += there
            done.added += not there
        if remove:
            for key in owned.keys() - rows.keys() - {DOMAIN}:
                said, before = owned[key]
                if key[0] == "kept" or (key in present and present[key] == said):
                    if before is None:
                        _delete(store, domain, key)
                    else:
                        _write(store, domain, key, json.loads(before), by)
                    done.removed += 1
                _disown(store, domain, key)
        if done:
            told = {"added": done.added, "replaced": done.replaced, "removed": done.removed}
            store.changed(domain, "", "files", None, told, by, complete=False)
    return done


def let_go(store: PolicyWriter, domain: str, by: str) -> bool:
    """Remove a domain that came from files alone; tell False, and keep it, if a person entered anything."""
    with errors_of(store.path), transaction(store.db):
        owned = _from_files(store, domain)
        if DOMAIN not in owned or any(before is not None for _, before in owned.values()):
            return False
        if any(key not in owned or owned[key][0] != value for key, value in rows_of(store, domain).items()):
            return False
        store.delete_domain(domain)
        store.changed(domain, "", "domain", {"settings": {}}, None, by, complete=False)
        return True


def _from_files(store: PolicyWriter, domain: str) -> dict[Key, tuple[Any, str | None]]:
    found = store.db.execute("SELECT key, value, before FROM from_file WHERE domain = ?", (domain,))
    return {tuple(json.loads(key)): (json.loads(value), before) for key, value, before in found}


def _own(store: PolicyWriter, domain: str, key: Key, value: Any, before: str | None) -> None:
    store.db.execute(
        "INSERT OR REPLACE INTO from_file (domain, key, value, before) VALUES (?, ?, ?, ?)",
        (domain, as_json(key), as_json(value), before),
    )


def _disown(store: PolicyWriter, domain: str, key: Key) -> None:
    store.db.execute("DELETE FROM from_file WHERE domain = ? AND key = ?", (domain, as_json(key)))


def _write(store: PolicyWriter, domain: str, key: Key, value: Any, by: str) -> None:
    if key[0] == "setting":
        store.set_values(domain, key[1], {key[2]: value})
    elif key[0] == "recipient":
        store.db.execute(
            "INSERT OR REPLACE INTO recipient (domain, local, kind, acl) VALUES (?, ?, ?, ?)",
            (
                store.require_domain(domain),
                key[1],
                KINDS.index(key[2]),
                None if value is None else json.dumps(value),
            ),
        )
    elif key[0] == "entry":
        names = ("local", "plugin", "kind", "field", "value")
        row: dict[str, Any] = {**dict(zip(names, key[1:], strict=True)), **NO_MARKS, **value}
        # The same entry again keeps its number, under which its uses are counted.
        found = store.db.execute(
            "SELECT id FROM entry WHERE (domain, local, plugin, kind, field, value) = (?, ?, ?, ?, ?, ?)",
            (domain, *key[1:]),
        ).fetchone()
        number = None if found is None else found[0]
        store.insert_entry(row | {"id": number, "domain": domain, "created": store.now(), "created_by": by})


def _delete(store: PolicyWriter, domain: str, key: Key) -> None:
    if key[0] == "setting":
        store.set_values(domain, key[1], {key[2]: None})
    elif key[0] == "recipient":
        store.db.execute(
            "DELETE FROM recipient WHERE domain = ? AND local = ? AND kind = ?",
            (store.require_domain(domain), key[1], KINDS.index(key[2])),
        )
    elif key[0] == "entry":
        store.db.execute(
            "DELETE FROM entry WHERE (domain, local, plugin, kind, field, value) = (?, ?, ?, ?, ?, ?)",
            (domain, *key[1:]),
        )
