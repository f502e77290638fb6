"""Who changed what, when, from what to what; and back again.

A roll back is a change of its own, so it can be rolled back too; it is refused where somebody has
built on what would be undone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from gatepost.desk import domains, left_behind
from gatepost.desk.deeds import WHAT
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.policy.settings import HIDDEN, is_secret
from gatepost.store.base import Change, Refused, StoreError
from gatepost.store.base import Conflict as StoreConflict
from gatepost.store.base import NotFound as StoreNotFound
from gatepost.store.scopes import domain_name, parse_scope

UNDONE = frozenset({"settings", "entry", "recipients", "domain"})
"""What `store/policy_undo.py` knows the way back of."""
SHOWN = 5
"""Recipients that a line names."""


def listing(
    desk: Desk, domain: str | None = None, *, limit: int = 50, before: int | None = None
) -> list[Change]:
    """Return the changes (of a domain with its mailboxes), the newest first."""
    try:
        name = None if domain is None else domain if domain == "all" else domain_name(domain)
    except StoreError as error:
        raise DeskError(str(error)) from error
    return desk.policy.changes(domain=name, limit=limit, before_id=before)


def of_domains(
    desk: Desk, names: Sequence[str], *, limit: int = 50, before: int | None = None
) -> list[Change]:
    """Return the changes of some domains together, the newest first."""
    found = [one for name in names for one in listing(desk, name, limit=limit, before=before)]
    return sorted(found, key=lambda one: one.id, reverse=True)[:limit]


def can_be_undone(change: Change, *, admin: bool = True) -> bool:
    """Return whether it is of a kind that can be rolled back (somebody may have built on it since)."""
    return change.complete and change.what in UNDONE and (admin or change.what != "domain")


def roll_back(desk: Desk, number: int) -> Change:
    """Undo one change; returns what was undone. An owner puts back only what he may set."""
    try:
        change = desk.policy.change(number)
        if change.what == "domain" and not desk.admin:
            raise DeskError("only an administrator adds and removes domains")
        if change.what == "settings" and change.complete:
            domains.may_put_back(desk, change.scope, change.before)
        with left_behind.alone(desk) if change.what == "domain" else nullcontext():
            desk.policy.roll_back(number, by=desk.by, admin=desk.admin)
    except StoreNotFound as error:
        raise NotFound(str(error)) from error
    except StoreConflict as error:
        raise Conflict(f"change {number} cannot be rolled back: {error}") from error
    except Refused as error:
        raise DeskError(str(error)) from error
    return change


def is_of(desk: Desk, number: int, domain: str) -> bool:
    """Return whether there is such a change and it is of this domain or one of its mailboxes."""
    try:
        return parse_scope(desk.policy.change(number).scope)[0] == domain
    except StoreNotFound:
        return False


def told(rows: Any) -> Any:
    """Return what a change was from or to, as it may be shown: without secrets."""
    if isinstance(rows, dict):
        return hidden(rows)
    return rows


def in_words(change: Change) -> str:
    """Return what a change did, in one line."""
    if change.what == "settings":
        said = _settings(change.before or {}, change.after or {})
    elif change.what == "recipients":
        said = _recipients(change)
    elif change.what == "entry":
        said = _entry(change.before, change.after)
    elif change.what == "domain":
        said = "domain added" if change.before is None else "domain removed"
        route = ((change.after or {}).get("settings") or {}).get("", {}).get("route")
        said += f", route {', '.join(route)}" if route else ""
    elif change.what in ("user", "token"):
        said = _account(change)
    elif change.what == "review":
        after = change.after
        said = f"review of the mail {after['id']} for {after['recipient']}: {after['decision']}"
    elif change.what in ("exported", "erased"):
        counts = ", ".join(f"{number} {kind}" for kind, number in (change.after or {}).items())
        said = f"{change.what} one person's data: {counts or 'nothing'}"
    elif change.what == "forgotten":
        said = "deleted what was left of the removed domain"
        if change.after:
            counts = ", ".join(
                f"{number} {kind}" for kind, number in change.after.items() if kind != "domain"
            )
            said += f" {change.after['domain']}: {counts}"
    elif change.what in ("load", "files"):
        said = "read in: " + ", ".join(f"{number} {kind}" for kind, number in (change.after or {}).items())
    elif change.what in WHAT:
        said = f"{change.what} the kept mail {change.after['id']} for {change.after['recipient']}"
    else:
        said = f"{change.what} {_short(change.after)}"
    return f"{said} (undoes change {change.undoes})" if change.undoes is not None else said


def _settings(before: dict[str, Any], after: dict[str, Any]) -> str:
    parts = []
    for key, new in hidden(after).items():
        old = hidden(before).get(key)
        if new is None:
            parts.append(f"{key}: {_short(old)} -> not set")
        elif old is None:
            parts.append(f"{key}={_short(new)}")
        else:
            parts.append(f"{key}: {_short(old)} -> {_short(new)}")
    return ", ".join(parts)


def hidden(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with what is secret left out; None (not set) stays None."""
    return {
        key: HIDDEN
        if value is not None and is_secret(key)
        else hidden(value)
        if isinstance(value, dict)
        else value
        for key, value in values.items()
    }


def _account(change: Change) -> str:
    before, after = change.before, change.after
    name = f"{change.what} {(after or before)['name']}"
    if before is None:
        whom = f" of {after['user']}" if "user" in after else ""
        opens = after.get("role") or after.get("rights")
        return f"{name}{whom} added: {', '.join([str(opens), *after['domains']])}"
    if after is None:
        return f"{name} removed"
    return f"{name}: {_settings(before, {k: v for k, v in after.items() if before.get(k) != v})}"


def _recipients(change: Change) -> str:
    said = []
    for word, rows in (("added", change.after), ("removed", change.before)):
        if isinstance(rows, list) and rows:
            shown = ", ".join(str(row[0]) for row in rows[:SHOWN])
            said.append(f"{word} {shown}{f' and {len(rows) - SHOWN} more' if len(rows) > SHOWN else ''}")
    if not said:
        said.append("many recipients")
    return ", ".join(said)


def _entry(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    from gatepost.policy.entries import entry_text

    row = after or before or {}
    word = "renewed" if before and after else "added" if after else "removed"
    plugin = f" for {row['plugin']}" if row.get("plugin") else ""
    return f"{word} {row.get('kind')} {entry_text(str(row.get('field')), str(row.get('value')))}{plugin}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."
