"""`/journal`: what became of each mail, the newest first, for all that you may look at or for one domain.

A search that takes long answers with what it has so far: a page may be short, or empty, and have a next one.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

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


class Search:
    """What is searched for; the same words for all domains and for one."""

    def __init__(
        self,
        since: Since = None,
        fate: Fate = None,
        plugin: Word = None,
        text: Word = None,
        after: Number = None,
        limit: Limit = 50,
    ) -> None:
        self.since, self.fate, self.plugin, self.text = since, fate, plugin, text
        self.after, self.limit = after, limit

    def page(self, here: Here, names: list[str] | None) -> Page[Outcome]:
        """Return a page of the mail of these domains, of all where there are None."""
        asked = Question(
            names,
            since=beginning(here.desk, self.since),
            outcome=self.fate,
            plugin=self.plugin,
            text=self.text,
            after=self.after,
            limit=self.limit,
        )
        page = journal.page(here.desk, asked)
        more = str(page.after) if page.after is not None else None
        return Page(items=[Outcome.of(row) for row in page.rows], next=more)


Asked = Annotated[Search, Depends()]


@router.get("/journal")
def search_all(here: SignedIn, asked: Asked) -> Page[Outcome]:
    """Search the mail of every domain that you may look at."""
    return asked.page(here, None if here.is_admin else here.names())


@router.get("/domains/{domain}/journal")
def search(here: Looking, asked: Asked) -> Page[Outcome]:
    """Search the mail of a domain."""
    return asked.page(here, [here.domain])
