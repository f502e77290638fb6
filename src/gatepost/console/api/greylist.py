"""`/domains/{domain}/greylist`: what putting strangers off costs, day by day."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gatepost.console.api.answers import Answer, Page, Text, beginning
from gatepost.console.auth import Looking
from gatepost.desk import greylist_bill

router = APIRouter(tags=["greylisting"])


class Day(Answer):
    """The bill of one day (UTC), or of all days together."""

    day: str
    """`2026-11-25`; "" for the sum, which stands last."""
    put_off: int
    """Mails of strangers, each counted once."""
    came_back: int
    minutes: float
    """That those waited which came back, together."""
    average: float
    """Minutes that each of them waited."""
    never: int
    waiting: int
    """May still come back."""


@router.get("/domains/{domain}/greylist")
def show_bill(
    here: Looking, since: Annotated[Text, Query(max_length=40, description="A span (7d) or a date.")] = "30d"
) -> Page[Day]:
    """Show the days with strangers, the newest first, and their sum."""
    found = greylist_bill.bill(here.desk, here.domain, beginning(here.desk, since) or 0.0)
    return Page(items=[Day.of(one) for one in found])
