"""Mail that waits to be handed on: why, until when, tried now or thrown away."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from gatepost.console.auth import Here, SignedIn, at_domain
from gatepost.console.errors import NotHere
from gatepost.console.render import go, show, words_of
from gatepost.console.rights import Right
from gatepost.console.text import mark
from gatepost.desk import queue
from gatepost.spool.envelope import Envelope

router = APIRouter()
PAGE = 100
WHY = {
    "deferred": mark("the domain's server wanted it later"),
    "unreachable": mark("the domain's server did not answer"),
    "not judged yet": mark("a check could not answer: it is asked again before the mail goes on"),
    "judged": mark("the check has answered by now; the domain's server wants it later"),
    "release": mark("released from the archive"),
    "bounce": mark("a bounce of ours"),
    "notice": mark("a notice of ours"),
}


@router.get("/queue")
def listing(here: SignedIn, domain: Annotated[str, Query(max_length=255)] = "") -> Response:
    """Show what waits, the oldest first."""
    here = at_domain(here, domain.strip()) if domain.strip() else here
    found = [one for one in queue.listing(here.desk, here.domain or None) if here.may(one.domain, Right.LOOK)]
    return show(
        here,
        "queue.html",
        rows=[(one, here.may(one.domain, Right.CHANGE)) for one in found[:PAGE]],
        total=len(found),
        WHY=WHY,
    )


@router.post("/queue")
def act(here: SignedIn, do: Annotated[str, Form()], id: Annotated[str, Form()]) -> Response:  # noqa: A002
    """Try one now, or throw it away."""
    words = words_of(here.request, here)
    one = _one(here, id)
    left = queue.retry(here.desk, [one]) if do == "retry" else queue.drop(here.desk, [one])
    if left:
        said = mark("It is being delivered at this moment, or gone.")
    else:
        said = mark("It is tried now.") if do == "retry" else mark("It is thrown away.")
    return go(here, "/queue", words.say(said))


def _one(here: Here, name: str) -> Envelope:
    for one in queue.listing(here.desk):
        if one.id == name and here.may(one.domain, Right.CHANGE):
            return one
    raise NotHere
