"""`/lists` and `/domains/{domain}/lists`: allow and deny entries."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Body, Id, Page, Text, Time, require
from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.desk import lists

router = APIRouter(tags=["lists"])


class Entry(Answer):
    """One entry."""

    id: int
    scope: str
    """`all`, `domain:example.org` or `mailbox:ann@example.org`."""
    kind: str
    """`allow` or `deny`."""
    entry: str
    """As a person writes it."""
    plugin: str
    """Only for this check; "" for all."""
    expires: Time | None
    note: str
    verified: bool
    locked: bool
    uses: int
    last_used: Time | None


class NewEntry(Body):
    """An entry to be listed; the same one is renewed."""

    kind: Literal["allow", "deny"]
    entry: Text
    """An address, a domain, a network, a name."""
    mailbox: Text = ""
    """Only for this local part."""
    plugin: Text = ""
    expires: Text | None = None
    """30d, 12h or a date."""
    note: Text = ""
    verified: bool = False
    locked: bool = False
    """Only administrators may change it; only they can say so."""


def _list(here: Here, word: str | None) -> list[Entry]:
    return [
        Entry(
            id=one.entry.id, scope=one.scope, kind=one.entry.kind, entry=one.entry.text,
            plugin=one.entry.plugin, expires=one.entry.expires, note=one.entry.note,
            verified=bool(one.entry.verified), locked=bool(one.entry.locked), uses=one.uses,
            last_used=one.last_used,
        )
        for one in lists.show(here.desk, word)
    ]  # fmt: skip


def _add(here: Here, word: str | None, new: NewEntry) -> Entry:
    if new.mailbox and word is not None:
        word = f"{new.mailbox}@{word}"
    made = lists.add(
        here.desk, word, new.kind, new.entry, plugin=new.plugin, expires=new.expires, note=new.note,
        verified=new.verified, locked=new.locked and here.is_admin,
    )  # fmt: skip
    return next(one for one in _list(here, word) if one.id == made.id)


def _remove(here: Here, word: str | None, number: int) -> Page[Entry]:
    found = [one for one in _list(here, word) if one.id == number]
    require(bool(found))
    lists.remove(here.desk, word, f"#{number}")
    return Page(items=found)


@router.get("/domains/{domain}/lists")
def list_entries(here: Looking) -> Page[Entry]:
    """List the entries of a domain and its mailboxes."""
    return Page(items=_list(here, here.domain))


@router.post("/domains/{domain}/lists", status_code=201)
def add_entry(here: Changing, new: NewEntry) -> Entry:
    """Put an entry on a domain's list."""
    return _add(here, here.domain, new)


@router.delete("/domains/{domain}/lists/{number}")
def remove_entry(here: Changing, number: Id) -> Page[Entry]:
    """Take an entry off; returns it."""
    return _remove(here, here.domain, number)


@router.get("/lists")
def list_entries_of_all(here: Admin) -> Page[Entry]:
    """List the entries that hold for all domains."""
    return Page(items=_list(here, None))


@router.post("/lists", status_code=201)
def add_entry_of_all(here: Admin, new: NewEntry) -> Entry:
    """Put an entry on the list of all domains."""
    return _add(here, None, new)


@router.delete("/lists/{number}")
def remove_entry_of_all(here: Admin, number: Id) -> Page[Entry]:
    """Take an entry off the list of all domains; returns it."""
    return _remove(here, None, number)
