"""Rolling back a change: put back what it replaced, if nobody has built on it since.

A roll back is itself a change, so it can be rolled back too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatepost.store.base import Change, Conflict, StoreError
from gatepost.store.scopes import parse_scope

if TYPE_CHECKING:
    from gatepost.store.policy_db import PolicyStore


def roll_back(store: PolicyStore, change: Change, by: str, admin: bool) -> int:
    """Undo one change inside the caller's transaction; return the version."""
    if not change.complete:
        raise StoreError(f"change {change.id} was too large to be written down, it cannot be rolled back")
    domain, local = parse_scope(change.scope)
    if change.what == "settings":
        _settings(store, change, domain, local)
    elif change.what == "entry":
        _entry(store, change, domain, admin)
    elif change.what == "recipients":
        _recipients(store, change, domain)
    elif change.what == "domain":
        _domain(store, change, domain, by)
    else:
        raise StoreError(f"change {change.id} ({change.what}) cannot be rolled back")
    return store._changed(domain, local, change.what, change.after, change.before, by, undoes=change.id)


def _settings(store: PolicyStore, change: Change, domain: str, local: str) -> None:
    store._require(domain)
    present = store.settings(change.scope)
    if any(present.get(key) != value for key, value in change.after.items()):
        raise Conflict(change.scope, "", change.time, present, f"{change.scope} was changed since then")
    store._set(domain, local, change.before)


def _entry(store: PolicyStore, change: Change, domain: str, admin: bool) -> None:
    store._require(domain)
    present = store._entry_row((change.after or change.before)["id"])
    if present != change.after:
        raise Conflict(change.scope, "", change.time, present or {}, "the list entry was changed since then")
    for row in (change.before, change.after):
        if row is not None and row["locked"] and not admin:
            raise StoreError(f"list entry {row['id']} is locked by an administrator")
    if change.before is None:
        store._db.execute("DELETE FROM entry WHERE id = ?", (change.after["id"],))
    else:
        store._insert_entry(change.before)


def _recipients(store: PolicyStore, change: Change, domain: str) -> None:
    domain_id = store._require_domain(domain)
    store._db.executemany(
        "DELETE FROM recipient WHERE domain = ? AND local = ? AND kind = ?",
        ([domain_id, local, kind] for local, kind, _ in change.after),
    )
    _insert(store, domain_id, change.before)


def _domain(store: PolicyStore, change: Change, domain: str, by: str) -> None:
    if change.after is not None:
        later = store.changes(change.version, domain, limit=1)
        if later:
            raise Conflict(change.scope, later[0].by, later[0].time, {}, f"{domain} was changed since then")
        store._delete_domain(domain)
        return
    if store._domain_id(domain) is not None:
        raise Conflict(change.scope, "", change.time, {}, f"{domain} is hosted again already")
    whole: dict[str, Any] = change.before
    domain_id = store._insert_domain(domain, by)
    for local, values in whole["settings"].items():
        store._set(domain, local, values)
    for row in whole.get("entries", ()):
        store._insert_entry(row)
    _insert(store, domain_id, whole.get("recipients", ()))


def _insert(store: PolicyStore, domain_id: int, rows: Any) -> None:
    store._db.executemany(
        "INSERT OR REPLACE INTO recipient (domain, local, kind, acl) VALUES (?, ?, ?, ?)",
        ([domain_id, *row] for row in rows),
    )
