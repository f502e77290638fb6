"""The domains that somebody may see, and a new one in one form: route tried, recipients, DNS records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from gatepost.console.auth import Admin, Here, SignedIn
from gatepost.console.core_form import CHOICES
from gatepost.console.render import go, show, words_of
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import checks, domains, domains_listed, overview, recipients, route_check
from gatepost.desk.errors import DeskError
from gatepost.desk.left_behind import StillThere
from gatepost.desk.stats import Line, stats
from gatepost.policy.presets import PRESETS
from gatepost.store.base import Change

router = APIRouter()
ANEW = {"new": True, "same": False}
"""What is said of a name that was hosted before."""
PAGE = 100
"""Domains of one page."""


@router.get("/domains")
def listing(here: SignedIn, q: str = "", after: Annotated[str, Query(max_length=255)] = "") -> Response:
    """List the domains; `q`: only those whose name holds it."""
    names, more = _names(here, q.strip().lower(), after)
    week = _week(here, names)
    return show(
        here,
        "domains.html",
        domains=domains_listed.summaries(here.desk, names),
        week=week,
        q=q,
        after=after,
        more=names[-1] if more else "",
        may_add=here.is_admin,
    )


@router.get("/domains/new")
def form(here: Admin) -> Response:
    """Show the form of a new domain."""
    return _form(here, {"recipients": "list", "preset": "usual"})


@router.post("/domains/new")
def add(here: Admin, fields: Typed) -> Response:
    """Try the route, and add the domain if that was asked."""
    name, routes = fields.get("name", "").strip(), fields.get("route", "").split()
    locals_ = fields.get("locals", "")
    faults: dict[str, str] = {}
    tried: list[route_check.Tried] = []
    first = next((line.strip() for line in locals_.splitlines() if line.strip() and line.strip() != "*"), "")
    for url in routes[:3]:
        try:
            tried.append(
                route_check.try_route(here.desk, name, url, fields.get("known", "").strip() or first)
            )
        except DeskError as error:
            faults["route" if name else "name"] = str(error)
    if fields.get("do") != "add":
        faults |= (
            {} if routes else {"route": words_of(here.request, here).say(mark("Where does its mail go?"))}
        )
        return _form(here, fields, faults, tried)
    if any(not one.good for one in tried) and fields.get("anyway") != "on":
        faults.setdefault("anyway", "bad route")
    mode = fields.get("recipients", "list")
    settings = {"recipients": mode} if mode != "list" else {}
    if fields.get("preset") in PRESETS and fields["preset"] != "usual":
        settings["preset"] = fields["preset"]
    if faults:
        return _form(here, fields, faults, tried)
    try:
        domains.add(here.desk, name, routes, settings, anew=ANEW.get(fields.get("anew", "")))
    except StillThere as error:
        return _form(here, fields, {"anew": str(error)}, tried, error.change)
    except DeskError as error:
        at = "route" if "route" in str(error) or "://" in str(error) else "name"
        return _form(here, fields, {at: str(error)}, tried)
    added = domains_listed.names(here.desk, name.lower(), 1) or [name.lower()]
    said = mark("%(domain)s is hosted here now; its mail is taken at once.")
    text = words_of(here.request, here).say(said, domain=added[0])
    if locals_.strip():
        try:
            recipients.import_lines(here.desk, added[0], locals_.encode())
        except DeskError as error:
            text += f" {error}"
    return go(here, f"/domains/{added[0]}", text)


def _form(
    here: Here,
    fields: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
    tried: list[route_check.Tried] | None = None,
    removal: Change | None = None,
) -> Response:
    name = fields.get("name", "").strip()
    found: list[route_check.Record] = []
    if name and tried:
        try:
            found = route_check.records(here.desk, name)
        except DeskError:
            found = []
    return show(
        here,
        "domain_new.html",
        status=422 if faults else 200,
        fields=fields,
        faults=dict(faults or {}),
        tried=tried or [],
        records=found,
        presets=domains.presets(),
        CHOICES=CHOICES,
        removal=removal,
        allow=[str(one) for one in here.desk.relay_allow],
    )


def _names(here: Here, wanted: str, after: str) -> tuple[list[str], bool]:
    """Return one page of names, and whether there are more."""
    if here.is_admin and not wanted:
        names = here.desk.policy.domains(after=after, limit=PAGE + 1)
    else:
        names = [name for name in here.names() if name > after and wanted in name][: PAGE + 1]
    return names[:PAGE], len(names) > PAGE


def _week(here: Here, names: list[str]) -> dict[str, Line]:
    if here.is_admin:
        return overview.weeks(here.desk)
    since = here.desk.clock() - checks.LATELY
    return {name: stats(here.desk, name, since).all for name in names}
