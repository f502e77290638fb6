"""One domain: what became of its mail, its route (tried when asked), its thresholds, how long things stay."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console import core_form, forms
from gatepost.console.auth import Admin, Changing, Here, Looking, at_domain
from gatepost.console.place import ORIGINS, Place
from gatepost.console.render import go, show
from gatepost.console.rights import Right
from gatepost.console.text import mark
from gatepost.console.typed import Typed, below
from gatepost.desk import checks, domains, domains_listed, route_check
from gatepost.desk.errors import DeskError
from gatepost.desk.stats import stats
from gatepost.policy.settings import SETTINGS

router = APIRouter()
SETTING = "set."


@router.get("/domains/{domain}")
def overview(here: Looking) -> Response:
    """Show a domain."""
    return _page(here)


@router.post("/domains/{domain}")
def save(here: Changing, fields: Typed) -> Response:
    """Keep its settings."""
    read = core_form.read(below(SETTING, fields))
    faults = read.faults | core_form.wrong(read.values)
    if faults:
        return _page(here, faults, fields)
    values = forms.changed(_values(here), read.values)
    version = fields.get("version", "")
    try:
        if values:
            expect = int(version) if version.isdecimal() else None
            domains.set_values(here.desk, here.domain, values, expect)
    except DeskError as error:
        return _page(here, {"": str(error)}, fields)
    return _done(here, mark("Saved."))


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


@router.post("/domains/{domain}/reset")
def reset(here: Changing) -> Response:
    """Let the settings of all domains hold again, but for the route."""
    own = domains.own_values(here.desk, here.domain)
    gone = [key for key in core_form.shown_keys() if key in own]
    if gone:
        domains.unset_values(here.desk, here.domain, gone)
    return _done(here, mark("Back to what holds elsewhere."))


@router.post("/domains/{domain}/remove")
def remove(domain: str, here: Admin, name: Annotated[str, Form()] = "") -> Response:
    """Host it no longer; the name has to be typed."""
    there = at_domain(here, domain, Right.ADMIN)
    if name.strip().lower() != there.domain:
        return _page(
            there, {"remove": Place(there, there.domain, "").words.say(mark("Type the domain's name."))}
        )
    domains.remove(there.desk, there.domain)
    said = Place(here, None, "").words.say(mark("%(domain)s is hosted here no longer."), domain=there.domain)
    return go(here, "/domains", said)


def _page(
    here: Here,
    faults: dict[str, str] | None = None,
    fields: dict[str, str] | None = None,
    tried: list[route_check.Tried] | None = None,
) -> Response:
    desk, fields = here.desk, fields or {}
    values = _values(here)
    typed = None
    if any(name.startswith(SETTING) for name in fields):
        typed = {key: below(SETTING, fields).get(key, "") for key in core_form.shown_keys()}
    told = stats(desk, here.domain, desk.clock() - checks.LATELY)
    own = domains.own_values(desk, here.domain)
    return show(
        here,
        "domain.html",
        status=422 if faults else 200,
        place=Place(here, here.domain, f"/domains/{here.domain}"),
        about=domains_listed.about(desk, here.domain),
        week=told,
        on=[line for line in checks.listing(desk, here.domain) if line.mode != "off"],
        route=fields.get("route", "\n".join(values["route"][0])),
        known=fields.get("known", ""),
        groups=core_form.groups(core_form.fields_of(values, faults, typed)),
        faults=faults or {},
        tried=tried or [],
        records=route_check.records(desk, here.domain) if tried else [],
        bypassed=values["bypass"],
        version=desk.policy.version(),
        is_set=any(key in own for key in core_form.shown_keys()),
        ORIGINS=ORIGINS,
        may_remove=here.is_admin,
    )


def _values(here: Here) -> dict[str, tuple[Any, str]]:
    found, _ = domains.get_values(here.desk, here.domain)
    return {one.key: (one.value, one.origin) for one in found if one.key in SETTINGS}


def _done(here: Here, said: str) -> Response:
    place = Place(here, here.domain, f"/domains/{here.domain}")
    return go(here, place.base, place.words.say(said))
