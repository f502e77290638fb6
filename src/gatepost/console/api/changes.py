"""`/changes`: who changed what, when, from what to what; and back again."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Id, Limit, Number, Page, Time, require
from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.console.change_words import in_one
from gatepost.console.text import Words
from gatepost.desk import changes
from gatepost.store.base import Change as StoredChange

router = APIRouter(tags=["changes"])
ENGLISH = Words()


class Change(Answer):
    """One change."""

    id: int
    version: int
    time: Time
    by: str
    scope: str
    what: str
    said: str
    """In sentences, in English."""
    before: Any
    after: Any
    undoes: int | None


def _list(here: Here, domain: str | None, limit: int, before: int | None) -> Page[Change]:
    found = changes.listing(here.desk, domain, limit=limit + 1, before=before)
    more = str(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_change(one) for one in found[:limit]], next=more)


def _change(one: StoredChange) -> Change:
    return Change(
        id=one.id, version=one.version, time=one.time, by=one.by, scope=one.scope, what=one.what,
        said=in_one(ENGLISH, one), before=changes.told(one.before), after=changes.told(one.after),
        undoes=one.undoes,
    )  # fmt: skip


@router.get("/changes")
def list_changes(here: Admin, after: Number = None, limit: Limit = 50) -> Page[Change]:
    """List the changes of the whole machine, the newest first."""
    return _list(here, None, limit, after)


@router.post("/changes/{number}/roll-back")
def roll_back(here: Admin, number: Id) -> Change:
    """Undo a change; returns what was undone. 409 where somebody built on it."""
    return _change(changes.roll_back(here.desk, number))


@router.get("/domains/{domain}/changes")
def list_changes_of(here: Looking, after: Number = None, limit: Limit = 50) -> Page[Change]:
    """List the changes of a domain and its mailboxes, the newest first."""
    return _list(here, here.domain, limit, after)


@router.post("/domains/{domain}/changes/{number}/roll-back")
def roll_back_of(here: Changing, number: Id) -> Change:
    """Undo a change of a domain; returns what was undone. 409 where somebody built on it."""
    require(changes.is_of(here.desk, number, here.domain))
    return _change(changes.roll_back(here.desk, number))
