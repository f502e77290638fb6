"""Counted addresses of a domain: found, looked at, reset, closed also before their first mail."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import ORIGINS, Place, at_work
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.desk import aliases
from gatepost.desk.errors import DeskError, NotFound

router = APIRouter()
PAGE = 100
OVER = {
    "closed by its owner": mark("closed by its owner"),
    "its date is over": mark("its date is over"),
    "used up": mark("used up"),
}
"""Why an address takes no mail any more, for people."""
Text = Annotated[str, Query(max_length=400)]
Address = Annotated[str, Form(max_length=400)]


@router.get("/domains/{domain}/aliases")
def listing(here: Looking, q: Text = "", user: Text = "", after: Text = "", address: Text = "") -> Response:
    """List the counted addresses; `address`: show that one."""
    return _page(here, q=q, user=user.strip(), after=after, address=address.strip())


@router.post("/domains/{domain}/aliases")
def act(here: Changing, do: Annotated[str, Form()], address: Address, count: Address = "") -> Response:
    """Reset, close or open an address."""
    desk, full = here.desk, _full(here, address)
    try:
        if full is None:
            raise DeskError(f"{address!r} is not of {here.domain}")
        if do == "reset":
            alias = aliases.reset(desk, full, _number(count))
            said = mark("%(address)s takes its mails again.")
        elif do == "close":
            alias, said = aliases.close(desk, full), mark("%(address)s takes no mail any more.")
        else:
            alias, said = aliases.open_(desk, full), mark("%(address)s is open again.")
    except DeskError as error:
        return _page(here, address=address.strip(), fault=str(error))
    place = _place(here)
    name = alias.kept.address or address
    there = f"{place.base}?{urlencode({'address': name})}"
    # Closed before its first mail and opened again, it is not kept any more.
    is_kept = alias.kept.closed or alias.used or do == "reset"
    return go(here, there if is_kept else place.base, place.words.say(said, address=name))


def _page(
    here: Here, *, q: str = "", user: str = "", after: str = "", address: str = "", fault: str = ""
) -> Response:
    place = _place(here)
    found = aliases.find(here.desk, here.domain, q, user, after, PAGE)
    one, refusals, doubt = None, [], fault
    full = _full(here, address)
    if address and full is not None:
        try:
            one = aliases.show(here.desk, full)
            refusals = aliases.refusals(here.desk, one)
        except NotFound:
            doubt = doubt or place.words.say(mark("No mail has come for it yet, and nobody closed it."))
        except DeskError as error:
            doubt = doubt or str(error)
    return show(
        here,
        "aliases.html",
        status=422 if fault else 200,
        place=place,
        check=at_work(here, aliases.PLUGIN, "aliases"),
        ORIGINS=ORIGINS,
        OVER=OVER,
        found=found,
        q=q,
        user=user,
        after="?" + urlencode({"q": q, "user": user, "after": found.next}) if found.next else "",
        address=address,
        one=one,
        refusals=refusals,
        doubt=doubt,
    )


def _full(here: Here, address: str) -> str | None:
    """Return the whole address; None for one of another domain."""
    local, at, domain = address.strip().rpartition("@")
    if at and domain.lower() != here.domain:
        return None
    return f"{local if at else domain}@{here.domain}"


def _number(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise DeskError(f"{text!r} is not a number")
    return int(text)


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/aliases")
