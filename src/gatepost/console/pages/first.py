"""The first screen: what became of my domains' mail, what refused it, and what comes now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from gatepost.console.auth import Here, SignedIn, at_domain
from gatepost.console.pages.health import KINDS
from gatepost.console.render import show, words_of
from gatepost.desk import alarm_book, overview

router = APIRouter()
SHOWN = ("accepted", "rejected", "quarantined", "deferred")
"""The fates of the chart, from the bottom."""
MENU_OF = 50
"""Domains that the choice above the chart offers; who has more searches in the list."""


@router.get("/")
def first(here: SignedIn, domain: Annotated[str, Query(max_length=255)] = "") -> Response:
    """Show the first screen, of all that is theirs or of one domain."""
    names = here.names(limit=MENU_OF + 1)
    here = at_domain(here, domain) if domain else here
    chosen = here.domain
    if len(names) == 1 and not here.is_admin:
        chosen = names[0]
    wanted = [chosen] if chosen else None if here.is_admin else here.names()
    return show(
        here,
        "first.html",
        names=names[:MENU_OF],
        more=len(names) > MENU_OF,
        chosen=chosen,
        told=overview.overview(here.desk, wanted, words_of(here.request, here).zone),
        latest=overview.latest(here.desk, wanted),
        SHOWN=SHOWN,
        machine=_machine(here),
        alarms=alarm_book.shown(here.desk, None if here.is_admin else here.names()),
        KINDS=KINDS,
    )


def _machine(here: Here) -> tuple[int, int, int] | None:
    """Return (version of the policy, processes that use it, processes) for administrators."""
    if not here.is_admin:
        return None
    version = here.desk.policy.version()
    processes = here.site.processes()
    return version, sum(1 for one in processes if one.version >= version), len(processes)
