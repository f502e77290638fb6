"""Allow and deny lists: add, show, remove. What wins over what is `policy.lists`' (CONTRACT 5)."""

from __future__ import annotations

from dataclasses import dataclass

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


def add(
    desk: Desk,
    word: str | None,
    kind: str,
    text: str,
    *,
    plugin: str = "",
    expires: str | None = None,
    note: str = "",
    verified: bool = False,
    locked: bool = False,
) -> Entry:
    """Put an entry on the list of a domain, a mailbox or (None) all domains; the same one is renewed."""
    scope, _ = hosted_scope(desk, word)
    if kind not in KINDS:
        raise DeskError(f"{kind!r} is neither allow nor deny")
    try:
        field, value = parse_entry(text)
    except EntryError as error:
        raise DeskError(str(error)) from error
    if plugin and plugin not in desk.registry:
        try:
            desk.registry[plugin]
        except KeyError as error:
            raise NotFound(str(error.args[0])) from error
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
            expires=until(expires, desk.clock()) if expires else None,
            note=note,
            verified=verified,
            locked=locked,
            by=desk.by,
            admin=desk.admin,
        )
    except Refused as error:
        raise DeskError(str(error)) from error


def show(desk: Desk, word: str | None) -> list[Listed]:
    """Return the entries of a domain (with those of its mailboxes), of a mailbox, or of all domains."""
    scope, level = hosted_scope(desk, word)
    scopes = [scope]
    if level == "domain":
        domain, _ = parse_scope(scope)
        scopes += [f"mailbox:{local}@{domain}" for local in desk.policy.mailboxes(domain)]
    found = [(one, entry) for one in scopes for entry in desk.policy.entries(one)]
    uses = desk.records.uses(entry.id for _, entry in found) if found else {}
    return [Listed(one, entry, *uses.get(entry.id, ())) for one, entry in found]


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
