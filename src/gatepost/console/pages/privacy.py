"""A domain's privacy: who asks what is known of him is told, and who wants to be forgotten is.

An address is sent in a form and never in the address of a page, which logs and browsers remember.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.render import go, show, words_of
from gatepost.console.text import mark
from gatepost.console.zips import zipped
from gatepost.desk import privacy
from gatepost.desk.errors import DeskError

router = APIRouter()
Address = Annotated[str, Form(max_length=320)]
KINDS = {
    "journal": mark("rows of the journal"),
    "kept": mark("kept mails"),
    "queue": mark("mails in the queue"),
    "records": mark("notes of checks and deeds"),
    "trainings": mark("trainings"),
    "reviews": mark("requests for a review"),
    "changes": mark("lines of the list of changes"),
    "lists": mark("entries of lists"),
    "recipients": mark("recipients"),
    "accounts": mark("accounts"),
}
"""What is counted, for people."""


@router.get("/domains/{domain}/privacy")
def page(here: Looking) -> Response:
    """Show the way in; to who only looks, whose it is."""
    return _page(here)


@router.post("/domains/{domain}/privacy")
def find(here: Changing, address: Address) -> Response:
    """Count what there is of somebody."""
    try:
        counts = privacy.look(here.desk, here.domain, privacy.person(address)).counts
    except DeskError as error:
        return _page(here, address, fault=str(error))
    return _page(here, address, counts=counts)


@router.post("/domains/{domain}/privacy/export")
def export(here: Changing, address: Address) -> Response:
    """Hand it out as a zip."""
    return zipped(here.desk, here.domain, privacy.person(address))


@router.post("/domains/{domain}/privacy/erase")
def erase(here: Changing, address: Address, sure: Annotated[str, Form()] = "") -> Response:
    """Erase it, once somebody says that they are sure."""
    words = words_of(here.request, here)
    if sure != "yes":
        return _page(here, address, fault=words.say(mark("Say that you are sure.")),
                     counts=privacy.look(here.desk, here.domain, privacy.person(address)).counts)  # fmt: skip
    done = privacy.erase(here.desk, here.domain, privacy.person(address))
    said = words.say_many("%(n)s thing was erased.", "%(n)s things were erased.", sum(done.done.values()))
    if done.left:
        left = ", ".join(f"{number} {words.say(KINDS[kind])}" for kind, number in done.left.items())
        said += " " + words.say(mark("Left as it is: %(left)s."), left=left)
    return go(here, f"/domains/{here.domain}/privacy", said)


def _page(here: Here, address: str = "", fault: str = "", counts: dict[str, int] | None = None) -> Response:
    return show(
        here,
        "privacy.html",
        status=422 if fault else 200,
        may_change=here.may(here.domain),
        address=address,
        fault=fault,
        counts=counts,
        KINDS=KINDS,
        base=f"/domains/{here.domain}/privacy",
    )
