"""Bounce storms of a domain: which addresses are closed, how it came and went, open them, except some.

And those of all domains at once, for administrators.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.console.place import ORIGINS, Place, at_work
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.desk import storms
from gatepost.desk.errors import DeskError, NotFound

router = APIRouter()
HOURS = 48
ENDED = 100
"""Storms that are over, as many as the page shows."""
CLOSED = 500
"""Closed addresses that the page of all domains shows."""
Address = Annotated[str, Form(max_length=320)]


@router.get("/domains/{domain}/storms")
def listing(here: Looking) -> Response:
    """Show the storms of a domain."""
    return _page(here)


@router.post("/domains/{domain}/storms/open")
def open_one(here: Changing, address: Address) -> Response:
    """Open an address before its time."""
    place = _place(here)
    try:
        storms.open_address(here.desk, here.domain, address)
    except NotFound:
        return go(here, place.base, place.words.say(mark("%(address)s is open already."), address=address))
    return go(here, place.base, place.words.say(mark("%(address)s takes bounces again."), address=address))


@router.post("/domains/{domain}/storms/never")
def never(here: Changing, address: Address) -> Response:
    """Never close an address."""
    place = _place(here)
    try:
        storms.except_for_good(here.desk, here.domain, address.strip())
    except DeskError as error:
        return _page(here, str(error), address)
    return go(here, place.base, place.words.say(mark("%(address)s is never closed."), address=address))


@router.post("/domains/{domain}/storms/never/remove")
def no_longer(here: Changing, address: Address) -> Response:
    """Let an address be closed again."""
    storms.except_no_more(here.desk, here.domain, address)
    place = _place(here)
    return go(here, place.base, place.words.say(mark("A storm closes %(address)s again."), address=address))


@router.get("/storms")
def of_all(here: Admin) -> Response:
    """Show the storms of all domains."""
    found = storms.listing(here.desk, None, ended=True)
    closed = [one for one in found if one.closed]
    return show(
        here,
        "all_storms.html",
        check=storms.CHECK,
        closed=closed[:CLOSED],
        more=max(0, len(closed) - CLOSED),
        ended=[one for one in found if not one.closed][:ENDED],
        hours=storms.by_hour(here.desk, None, HOURS),
    )


@router.post("/storms/open")
def open_any(here: Admin, address: Address) -> Response:
    """Open an address of any domain before its time."""
    words = Place(here, None, "/storms").words
    try:
        storms.open_address(here.desk, address.rpartition("@")[2], address)
    except NotFound:
        return go(here, "/storms", words.say(mark("%(address)s is open already."), address=address))
    return go(here, "/storms", words.say(mark("%(address)s takes bounces again."), address=address))


def _page(here: Here, fault: str = "", typed: str = "") -> Response:
    found = storms.listing(here.desk, here.domain, ended=True)
    return show(
        here,
        "storms.html",
        status=422 if fault else 200,
        place=_place(here),
        check=at_work(here, storms.CHECK, "storms"),
        ORIGINS=ORIGINS,
        closed=[one for one in found if one.closed],
        ended=[one for one in found if not one.closed][:ENDED],
        hours=storms.by_hour(here.desk, here.domain, HOURS),
        never=storms.never(here.desk, here.domain),
        fault=fault,
        typed=typed,
    )


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/storms")
