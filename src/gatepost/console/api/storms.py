"""`/domains/{domain}/storms`: addresses that a storm of bounces has closed."""

from __future__ import annotations

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Page, Text, Time
from gatepost.console.auth import Changing, Looking
from gatepost.desk import storms

router = APIRouter(tags=["bounce storms"])


class Storm(Answer):
    """One address that is, or was, closed."""

    address: str
    since: Time
    until: Time
    bounces: int
    """As many had come when it closed."""
    refused: int
    closed: bool
    opened_by: str
    mode: str


@router.get("/domains/{domain}/storms")
def list_storms(here: Looking, ended: bool = False) -> Page[Storm]:
    """List the closed addresses, the newest first; `ended`: the others too."""
    return Page(items=[Storm.of(one) for one in storms.listing(here.desk, here.domain, ended=ended)])


@router.post("/domains/{domain}/storms/{address}/open", status_code=204)
def open_storm(here: Changing, address: Text) -> None:
    """Open an address and count its bounces from nothing."""
    storms.open_address(here.desk, here.domain, address)
