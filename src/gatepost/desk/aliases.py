"""Counted addresses as their owner sees them: list, show, reset, close, open.

The check `counted_address` makes one with the first mail; its rules are in `plugin.counted`. What
is done here is in the records, so it is durable, in the backup, and in force with the next mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gatepost.desk import journal
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import hosted
from gatepost.mail.address import AddressError, fold, parse_address
from gatepost.plugin.counted import (
    KEYS,
    NO_LIMIT,
    SEPARATORS,
    Kept,
    Reading,
    kept,
    parts_of,
    prefix_of,
    readings,
)
from gatepost.store.base import OutcomeRow

PLUGIN = "counted_address"
MOST = 10_000
"""Addresses of one listing."""
MOST_COUNT = 1_000
SHOWN = 3
"""Refusals that `show` tells."""

Refusals = list[OutcomeRow]
Aliases = list["Alias"]


@dataclass(frozen=True, slots=True)
class Alias:
    """One counted address."""

    domain: str
    user: str
    word: str
    kept: Kept
    used: int
    """Mails that were accepted since it was made or reset."""
    left: int | None
    """None: not counted (dated, or for one sender)."""
    over: str
    """Why it takes no mail any more; "" where it does."""

    @property
    def key(self) -> str:
        """Under which it is kept."""
        return f"{prefix_of(self.user)}{self.word}"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of addresses."""

    rows: Aliases
    total: int
    next: str
    """What `after` has to be for those behind; "": there are no more."""


def listing(desk: Desk, domain: str, user: str = "") -> list[Alias]:
    """Return the counted addresses of a domain, or of one of its users, by user and word."""
    name = hosted(desk, domain)
    begin = prefix_of(fold(user)) if user else KEYS
    rows = at_once(desk.records.list(name, PLUGIN, begin, MOST))
    found = (_alias(desk, name, key, record) for key, record in rows)
    return [alias for alias in found if alias is not None]


def find(desk: Desk, domain: str, text: str = "", user: str = "", after: str = "", limit: int = 100) -> Found:
    """Return a page of the addresses whose word, user, spelling or sender holds a text, by user and word.

    Their uses are counted for this page alone, however many there are.
    """
    name = hosted(desk, domain)
    begin = prefix_of(fold(user)) if user else KEYS
    sought = fold(text.strip())
    rows = [
        (key, record)
        for key, record in at_once(desk.records.list(name, PLUGIN, begin, MOST))
        if parts_of(key) is not None and (not sought or sought in _said(key, record))
    ]
    behind = [row for row in rows if row[0] > after][: limit + 1]
    shown = [
        alias for key, record in behind[:limit] if (alias := _alias(desk, name, key, record)) is not None
    ]
    return Found(shown, len(rows), behind[limit - 1][0] if len(behind) > limit else "")


def show(desk: Desk, address: str) -> Alias:
    """Return one address, by any of its spellings (`word.5.user@domain`, `word.user@domain`)."""
    domain, found = _read(desk, address)
    for reading in found:
        alias = _alias(desk, domain, reading.key, at_once(desk.records.get(domain, PLUGIN, reading.key)))
        if alias is not None:
            return alias
    raise NotFound(f"no mail has come for {address} yet, and nobody closed it")


def refusals(desk: Desk, alias: Alias) -> Refusals:
    """Return the last refusals of its mail, newest first; other spellings than the first are left out."""
    return journal.search(
        desk, alias.domain, plugin=PLUGIN, text=alias.kept.address or alias.word, limit=SHOWN
    )


def reset(desk: Desk, address: str, count: int | None = None) -> Alias:
    """Let an address take all its mails again (or `count`); it is open again too."""
    alias = show(desk, address)
    if count is not None and not 1 <= count <= MOST_COUNT:
        raise DeskError(f"a count is from 1 to {MOST_COUNT}")
    if alias.kept.until is not None and alias.kept.until <= desk.clock():
        raise DeskError(f"{address}: its day is over; a new address is made by its first mail")
    total = at_once(desk.records.count(alias.domain, PLUGIN, alias.key))
    if not total and count is None:
        return open_(desk, address)
    return _keep(desk, alias, alias.kept.reset(total, count, desk.by))


def close(desk: Desk, address: str) -> Alias:
    """Refuse all mail to an address from now on, also to one that had none yet."""
    try:
        alias = show(desk, address)
    except NotFound:
        alias = _unused(desk, address)
    return _keep(desk, alias, replace(alias.kept, closed=True, changed=desk.by))


def open_(desk: Desk, address: str) -> Alias:
    """Undo `close`: what was used stays used."""
    alias = show(desk, address)
    if not at_once(desk.records.count(alias.domain, PLUGIN, alias.key)):
        # Closed before its first mail: that one makes it, by the user's rules.
        at_once(desk.records.delete(alias.domain, PLUGIN, alias.key))
        return replace(alias, over="")
    return _keep(desk, alias, replace(alias.kept, closed=False, changed=desk.by))


def _said(key: str, record: object) -> str:
    """Return what a search looks through."""
    known = kept(record)
    parts = parts_of(key) or ("", "")
    return "\n".join((*parts, *((known.address, known.by, known.only) if known else ()))).lower()


def _keep(desk: Desk, alias: Alias, new: Kept) -> Alias:
    at_once(desk.records.put(alias.domain, PLUGIN, alias.key, new.record()))
    changed = _alias(desk, alias.domain, alias.key, new.record())
    assert changed is not None
    return changed


def _unused(desk: Desk, address: str) -> Alias:
    """Return an address that had no mail yet, as it would be made; its user must be there."""
    domain, found = _read(desk, address)
    for reading in found:
        row = desk.policy.recipient(domain, reading.user)
        if row is not None and row.kind == "valid" and row.local == reading.user:
            count = reading.count
            limit = count.number if count is not None and count.number else NO_LIMIT
            new = Kept(limit, made=desk.clock(), by=desk.by, address=address)
            return Alias(domain, reading.user, reading.word, new, 0, None, "")
    raise NotFound(f"{address} is no counted address of a recipient that is listed")


def _read(desk: Desk, address: str) -> tuple[str, list[Reading]]:
    try:
        parsed = parse_address(address)
    except AddressError as error:
        raise DeskError(f"{address!r}: {error}") from error
    domain = hosted(desk, parsed.domain)
    found = readings(parsed.key[0], sorted(SEPARATORS))
    if not found:
        raise DeskError(f"{address} is no counted address: they look like word.5.user@{domain}")
    return domain, found


def _alias(desk: Desk, domain: str, key: str, record: Mapping[str, object] | None) -> Alias | None:
    known, parts = kept(record), parts_of(key)
    if known is None or parts is None:
        return None
    user, word = parts
    total = at_once(desk.records.count(domain, PLUGIN, key))
    left, over = known.left(total), known.over(total, desk.clock())
    return Alias(domain, user, word, known, total - known.before, left, over)
