"""`/domains/{domain}/forwarders`: who broke DMARC on wanted mail, and whom the domain trusts."""

from __future__ import annotations

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Body, Page, Text, Time
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
def list_trusted(here: Looking) -> Page[str]:
    """List the names and networks that are trusted."""
    return Page(items=list(forwarders.trusted(here.desk, here.domain)))


@router.post("/domains/{domain}/forwarders/trusted", status_code=204)
def trust_forwarder(here: Changing, new: Trusted) -> None:
    """Trust a name or network; twice is once."""
    forwarders.trust(here.desk, here.domain, new.name)


@router.delete("/domains/{domain}/forwarders/trusted", status_code=204)
def distrust_forwarder(here: Changing, name: Text) -> None:
    """Trust a name or network no longer."""
    forwarders.distrust(here.desk, here.domain, name)
