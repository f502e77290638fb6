"""`/stats`: what refused what, "no such user" apart from spam."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gatepost.console.api.answers import Answer, Text, Time, beginning
from gatepost.console.auth import Admin, Here, Looking
from gatepost.desk import stats as desk_stats

router = APIRouter(tags=["statistics"])
Since = Annotated[Text, Query(max_length=40, description="A span (7d, 12h) or a date.")]


class Line(Answer):
    """Mails of a domain, of a day, or of all."""

    name: str
    total: int
    accepted: int
    rejected: int
    quarantined: int
    taken: int
    deferred: int
    abandoned: int
    no_such_user: int
    """Of what was refused: names that nobody has."""
    spam: int
    """Of what was refused: for what the mail or its sender is."""
    marked: int
    """Of what was accepted: delivered with a mark."""


class Check(Answer):
    """What one check refused."""

    check: str
    kind: str
    rejected: int
    quarantined: int
    taken: int
    deferred: int
    share: float
    share_of_spam: float | None


class Watched(Answer):
    """What a check on watch would have refused."""

    check: str
    would_refuse: int
    accepted: int


class Stats(Answer):
    """Statistics since a moment."""

    domain: str | None
    since: Time
    sessions: int | None
    all: Line
    checks: list[Check]
    watched: list[Watched]
    domains: list[Line]
    days: list[Line]


def _stats(here: Here, domain: str | None, since: str) -> Stats:
    return Stats.of(desk_stats.stats(here.desk, domain, beginning(here.desk, since) or 0.0))


@router.get("/stats")
def stats_of_all(here: Admin, since: Since = "7d") -> Stats:
    """Show the statistics of the whole machine."""
    return _stats(here, None, since)


@router.get("/domains/{domain}/stats")
def stats(here: Looking, since: Since = "7d") -> Stats:
    """Show the statistics of a domain."""
    return _stats(here, here.domain, since)
