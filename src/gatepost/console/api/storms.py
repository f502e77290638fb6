"""`/storms`, `/domains/{domain}/storms`: addresses that a storm of bounces closed, how it came, exceptions.

The ETag of the exceptions is the version of the policy, as for settings: with If-Match a change is refused
with 412 where somebody changed the domain's settings since then. Opening has none: it changes no setting.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gatepost.console.api.answers import Answer, Expected, Limit, Page, Text, Time, as_seen, etag, page
from gatepost.console.auth import Admin, Changing, Looking
from gatepost.desk import storms

router = APIRouter(tags=["bounce storms"])
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="`next` of the page before.")]


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


class Hour(Answer):
    """What was refused within one hour."""

    at: Time
    closed: int
    """Refused since the address was closed."""
    forged: int
    """Bounces that the check `bounce` refused."""


@router.get("/domains/{domain}/storms")
def list_storms(here: Looking, ended: bool = False) -> Page[Storm]:
    """List the closed addresses, the newest first; `ended`: the others too."""
    return Page(items=[Storm.of(one) for one in storms.listing(here.desk, here.domain, ended=ended)])


@router.get("/storms")
def list_storms_of_all(
    here: Admin, ended: bool = False, after: Offset = 0, limit: Limit = 100
) -> Page[Storm]:
    """List the closed addresses of all domains, the newest first; `ended`: the others too."""
    found = storms.listing(here.desk, None, ended=ended)[after:]
    return page([Storm.of(one) for one in found[: limit + 1]], limit, str(after + limit))


@router.get("/storms/hours")
def count_storms_of_all(
    here: Admin, hours: Annotated[int, Query(ge=1, le=storms.LONGEST)] = 48
) -> Page[Hour]:
    """Count the refused bounces of all domains in each of the last hours, the oldest first."""
    return Page(items=[Hour.of(one) for one in storms.by_hour(here.desk, None, hours)])


@router.get("/domains/{domain}/storms/hours")
def count_storms(here: Looking, hours: Annotated[int, Query(ge=1, le=storms.LONGEST)] = 48) -> Page[Hour]:
    """Count the refused bounces of each of the last hours, the oldest first."""
    return Page(items=[Hour.of(one) for one in storms.by_hour(here.desk, here.domain, hours)])


@router.post("/domains/{domain}/storms/{address:part}/open", status_code=204)
def open_storm(here: Changing, address: Text) -> None:
    """Open an address and count its bounces from nothing."""
    storms.open_address(here.desk, here.domain, address)


@router.get("/domains/{domain}/storms/never")
def list_exceptions(here: Looking, response: Response) -> Page[str]:
    """List the addresses that are never closed; their version as ETag."""
    etag(response, here.desk.policy.version())
    return Page(items=list(storms.never(here.desk, here.domain)))


@router.put("/domains/{domain}/storms/never/{address:part}", status_code=204)
def add_exception(here: Changing, address: Text, expect: Expected) -> None:
    """Never close an address; one that is closed now is opened."""
    with as_seen():
        storms.except_for_good(here.desk, here.domain, address, expect=expect)


@router.delete("/domains/{domain}/storms/never/{address:part}", status_code=204)
def remove_exception(here: Changing, address: Text, expect: Expected) -> None:
    """Let a storm close an address again."""
    with as_seen():
        storms.except_no_more(here.desk, here.domain, address, expect=expect)
