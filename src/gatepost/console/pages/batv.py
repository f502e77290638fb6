"""BATV of a domain: keys, addresses whose outgoing mail is signed and since when, what is refused; a try."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import ORIGINS, Place, at_work
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.desk import batv
from gatepost.desk.errors import DeskError

router = APIRouter()
SHOWN = 500
Text = Annotated[str, Form(max_length=2_000)]


@router.get("/domains/{domain}/batv")
def status(here: Looking, address: Annotated[str, Query(max_length=400)] = "") -> Response:
    """Show the state; `address`: whether its tag is good, or its tag of today."""
    address = address.strip()
    if not address:
        return _page(here)
    full = address if "@" in address else f"{address}@{here.domain}"
    try:
        if full.rpartition("@")[2].lower() != here.domain:
            raise DeskError(f"{address} is no address of {here.domain}")
        if full.lower().startswith("prvs=") or not _place(here).may_change:
            return _page(here, address=address, checked=batv.check(here.desk, full))
        return _page(here, address=address, tagged=batv.tag(here.desk, full))
    except DeskError as error:
        return _page(here, address=address, doubt=str(error))


@router.post("/domains/{domain}/batv/refuse")
def refuse(here: Changing, on: Annotated[str, Form()] = "") -> Response:
    """Refuse forged bounces, or let them pass."""
    batv.refuse(here.desk, here.domain, on == "on")
    said = (
        mark("Bounces with a bad tag are refused now.") if on == "on" else mark("Tags are not asked for now.")
    )
    return _done(here, said)


@router.post("/domains/{domain}/batv/keys")
def new_key(here: Changing) -> Response:
    """Make a key, which signs from now on."""
    number = batv.new_key(here.desk, here.domain)
    return _done(here, mark("Key %(number)s signs from now on."), number=number)


@router.post("/domains/{domain}/batv/keys/{number}/drop")
def drop_key(here: Changing, number: Annotated[int, Path(ge=0, le=9)]) -> Response:
    """Forget an old key."""
    batv.drop_key(here.desk, here.domain, number)
    return _done(here, mark("Key %(number)s is forgotten; its tags are bad from now on."), number=number)


@router.post("/domains/{domain}/batv/addresses")
def add(here: Changing, names: Text = "") -> Response:
    """Sign the mail of some addresses."""
    try:
        added = batv.add(here.desk, here.domain, names.replace(",", " ").split())
    except DeskError as error:
        return _page(here, fault=str(error), names=names)
    place = _place(here)
    said = place.words.say_many("%(n)s address is signed now.", "%(n)s addresses are signed now.", len(added))
    return go(here, place.base, said)


@router.post("/domains/{domain}/batv/addresses/remove")
def remove(here: Changing, name: Text) -> Response:
    """Sign the mail of an address no longer."""
    batv.remove(here.desk, here.domain, [name])
    return _done(here, mark("The mail of %(name)s is signed no longer."), name=name)


def _page(
    here: Here,
    *,
    address: str = "",
    tagged: str = "",
    checked: tuple[bool, str] | None = None,
    doubt: str = "",
    fault: str = "",
    names: str = "",
) -> Response:
    found = batv.show(here.desk, here.domain)
    return show(
        here,
        "batv.html",
        status=422 if fault else 200,
        place=_place(here),
        check=at_work(here, batv.CHECK, "batv"),
        ORIGINS=ORIGINS,
        found=found,
        rows=[(one, found.strict_from(one)) for one in found.addresses[:SHOWN]],
        address=address,
        tagged=tagged,
        checked=checked,
        doubt=doubt,
        fault=fault,
        names=names,
    )


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/batv")


def _done(here: Here, said: str, **values: object) -> Response:
    place = _place(here)
    return go(here, place.base, place.words.say(said, **values))
