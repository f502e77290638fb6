"""One domain: what became of its mail, its route (tried when asked), and the way round the filter."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import Place
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import checks, domains, domains_listed, route_check
from gatepost.desk.errors import DeskError
from gatepost.desk.stats import stats

router = APIRouter()


@router.get("/domains/{domain}")
def overview(here: Looking) -> Response:
    """Show a domain."""
    return _page(here)


@router.post("/domains/{domain}/route")
def save_route(here: Changing, fields: Typed) -> Response:
    """Try the routes that were typed, and keep them if that was asked."""
    routes = fields.get("route", "").split()
    tried, faults = [], {}
    for url in routes[:5]:
        try:
            tried.append(route_check.try_route(here.desk, here.domain, url, fields.get("known", "").strip()))
        except DeskError as error:
            faults["route"] = str(error)
    if any(not one.good for one in tried) and fields.get("do") == "save" and fields.get("anyway") != "on":
        faults["anyway"] = "bad route"
    if fields.get("do") != "save" or faults:
        return _page(here, faults, fields, tried)
    try:
        domains.set_values(here.desk, here.domain, {"route": routes})
    except DeskError as error:
        return _page(here, {"route": str(error)}, fields, tried)
    return _done(here, mark("The route is in force."))


@router.post("/domains/{domain}/bypass")
def bypass(here: Changing, on: Annotated[str, Form()] = "") -> Response:
    """Take the filter out of the domain's way, or put it back."""
    domains.bypass(here.desk, here.domain, on == "on")
    said = mark("Nothing is refused now, only marked and written down.")
    return _done(here, said if on == "on" else mark("The filter is back."))


def _page(
    here: Here,
    faults: dict[str, str] | None = None,
    fields: dict[str, str] | None = None,
    tried: list[route_check.Tried] | None = None,
) -> Response:
    desk, fields = here.desk, fields or {}
    values = {one.key: one.value for one in domains.get_values(desk, here.domain)[0]}
    told = stats(desk, here.domain, desk.clock() - checks.LATELY)
    return show(
        here,
        "domain.html",
        status=422 if faults else 200,
        place=Place(here, here.domain, f"/domains/{here.domain}"),
        about=domains_listed.about(desk, here.domain),
        week=told,
        on=[line for line in checks.listing(desk, here.domain) if line.mode != "off"],
        route=fields.get("route", "\n".join(values["route"])),
        known=fields.get("known", ""),
        faults=faults or {},
        tried=tried or [],
        records=route_check.records(desk, here.domain) if tried else [],
        bypassed=values["bypass"],
    )


def _done(here: Here, said: str) -> Response:
    place = Place(here, here.domain, f"/domains/{here.domain}")
    return go(here, place.base, place.words.say(said))
