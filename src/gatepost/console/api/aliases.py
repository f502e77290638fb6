"""`/domains/{domain}/aliases`: counted and dated addresses, by any of their spellings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gatepost.console.api.answers import After, Answer, Limit, Page, Text, Time, Word, require
from gatepost.console.auth import Changing, Here, Looking
from gatepost.desk import aliases

router = APIRouter(tags=["counted addresses"])


class Alias(Answer):
    """One address."""

    address: str
    user: str
    """Whom it leads to."""
    word: str
    used: int
    left: int | None
    """null: not counted."""
    until: Time | None
    only_from: str
    over: str
    """Why it takes no mail any more, "" where it does."""
    closed: bool


def _alias(one: aliases.Alias) -> Alias:
    return Alias(
        address=one.kept.address, user=one.user, word=one.word, used=one.used, left=one.left,
        until=one.kept.until, only_from=one.kept.only, over=one.over, closed=one.kept.closed,
    )  # fmt: skip


def _full(here: Here, address: str) -> str:
    """Return the address, which has to be of the domain in the path."""
    require("@" not in address or address.lower().endswith(f"@{here.domain}"))
    return address if "@" in address else f"{address}@{here.domain}"


@router.get("/domains/{domain}/aliases")
def list_aliases(
    here: Looking, user: Word = None, text: Word = None, after: After = "", limit: Limit = 100
) -> Page[Alias]:
    """List the addresses that were made, by user and word; `text`: in word, user, spelling or sender."""
    found = aliases.find(here.desk, here.domain, text or "", user or "", after, limit)
    return Page(items=[_alias(one) for one in found.rows], next=found.next or None)


@router.get("/domains/{domain}/aliases/{address:part}")
def show_alias(here: Looking, address: Text) -> Alias:
    """Show one address."""
    return _alias(aliases.show(here.desk, _full(here, address)))


@router.post("/domains/{domain}/aliases/{address:part}/reset")
def reset_alias(
    here: Changing, address: Text, count: Annotated[int | None, Query(ge=1, le=1000)] = None
) -> Alias:
    """Let it take all its mails (or `count`) again."""
    return _alias(aliases.reset(here.desk, _full(here, address), count))


@router.post("/domains/{domain}/aliases/{address:part}/close")
def close_alias(here: Changing, address: Text) -> Alias:
    """Refuse all mail to it from now on."""
    return _alias(aliases.close(here.desk, _full(here, address)))


@router.post("/domains/{domain}/aliases/{address:part}/open")
def open_alias(here: Changing, address: Text) -> Alias:
    """Undo closing."""
    return _alias(aliases.open_(here.desk, _full(here, address)))
