"""The refused sender's page: in general words why, how to mend it, and a request for a review.

It wants no session and no script, and shows what the SMTP reply told already. Whatever is no refusal of a
domain that shows such pages is answered as any address that there is not.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from gatepost.console.cookies import site_of
from gatepost.console.errors import NotHere
from gatepost.console.limits import limit, note
from gatepost.console.render import show_to_anyone
from gatepost.console.why_texts import help_for
from gatepost.desk import why
from gatepost.desk.desk import Desk
from gatepost.desk.errors import NotFound
from gatepost.desk.why import Refusal

router = APIRouter()
REQUESTS, MINUTE = 60, 60.0
"""Requests of one network in a minute."""
WRONG, WHILE = 30, 900.0
"""Addresses that are none, from one network, until it has to wait."""
BY = "refused sender"

Token = Annotated[str, Path(max_length=1_000)]


@router.get("/why/{refusal}")
def look(request: Request, refusal: Token) -> Response:
    """Say why."""
    limited(request)
    with site_of(request).desk_for(BY, False) as desk:
        return _page(request, found(request, desk, refusal))


def limited(request: Request) -> None:
    """Answer 429 to who asks too often, or for too much that is not there."""
    limit(request, "wrong why pages", WRONG, WHILE, count=False)
    limit(request, "why pages", REQUESTS, MINUTE)


def found(request: Request, desk: Desk, token: str) -> Refusal:
    """Return what a token names; else the same 404 for all."""
    try:
        return why.find(desk, token)
    except NotFound:
        note(request, "wrong why pages", WHILE)
        raise NotHere from None


def _page(request: Request, one: Refusal, **values: Any) -> Response:
    return show_to_anyone(
        request, "why.html", id=one.id, sentence=one.sentence, help=help_for(one.check), **values
    )
