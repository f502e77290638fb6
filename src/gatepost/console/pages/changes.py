"""Who changed what, when, from what to what; and back again, where it is one's own domain."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from gatepost.console.auth import Here, SignedIn, at_domain
from gatepost.console.change_words import in_one, sentences
from gatepost.console.errors import NotHere
from gatepost.console.render import go, show, words_of
from gatepost.console.rights import Right
from gatepost.console.text import mark
from gatepost.desk import changes
from gatepost.desk.errors import Conflict, DeskError
from gatepost.store.base import Change
from gatepost.store.scopes import EVERYWHERE, parse_scope

router = APIRouter()
PAGE = 50
Number = Annotated[int | None, Query(ge=1, le=1 << 62)]


@dataclass(frozen=True, slots=True)
class Row:
    """One change as the page shows it."""

    change: Change
    place: tuple[str, str]
    """Domain ("" for all) and what of it is named."""
    said: list[str]
    may_undo: bool


@router.get("/changes")
def listing(
    here: SignedIn, domain: Annotated[str, Query(max_length=255)] = "", before: Number = None
) -> Response:
    """List the changes: of all for administrators, else of one's own domains; of one where it is named."""
    return _page(here, domain, before)


@router.post("/changes/undo")
def undo(
    here: SignedIn, number: Annotated[int, Form(ge=1, le=1 << 62)], domain: Annotated[str, Form()] = ""
) -> Response:
    """Undo one change; what somebody built on stays, and that is said."""
    if not _mine(here, number):
        raise NotHere
    words = words_of(here.request, here)
    try:
        undone = changes.roll_back(here.desk, number)
    except Conflict:
        return _page(
            here, domain, None, words.say(mark("Somebody has built on that change since: it stays."))
        )
    except DeskError as error:
        return _page(here, domain, None, str(error))
    said = words.say(mark("Rolled back: %(what)s"), what=in_one(words, undone))
    return go(here, f"/changes?domain={domain}" if domain in here.names() else "/changes", said)


def _page(here: Here, domain: str, before: int | None, fault: str = "") -> Response:
    if domain and not here.may(domain, Right.LOOK):
        raise NotHere
    if domain:
        found = changes.listing(here.desk, domain, limit=PAGE + 1, before=before)
    elif here.is_admin:
        found = changes.listing(here.desk, limit=PAGE + 1, before=before)
    else:
        found = changes.of_domains(here.desk, here.names(), limit=PAGE + 1, before=before)
    words = words_of(here.request, here)
    rows = [Row(one, _place(one), sentences(words, one), _may_undo(here, one)) for one in found[:PAGE]]
    days = [(day, list(those)) for day, those in groupby(rows, lambda row: words.whole_day(row.change.time))]
    more = found[PAGE - 1].id if len(found) > PAGE else None
    status = 409 if fault else 200
    if domain and here.desk.policy.domain(domain) is not None:
        here = at_domain(here, domain)
    return show(here, "changes.html", status=status, days=days, domain=domain, more=more, fault=fault)


def _place(change: Change) -> tuple[str, str]:
    """Return (domain or "" for all, what is named)."""
    domain, local = parse_scope(change.scope)
    if domain == EVERYWHERE:
        return "", ""
    return domain, f"{local}@{domain}" if local else domain


def _may_undo(here: Here, change: Change) -> bool:
    domain, _ = _place(change)
    return changes.can_be_undone(change, admin=here.is_admin) and here.may(domain or None)


def _mine(here: Here, number: int) -> bool:
    return here.is_admin or any(
        changes.is_of(here.desk, number, name) for name in here.names() if here.may(name)
    )
