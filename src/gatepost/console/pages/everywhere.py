"""What holds for all domains where nothing nearer is set, and the bypass of all; for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console import core_form, forms
from gatepost.console.auth import Admin, Here
from gatepost.console.place import ORIGINS, Place
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.console.typed import Typed, below
from gatepost.desk import domains
from gatepost.desk.errors import DeskError
from gatepost.policy.settings import SETTINGS

router = APIRouter()
SETTING = "set."


@router.get("/settings")
def settings(here: Admin) -> Response:
    """Show them."""
    return _page(here)


@router.post("/settings")
def save(here: Admin, fields: Typed) -> Response:
    """Keep them."""
    read = core_form.read(below(SETTING, fields))
    faults = read.faults | core_form.wrong(read.values)
    if faults:
        return _page(here, faults, fields)
    values = forms.changed(_values(here), read.values)
    version = fields.get("version", "")
    try:
        if values:
            domains.set_values(here.desk, None, values, int(version) if version.isdecimal() else None)
    except DeskError as error:
        return _page(here, {"": str(error)}, fields)
    return _done(here, mark("Saved."))


@router.post("/settings/bypass")
def bypass(here: Admin, on: Annotated[str, Form()] = "") -> Response:
    """Take the filter out of the way of all domains, or put it back."""
    domains.bypass(here.desk, None, on == "on")
    said = mark("Nothing is refused now, only marked and written down.")
    return _done(here, said if on == "on" else mark("The filter is back."))


def _page(here: Here, faults: dict[str, str] | None = None, fields: dict[str, str] | None = None) -> Response:
    values = _values(here)
    typed = None
    if fields is not None:
        typed = {key: below(SETTING, fields).get(key, "") for key in core_form.shown_keys()}
    return show(
        here,
        "everywhere.html",
        status=422 if faults else 200,
        groups=core_form.groups(core_form.fields_of(values, faults, typed)),
        faults=faults or {},
        bypassed=values["bypass"][0],
        version=here.desk.policy.version(),
        ORIGINS=ORIGINS | {"all": mark("set here")},
    )


def _values(here: Here) -> dict[str, tuple[Any, str]]:
    found, _ = domains.get_values(here.desk, None)
    return {one.key: (one.value, one.origin) for one in found if one.key in SETTINGS}


def _done(here: Here, said: str) -> Response:
    return go(here, "/settings", Place(here, None, "/settings").words.say(said))
