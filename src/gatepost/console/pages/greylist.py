"""What greylisting costs a domain: minutes that mail waited, against mail that never came back."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from gatepost.console.auth import Looking
from gatepost.console.place import ORIGINS, at_work
from gatepost.console.render import show
from gatepost.desk import greylist_bill

router = APIRouter()
DAY = 86_400
SPANS = (7, 14, 30, 40)
"""Days that may be asked for; counts are kept for 40."""


@router.get("/domains/{domain}/greylist")
def bill(here: Looking, days: Annotated[int, Query(ge=1, le=40)] = 14) -> Response:
    """Show the bill, the oldest day first."""
    found = greylist_bill.bill(here.desk, here.domain, here.desk.clock() - days * DAY)
    return show(
        here,
        "greylist.html",
        check=at_work(here, "greylist", "greylist"),
        ORIGINS=ORIGINS,
        days=[(date.fromisoformat(one.day), one) for one in found[-2::-1]],
        whole=found[-1] if found else None,
        span=days,
        SPANS=SPANS,
    )
