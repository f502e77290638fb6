"""Allow and deny lists: add, show, find, change, remove. What wins is `policy.lists`' (CONTRACT 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import hosted_scope
from gatepost.desk.spans import until
from gatepost.policy.entries import KINDS, Entry, EntryError, parse_entry
from gatepost.store.base import NotFound as StoreNotFound
from gatepost.store.base import Refused
from gatepost.store.scopes import ALL, parse_scope

LONGEST_NOTE = 1000

Entries = list[Entry]


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry with where it stands."""

    scope: str
    """`all`, `domain:example.org` or `mailbox:ann@example.org`."""
    entry: Entry
    uses: int = 0
    """How often it decided."""
    last_used: float | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for on lists; "" is anything."""

    text: str = ""
    """Stands in the entry, its note or its mailbox."""
    kind: str = ""
    plugin: str = ""
    """Of this check alone; `-`: of the general lists."""
    after: int | None = None
    """Only those with a smaller number: `next` of the page before."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of entries."""

    rows: list[Listed]
    total: int
    """As many there are in all, also on the pages before and behind."""
    next: int | None
    """What `after` has to be for those behind; None: there are no more."""


def add(
    desk: Desk,
    word: str | None,
    kind: str,
    text: str,
    *,
    plugin: str = "",
    expires: str | float | None = None,
    note: str = "",
    verified: bool = False,
    locked: bool = False,
) -> Entry:
    """Put an entry on the list of a domain, a mailbox or (None) all domains; the same one is renewed.

    `expires`: a span or date as people write it, or seconds since 1970.
    """
    scope, _ = hosted_scope(desk, word)
    if kind not in KINDS:
        raise DeskError(f"{kind!r} is neither allow nor deny")
    try:
        field, value = parse_entry(text)
    except EntryError as error:
        raise DeskError(str(error)) from error
    if plugin:
        _has_a_list(desk, plugin)
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise DeskError(f"a note is one line of at most {LONGEST_NOTE} characters")
    if verified and (kind != "allow" or field not in ("sender", "sender_domain")):
        raise DeskError("--verified is for allow entries of a sender: SPF or DKIM has to agree with it")
    try:
        return desk.policy.add_entry(
            scope,
            kind,
            field,
            value,
            plugin=plugin,
            expires=_until(desk, expires),
            note=note,
            verified=verified,
            locked=locked,
            by=desk.by,
            admin=desk.admin,
        )
    except Refused as error:
        raise DeskError(str(error)) from error


def _has_a_list(desk: Desk, name: str) -> None:
    try:
        loaded = desk.registry[name]
    except KeyError as error:
        raise NotFound(f"{error.args[0]} (gatepost plugin list)") from error
    if not loaded.plugin.own_list:
        raise DeskError(f"{name} has no list of its own: no entry leads past it, or makes it refuse")


def show(desk: Desk, word: str | None) -> list[Listed]:
    """Return the entries of a domain (with those of its mailboxes), of a mailbox, or of all domains."""
    return _with_uses(desk, _entries(desk, word))


def find(desk: Desk, word: str | None, wanted: Wanted, limit: int) -> Found:
    """Return a page of the entries that `show` has and that are wanted, the newest first."""
    rows = [(scope, entry) for scope, entry in _entries(desk, word) if _is_wanted(scope, entry, wanted)]
    rows.sort(key=lambda row: -row[1].id)
    behind = [row for row in rows if wanted.after is None or row[1].id < wanted.after]
    shown = behind[:limit]
    return Found(_with_uses(desk, shown), len(rows), shown[-1][1].id if len(behind) > limit else None)


def one(desk: Desk, word: str | None, number: int) -> Listed:
    """Return the entry of this number on the lists of a domain and its mailboxes, or of all domains."""
    for scope, entry in _entries(desk, word):
        if entry.id == number:
            return _with_uses(desk, [(scope, entry)])[0]
    raise NotFound(f"there is no entry #{number} on the lists of {word or 'all domains'}")


def change(desk: Desk, word: str | None, number: int, kind: str, text: str, **further: Any) -> Entry:
    """Make another entry of one, at the same place; what it says else is as for `add`.

    What it is about is its identity: with another kind, text or check it gets a new number.
    """
    before = one(desk, word, number)
    place = None if before.scope == ALL else before.scope.partition(":")[2]
    if before.entry.locked and not desk.admin:
        raise DeskError("an administrator has locked this entry")
    entry = add(desk, place, kind, text, **further)
    if entry.id != number:
        remove(desk, place, f"#{number}")
    return entry


def remove(desk: Desk, word: str | None, what: str) -> Entries:
    """Take entries off a list: by number, or by what they say (an allow and a deny entry both go)."""
    listed = show(desk, word)
    number = what.removeprefix("#")
    if number.isdecimal() and any(one.entry.id == int(number) for one in listed):
        meant = [one.entry for one in listed if one.entry.id == int(number)]
    else:
        try:
            wanted = parse_entry(what)
        except EntryError as error:
            raise DeskError(str(error)) from error
        meant = [one.entry for one in listed if (one.entry.field, one.entry.value) == wanted]
    if not meant:
        where = "all domains" if hosted_scope(desk, word)[0] == ALL else word
        raise NotFound(f"there is no entry {what!r} on the lists of {where}")
    for entry in meant:
        try:
            desk.policy.remove_entry(entry.id, by=desk.by, admin=desk.admin)
        except StoreNotFound as error:
            raise NotFound(str(error)) from error
        except Refused as error:
            raise DeskError(str(error)) from error
    return meant


def _entries(desk: Desk, word: str | None) -> list[tuple[str, Entry]]:
    scope, level = hosted_scope(desk, word)
    if level != "domain":
        return [(scope, entry) for entry in desk.policy.entries(scope)]
    domain, _ = parse_scope(scope)
    rows = desk.policy.domain(domain)  # all at once, however many mailboxes have entries of their own
    if rows is None:
        return []
    own = [(scope, entry) for entry in rows.entries]
    of_mailboxes = sorted(rows.mailbox_entries.items())
    return own + [(f"mailbox:{local}@{domain}", entry) for local, some in of_mailboxes for entry in some]


def _with_uses(desk: Desk, rows: list[tuple[str, Entry]]) -> list[Listed]:
    uses = desk.records.uses(entry.id for _, entry in rows) if rows else {}
    return [Listed(scope, entry, *uses.get(entry.id, ())) for scope, entry in rows]


def _is_wanted(scope: str, entry: Entry, wanted: Wanted) -> bool:
    if wanted.kind and entry.kind != wanted.kind:
        return False
    if wanted.plugin and entry.plugin != wanted.plugin.removeprefix("-"):
        return False
    mailbox = scope.partition(":")[2] if scope.startswith("mailbox:") else ""
    text = wanted.text.strip().lower()
    return not text or any(text in said.lower() for said in (entry.text, entry.note, mailbox))


def _until(desk: Desk, expires: str | float | None) -> float | None:
    if isinstance(expires, float):
        if expires <= desk.clock():
            raise DeskError("that moment is over already")
        return expires
    return until(expires, desk.clock()) if expires else None
