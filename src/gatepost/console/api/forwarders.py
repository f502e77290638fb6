"""`/domains/{domain}/forwarders`: who broke DMARC on wanted mail, and whom the domain trusts.

The ETag of those who are trusted is the version of the policy, as for settings: with If-Match a change is
refused with 412 where somebody changed the domain's settings since then.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from gatepost.console.api.answers import Answer, Body, Expected, Page, Text, Time, as_seen, etag
from gatepost.console.auth import Changing, Looking
from gatepost.desk import forwarders

router = APIRouter(tags=["forwarders"])


class Forwarder(Answer):
    """One that stood behind wanted mail on which DMARC failed."""

    name: str
    mails: int
    """At least so many."""
    last: Time
    trusted: bool


class Trusted(Body):
    """Somebody to be trusted."""

    name: Text
    """A network, or a name of servers and sealers."""


@router.get("/domains/{domain}/forwarders")
def list_forwarders(here: Looking) -> Page[Forwarder]:
    """List the candidates, the most mails first."""
    return Page(items=[Forwarder.of(one) for one in forwarders.candidates(here.desk, here.domain)])


@router.get("/domains/{domain}/forwarders/trusted")
def list_trusted(here: Looking, response: Response) -> Page[str]:
    """List the names and networks that are trusted; their version as ETag."""
    etag(response, here.desk.policy.version())
    return Page(items=list(forwarders.trusted(here.desk, here.domain)))


@router.post("/domains/{domain}/forwarders/trusted", status_code=204)
def trust_forwarder(here: Changing, new: Trusted, expect: Expected) -> None:
    """Trust a name or network; twice is once."""
    with as_seen():
        forwarders.trust(here.desk, here.domain, new.name, expect=expect)


@router.delete("/domains/{domain}/forwarders/trusted", status_code=204)
def distrust_forwarder(here: Changing, name: Text, expect: Expected) -> None:
    """Trust a name or network no longer."""
    with as_seen():
        forwarders.distrust(here.desk, here.domain, name, expect=expect)
