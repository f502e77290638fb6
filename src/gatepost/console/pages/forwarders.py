"""Forwarders of a domain: who broke DMARC on wanted mail, and whom the domain trusts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import ORIGINS, Place, at_work
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.desk import forwarders
from gatepost.desk.errors import DeskError

router = APIRouter()
SHOWN = 200
Name = Annotated[str, Form(max_length=300)]


@router.get("/domains/{domain}/forwarders")
def listing(here: Looking) -> Response:
    """Show candidates and those that are trusted."""
    return _page(here)


@router.post("/domains/{domain}/forwarders")
def trust(here: Changing, name: Name) -> Response:
    """Trust a name or network."""
    try:
        forwarders.trust(here.desk, here.domain, name.strip())
    except DeskError as error:
        return _page(here, str(error), name)
    place = _place(here)
    return go(here, place.base, place.words.say(mark("%(name)s is trusted to forward."), name=name))


@router.post("/domains/{domain}/forwarders/remove")
def distrust(here: Changing, name: Name) -> Response:
    """Trust a name or network no longer."""
    forwarders.distrust(here.desk, here.domain, name)
    place = _place(here)
    return go(here, place.base, place.words.say(mark("%(name)s is trusted no longer."), name=name))


def _page(here: Here, fault: str = "", typed: str = "") -> Response:
    found = forwarders.candidates(here.desk, here.domain)
    return show(
        here,
        "forwarders.html",
        status=422 if fault else 200,
        place=_place(here),
        arc=at_work(here, "arc", "forwarders"),
        dmarc=at_work(here, "dmarc", "forwarders"),
        ORIGINS=ORIGINS,
        rows=found[:SHOWN],
        total=len(found),
        trusted=forwarders.trusted(here.desk, here.domain),
        fault=fault,
        typed=typed,
    )


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/forwarders")
