"""`/journal`: what became of each mail, the newest first, for all that you may look at or for one domain.

A search that takes long answers with what it has so far: a page may be short, or empty, and have a next one.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from gatepost.console.api.answers import Answer, Limit, Number, Page, Since, Time, Word, beginning
from gatepost.console.auth import Here, Looking, SignedIn
from gatepost.desk import journal
from gatepost.store.journal_search import Question

router = APIRouter(tags=["journal"])
Fate = Annotated[
    Literal["accepted", "rejected", "deferred", "quarantined", "queued", "taken", "abandoned"] | None, Query()
]


class Outcome(Answer):
    """What became of one recipient's copy."""

    id: str
    time: Time
    domain: str
    sender: str
    """"" is the null sender."""
    recipient: str
    client: str
    fate: str
    code: int
    """Of the SMTP reply."""
    plugin: str
    reason: str
    score: float
    size: int
    subject: str
    archive_ref: str
    """Where the kept copy is, "" if none."""
    seconds: float


def _search(
    here: Here,
    names: list[str] | None,
    since: str | None,
    fate: str | None,
    plugin: str | None,
    text: str | None,
    after: int | None,
    limit: int,
) -> Page[Outcome]:
    asked = Question(
        names,
        since=beginning(here.desk, since),
        outcome=fate,
        plugin=plugin,
        text=text,
        after=after,
        limit=limit,
    )
    page = journal.page(here.desk, asked)
    more = str(page.after) if page.after is not None else None
    return Page(items=[Outcome.of(row) for row in page.rows], next=more)


@router.get("/journal")
def search_all(
    here: SignedIn,
    since: Since = None,
    fate: Fate = None,
    plugin: Word = None,
    text: Word = None,
    after: Number = None,
    limit: Limit = 50,
) -> Page[Outcome]:
    """Search the mail of every domain that you may look at."""
    names = None if here.is_admin else here.names()
    return _search(here, names, since, fate, plugin, text, after, limit)


@router.get("/domains/{domain}/journal")
def search(
    here: Looking,
    since: Since = None,
    fate: Fate = None,
    plugin: Word = None,
    text: Word = None,
    after: Number = None,
    limit: Limit = 50,
) -> Page[Outcome]:
    """Search the mail of a domain."""
    return _search(here, [here.domain], since, fate, plugin, text, after, limit)
