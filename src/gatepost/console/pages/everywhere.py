"""What holds for all domains where nothing nearer is set, and the bypass of all; for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console import settings_form
from gatepost.console.auth import Admin, Here
from gatepost.console.place import ORIGINS, Place
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import domains

router = APIRouter()


@router.get("/settings")
def settings(here: Admin) -> Response:
    """Show them."""
    return _page(here)


@router.post("/settings")
def save(here: Admin, fields: Typed) -> Response:
    """Keep them."""
    faults = settings_form.keep(here, None, fields)
    if faults:
        return _page(here, faults, fields)
    return _done(here, mark("Saved."))


@router.post("/settings/bypass")
def bypass(here: Admin, on: Annotated[str, Form()] = "") -> Response:
    """Take the filter out of the way of all domains, or put it back."""
    domains.bypass(here.desk, None, on == "on")
    said = mark("Nothing is refused now, only marked and written down.")
    return _done(here, said if on == "on" else mark("The filter is back."))


def _page(here: Here, faults: dict[str, str] | None = None, fields: dict[str, str] | None = None) -> Response:
    values = settings_form.values_of(here, None)
    return show(
        here,
        "everywhere.html",
        status=422 if faults else 200,
        groups=settings_form.shown(values, faults, fields),
        otherwise=settings_form.otherwise(here, None),
        faults=faults or {},
        bypassed=values["bypass"][0],
        version=here.desk.policy.version(),
        ORIGINS=ORIGINS | {"all": mark("set here")},
    )


def _done(here: Here, said: str) -> Response:
    return go(here, "/settings", Place(here, None, "/settings").words.say(said))
