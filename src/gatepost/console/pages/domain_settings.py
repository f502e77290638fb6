"""A domain's settings: who exists, thresholds, how long things stay, its digest; and its removal."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console import core_form, settings_form
from gatepost.console.auth import Admin, Changing, Here, Looking, at_domain
from gatepost.console.place import ORIGINS, Place
from gatepost.console.render import go, show
from gatepost.console.rights import Right
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import checks, domains

router = APIRouter()


@router.get("/domains/{domain}/settings")
def settings(here: Looking) -> Response:
    """Show them."""
    return _page(here)


@router.post("/domains/{domain}/settings")
def save(here: Changing, fields: Typed) -> Response:
    """Keep its settings."""
    faults = settings_form.keep(here, here.domain, fields)
    if faults:
        return _page(here, faults, fields)
    return _done(here, mark("Saved."))


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
        return _page(there, {"remove": _place(there).words.say(mark("Type the domain's name."))})
    domains.remove(there.desk, there.domain)
    said = Place(here, None, "").words.say(mark("%(domain)s is hosted here no longer."), domain=there.domain)
    return go(here, "/domains", said)


def _page(here: Here, faults: dict[str, str] | None = None, fields: dict[str, str] | None = None) -> Response:
    own = domains.own_values(here.desk, here.domain)
    return show(
        here,
        "domain_settings.html",
        status=422 if faults else 200,
        place=_place(here),
        groups=settings_form.shown(settings_form.values_of(here, here.domain), faults, fields),
        otherwise=settings_form.otherwise(here, here.domain),
        at_work=[one for one in checks.listing(here.desk, here.domain) if one.mode != "off" or one.set_here],
        faults=faults or {},
        version=here.desk.policy.version(),
        is_set=any(key in own for key in core_form.shown_keys()),
        ORIGINS=ORIGINS,
        may_remove=here.is_admin,
    )


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/settings")


def _done(here: Here, said: str) -> Response:
    place = _place(here)
    return go(here, place.base, place.words.say(said))
