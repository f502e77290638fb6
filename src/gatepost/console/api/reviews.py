"""`/domains/{domain}/reviews`: what refused senders asked, and what is decided about it."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Body, Id, Limit, Number, Page, Time, page
from gatepost.console.auth import Changing, Looking
from gatepost.desk import reviews

router = APIRouter(tags=["reviews"])


class Review(Answer):
    """One request of a refused sender."""

    id: int
    mail: str
    """The id of the transaction: `/messages/{id}` says everything about it."""
    recipient: str
    sender: str
    plugin: str
    """The check that refused it."""
    asked: Time
    network: str
    contact: str
    text: str
    """As the stranger wrote it."""
    state: str
    """`open`, `released`, `allowed` or `declined`."""
    decided: Time | None
    decided_by: str


class Decision(Body):
    """What is decided."""

    decision: Literal["release", "allow", "decline"]
    """`allow` puts the sender on the domain's list for that check, and releases what was kept too."""
    all_the_same: bool = False
    """Release also what the domain's virus check refuses, or cannot look at now."""


@router.get("/domains/{domain}/reviews")
def list_reviews(
    here: Looking, state: Literal["open", "decided"] = "open", limit: Limit = 100, after: Number = None
) -> Page[Review]:
    """List what waits for a decision, or what was decided, the newest first."""
    found = reviews.listing(here.desk, [here.domain], waiting=state == "open", limit=limit + 1, before=after)
    cursor = str(found[limit - 1].id) if len(found) > limit else None
    return page([Review.of(one) for one in found], limit, cursor)


@router.get("/domains/{domain}/reviews/{number}")
def show_review(here: Looking, number: Id) -> Review:
    """Show one request."""
    return Review.of(reviews.get(here.desk, here.domain, number))


@router.post("/domains/{domain}/reviews/{number}/decide")
def decide_review(here: Changing, number: Id, body: Decision) -> Review:
    """Release the mail, let its sender in, or decline; 409 where somebody decided before.

    Also where the domain's virus check is against a release: then nothing is done without `all_the_same`.
    """
    done = reviews.decide(here.desk, here.domain, number, body.decision, all_the_same=body.all_the_same)
    return Review.of(done)
