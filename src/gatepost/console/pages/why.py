"""The refused sender's page: in general words why, how to mend it, and a request for a review.

It wants no session and no script, and shows what the SMTP reply told already. Whatever is no refusal of a
domain that shows such pages is answered as any address that there is not.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import Response

from gatepost.console.cookies import site_of
from gatepost.console.errors import NotHere
from gatepost.console.limits import limit, note
from gatepost.console.render import show_to_anyone
from gatepost.console.text import mark
from gatepost.console.why_texts import help_for
from gatepost.desk import reviews, why
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, NotFound
from gatepost.desk.reviews import MAX_CONTACT, MAX_TEXT, BadContact, Enough
from gatepost.desk.why import Refusal

router = APIRouter()
REQUESTS, MINUTE = 60, 60.0
"""Requests of one network in a minute."""
WRONG, WHILE = 30, 900.0
"""Addresses that are none, from one network, until it has to wait."""
BY = "refused sender"
LONGEST = 20_000
"""Characters of a field: a browser lets nobody write so much, and what is more than is kept is cut."""
BAD = mark("That is not an address. Leave it empty, or write it as you@example.org.")

Token = Annotated[str, Path(max_length=1_000)]


@router.get("/why/{refusal}")
def look(request: Request, refusal: Token) -> Response:
    """Say why."""
    _limited(request)
    with site_of(request).desk_for(BY, False) as desk:
        one = _found(request, desk, refusal)
        return _page(request, one, step="asked" if reviews.asked(desk, one.row) else "")


@router.post("/why/{refusal}")
def ask(
    request: Request,
    refusal: Token,
    contact: Annotated[str, Form(max_length=LONGEST)] = "",
    text: Annotated[str, Form(max_length=LONGEST)] = "",
) -> Response:
    """Ask for a review."""
    _limited(request)
    client = request.client.host if request.client else ""
    with site_of(request).desk_for(BY, False) as desk:
        one = _found(request, desk, refusal)
        try:
            reviews.ask(desk, refusal, client, contact, text)
        except BadContact:
            return _page(request, one, 422, fault=BAD, contact=contact, text=text)
        except Enough:
            return _page(request, one, 429, step="enough")
        except Conflict:
            return _page(request, one, step="asked")
        return _page(request, one, step="taken")


def _limited(request: Request) -> None:
    """Answer 429 to who asks too often, or for too much that is not there."""
    limit(request, "wrong why pages", WRONG, WHILE, count=False)
    limit(request, "why pages", REQUESTS, MINUTE)


def _found(request: Request, desk: Desk, token: str) -> Refusal:
    """Return what a token names; else the same 404 for all."""
    try:
        return why.find(desk, token)
    except NotFound:
        note(request, "wrong why pages", WHILE)
        raise NotHere from None


def _page(request: Request, one: Refusal, status: int = 200, **values: Any) -> Response:
    return show_to_anyone(
        request,
        "why.html",
        status=status,
        **{"step": "", "fault": "", "contact": "", "text": ""} | values,
        id=one.id,
        sentence=one.sentence,
        help=help_for(one.check),
        longest=(MAX_CONTACT, MAX_TEXT),
    )
