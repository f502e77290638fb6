"""`/queue`: mail that waits to be handed on, of the domains that you may look at."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from gatepost.console.api.answers import Answer, Page, Time, Word, require
from gatepost.console.auth import Here, SignedIn
from gatepost.desk import queue
from gatepost.spool.envelope import Envelope

router = APIRouter(tags=["queue"])


class Rcpt(Answer):
    """One recipient that waits."""

    address: str
    last: str
    """What the next hop said last."""
    failed: bool
    """Refused for good; tried again only by hand."""


class Waiting(Answer):
    """One mail in the queue."""

    id: str
    domain: str
    sender: str | None
    recipients: list[Rcpt]
    reason: str
    created: Time
    due: Time
    attempts: int
    size: int


def _one(here: Here, name: str, right: str) -> Envelope:
    found = [one for one in queue.listing(here.desk) if one.id == name and here.may(one.domain, right)]
    require(bool(found))
    return found[0]


@router.get("/queue")
def list_queue(here: SignedIn, domain: Word = None) -> Page[Waiting]:
    """List what waits, the oldest first."""
    found = [one for one in queue.listing(here.desk, domain) if here.may(one.domain, "look")]
    return Page(items=[Waiting.of(one) for one in found])


@router.post("/queue/{id}/retry", status_code=204)
def retry(here: SignedIn, id: str) -> None:  # noqa: A002 - the name in the path
    """Try now."""
    if queue.retry(here.desk, [_one(here, id, "change")]):
        raise HTTPException(409, "it is being delivered at this moment")


@router.delete("/queue/{id}", status_code=204)
def drop(here: SignedIn, id: str) -> None:  # noqa: A002
    """Throw it away."""
    if queue.drop(here.desk, [_one(here, id, "change")]):
        raise HTTPException(409, "it is being delivered at this moment")
