"""Reviews: what refused senders asked on their page, and what is decided; of a domain or of all."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking, SignedIn
from gatepost.console.pages.archive import address
from gatepost.console.place import Place
from gatepost.console.render import go, show
from gatepost.console.rights import Right
from gatepost.console.text import mark
from gatepost.desk import domains, reviews
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.desk.malice import Doubt
from gatepost.desk.releasing import Doubtful

router = APIRouter()
PAGE = 30
"""Requests of one page."""
DECIDED = {
    reviews.RELEASE: mark("The mail is on its way to its recipient."),
    reviews.ALLOW: mark("The sender is let in from now on; what was kept of the mail is on its way."),
    reviews.DECLINE: mark("Declined. Nothing else has changed."),
}
STATES = {"released": mark("released"), "allowed": mark("sender allowed"), "declined": mark("declined")}
FASTER = mark("Somebody else has decided this before you.")

Before = Annotated[int | None, Query(ge=0, le=1 << 62)]
State = Annotated[str, Query(max_length=20)]


@router.get("/reviews")
def everywhere(here: SignedIn, state: State = "", before: Before = None) -> Response:
    """Show what waits in all domains that are theirs."""
    return _page(here, state, before)


@router.get("/domains/{domain}/reviews")
def of_domain(here: Looking, state: State = "", before: Before = None) -> Response:
    """Show what waits in a domain; `state` decided: what was decided."""
    return _page(here, state, before)


@router.post("/domains/{domain}/reviews")
def decide(
    here: Changing,
    number: Annotated[int, Form(ge=0, le=1 << 62)],
    decision: Annotated[str, Form(max_length=20)],
    all_the_same: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Release it, let the sender in, or decline; what the virus check is against takes a second button."""
    place = _place(here)
    try:
        reviews.decide(here.desk, here.domain, number, decision, all_the_same=all_the_same == "yes")
    except Doubtful as error:
        return _page(here, doubtful=(number, decision, error.doubt), status=409)
    except Conflict:
        return _page(here, fault=place.words.say(FASTER), status=409)
    except NotFound:
        raise
    except DeskError as error:
        return _page(here, fault=str(error), status=422)
    return go(here, place.base, place.words.say(DECIDED[decision]))


def _page(
    here: Here,
    state: str = "",
    before: int | None = None,
    *,
    fault: str = "",
    doubtful: tuple[int, str, Doubt] | None = None,
    status: int = 200,
) -> Response:
    desk, waiting = here.desk, state != "decided"
    names = [here.domain] if here.domain else None if here.is_admin else here.names()
    found = reviews.listing(desk, names, waiting=waiting, limit=PAGE + 1, before=before)
    told = [reviews.about(desk, one) for one in found[:PAGE]]
    policy = domains.resolved(desk, here.domain)[0] if here.domain else None
    return show(
        here,
        "reviews.html",
        status=status,
        base=f"/domains/{here.domain}/reviews" if here.domain else "/reviews",
        waiting=waiting,
        STATES=STATES,
        told=told,
        addresses={one.request.id: address(one.kept) for one in told if one.kept is not None},
        mine={one.request.domain for one in told if here.may(one.request.domain, Right.CHANGE)},
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        off=policy is not None and not policy.why_page,
        no_address=not desk.public_url,
        fault=fault,
        doubtful=doubtful,
    )


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/reviews")
