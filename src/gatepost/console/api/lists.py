"""`/lists` and `/domains/{domain}/lists`: allow and deny entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends

from gatepost.console.api.answers import Answer, Body, Id, Limit, Number, Page, Text, Time, Word
from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.desk import deciding, lists
from gatepost.policy.entries import Entry as Kept

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


class ChangedEntry(Body):
    """What is to be changed of an entry; what is left out stays."""

    kind: Literal["allow", "deny"] | None = None
    entry: Text | None = None
    plugin: Text | None = None
    expires: Text | None = None
    """30d, 12h or a date; "": for good."""
    note: Text | None = None
    verified: bool | None = None
    locked: bool | None = None


class About(Answer):
    """An entry that is about who was asked for."""

    kind: str
    entry: str
    level: str
    """`mailbox`, `domain` or `all`."""


class Decided(Answer):
    """What the lists say of somebody: the general ones, or those of one check."""

    plugin: str
    """"" for the general lists."""
    decides: About | None
    """null: an entry is about them, but holds only for a proven sender."""
    others: list[About]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a list."""

    text: Word = None
    kind: Literal["allow", "deny"] | None = None
    plugin: Word = None
    after: Number = None
    limit: Limit = 100

    def asked(self) -> lists.Wanted:
        """Return them as the desk takes them."""
        return lists.Wanted(self.text or "", self.kind or "", self.plugin or "", self.after)


Filtered = Annotated[Wanted, Depends()]


def _entry(one: lists.Listed) -> Entry:
    return Entry(
        id=one.entry.id, scope=one.scope, kind=one.entry.kind, entry=one.entry.text,
        plugin=one.entry.plugin, expires=one.entry.expires, note=one.entry.note,
        verified=bool(one.entry.verified), locked=bool(one.entry.locked), uses=one.uses,
        last_used=one.last_used,
    )  # fmt: skip


def _list(here: Here, word: str | None, wanted: Wanted) -> Page[Entry]:
    found = lists.find(here.desk, word, wanted.asked(), wanted.limit)
    behind = None if found.next is None else str(found.next)
    return Page(items=[_entry(one) for one in found.rows], next=behind)


def _add(here: Here, word: str | None, new: NewEntry) -> Entry:
    if new.mailbox and word is not None:
        word = f"{new.mailbox}@{word}"
    made = lists.add(
        here.desk, word, new.kind, new.entry, plugin=new.plugin, expires=new.expires, note=new.note,
        verified=new.verified, locked=new.locked and here.is_admin,
    )  # fmt: skip
    return _entry(lists.one(here.desk, word, made.id))


def _change(here: Here, word: str | None, number: int, new: ChangedEntry) -> Entry:
    entry = lists.one(here.desk, word, number).entry
    locked = entry.locked if new.locked is None else new.locked
    made = lists.change(
        here.desk,
        word,
        number,
        new.kind or entry.kind,
        entry.text if new.entry is None else new.entry,
        plugin=entry.plugin if new.plugin is None else new.plugin,
        expires=entry.expires if new.expires is None else new.expires,
        note=entry.note if new.note is None else new.note,
        verified=entry.verified if new.verified is None else new.verified,
        locked=locked and here.is_admin,
    )
    return _entry(lists.one(here.desk, word, made.id))


def _remove(here: Here, word: str | None, number: int) -> Page[Entry]:
    found = lists.one(here.desk, word, number)
    lists.remove(here.desk, word, f"#{number}")
    return Page(items=[_entry(found)])


def _about(entry: Kept) -> About:
    return About(kind=entry.kind, entry=entry.text, level=entry.level)


@router.get("/domains/{domain}/lists/deciding")
def decide(
    here: Looking,
    client: Word = None,
    sender: Word = None,
    host: Word = None,
    helo: Word = None,
    mailbox: Word = None,
    proven: bool = False,
) -> Page[Decided]:
    """Say which entry decides about a client and a sender; `proven`: SPF or DKIM agrees with the sender."""
    asked = deciding.Asked(client or "", sender or "", host or "", helo or "", mailbox or "", proven)
    return Page(
        items=[
            Decided(
                plugin=one.plugin,
                decides=_about(one.entry) if one.entry is not None else None,
                others=[_about(other) for other in one.others],
            )
            for one in deciding.deciding(here.desk, here.domain, asked)
        ]
    )


@router.get("/domains/{domain}/lists")
def list_entries(here: Looking, wanted: Filtered) -> Page[Entry]:
    """List the entries of a domain and its mailboxes, the newest first; `plugin` `-`: for all checks."""
    return _list(here, here.domain, wanted)


@router.post("/domains/{domain}/lists", status_code=201)
def add_entry(here: Changing, new: NewEntry) -> Entry:
    """Put an entry on a domain's list."""
    return _add(here, here.domain, new)


@router.get("/domains/{domain}/lists/{number}")
def show_entry(here: Looking, number: Id) -> Entry:
    """Show one entry."""
    return _entry(lists.one(here.desk, here.domain, number))


@router.patch("/domains/{domain}/lists/{number}")
def change_entry(here: Changing, number: Id, new: ChangedEntry) -> Entry:
    """Change an entry; with another kind, text or check it gets a new number."""
    return _change(here, here.domain, number, new)


@router.delete("/domains/{domain}/lists/{number}")
def remove_entry(here: Changing, number: Id) -> Page[Entry]:
    """Take an entry off; returns it."""
    return _remove(here, here.domain, number)


@router.get("/lists")
def list_entries_of_all(here: Admin, wanted: Filtered) -> Page[Entry]:
    """List the entries that hold for all domains, the newest first."""
    return _list(here, None, wanted)


@router.post("/lists", status_code=201)
def add_entry_of_all(here: Admin, new: NewEntry) -> Entry:
    """Put an entry on the list of all domains."""
    return _add(here, None, new)


@router.get("/lists/{number}")
def show_entry_of_all(here: Admin, number: Id) -> Entry:
    """Show one entry."""
    return _entry(lists.one(here.desk, None, number))


@router.patch("/lists/{number}")
def change_entry_of_all(here: Admin, number: Id, new: ChangedEntry) -> Entry:
    """Change an entry; with another kind, text or check it gets a new number."""
    return _change(here, None, number, new)


@router.delete("/lists/{number}")
def remove_entry_of_all(here: Admin, number: Id) -> Page[Entry]:
    """Take an entry off the list of all domains; returns it."""
    return _remove(here, None, number)
