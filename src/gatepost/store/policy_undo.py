"""Rolling back a change: put back what it replaced, if nobody has built on it since.

A roll back is itself a change, so it can be rolled back too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatepost.store.base import Change, Conflict, Refused
from gatepost.store.policy_write import unlocked
from gatepost.store.scopes import parse_scope

if TYPE_CHECKING:
    from gatepost.store.policy_write import PolicyWriter


def roll_back(store: PolicyWriter, change: Change, by: str, admin: bool) -> int:
    """Undo one change inside the caller's transaction; return the version."""
    if not change.complete:
        why = "too large to be written down, or what it takes was deleted since"
        raise Refused(f"change {change.id} cannot be rolled back: {why}")
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
        raise Refused(f"change {change.id} ({change.what}) cannot be rolled back")
    return store.changed(domain, local, change.what, change.after, change.before, by, undoes=change.id)


def _settings(store: PolicyWriter, change: Change, domain: str, local: str) -> None:
    store.require_scope(domain)
    present = store.settings(change.scope)
    if any(present.get(key) != value for key, value in change.after.items()):
        raise Conflict(change.scope, "", change.time, present, f"{change.scope} was changed since then")
    store.set_values(domain, local, change.before)


def _entry(store: PolicyWriter, change: Change, domain: str, admin: bool) -> None:
    store.require_scope(domain)
    present = store.entry_row((change.after or change.before)["id"])
    if present != change.after:
        raise Conflict(change.scope, "", change.time, present or {}, "the list entry was changed since then")
    for row in (change.before, change.after):
        if row is not None:
            unlocked(row, admin)
    if change.before is None:
        store.db.execute("DELETE FROM entry WHERE id = ?", (change.after["id"],))
    else:
        store.insert_entry(change.before)


def _recipients(store: PolicyWriter, change: Change, domain: str) -> None:
    domain_id = store.require_domain(domain)
    store.db.executemany(
        "DELETE FROM recipient WHERE domain = ? AND local = ? AND kind = ?",
        ([domain_id, local, kind] for local, kind, _ in change.after),
    )
    _insert(store, domain_id, change.before)


def _domain(store: PolicyWriter, change: Change, domain: str, by: str) -> None:
    if change.after is not None:
        store.expect_version(domain, None, change.version, {})
        store.delete_domain(domain)
        return
    if store.domain_id(domain) is not None:
        raise Conflict(change.scope, "", change.time, {}, f"{domain} is hosted again already")
    whole: dict[str, Any] = change.before
    domain_id = store.insert_domain(domain, by)
    for local, values in whole["settings"].items():
        store.set_values(domain, local, values)
    for row in whole.get("entries", ()):
        store.insert_entry(row)
    _insert(store, domain_id, whole.get("recipients", ()))


def _insert(store: PolicyWriter, domain_id: int, rows: Any) -> None:
    store.db.executemany(
        "INSERT OR REPLACE INTO recipient (domain, local, kind, acl) VALUES (?, ?, ?, ?)",
        ([domain_id, *row] for row in rows),
    )
