"""What a domain's people taught its classifier: how far it is, where to send, who taught what, taken back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import ORIGINS, Place, at_work
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.desk import train_addresses, training
from gatepost.desk.errors import DeskError
from gatepost.desk.train_addresses import Addresses

router = APIRouter()
PAGE = 50
"""Trainings of one page."""
DAYS = 30
"""Lines of who taught how much on which day."""
HOW = training.CONSOLE
WAYS = {
    training.CONSOLE: mark("console"),
    "api": mark("program"),
    "address": mark("mail"),
    "silence": mark("nobody objected"),
    training.COMMAND_LINE: mark("command line"),
}
"""How it was taught, for people."""


@router.get("/domains/{domain}/training")
def listing(here: Looking, before: Annotated[int | None, Query(ge=0, le=1 << 62)] = None) -> Response:
    """Show how far the classifier is, and what was taught; `before`: older ones."""
    return _page(here, before=before)


@router.post("/domains/{domain}/training")
def teach(
    here: Changing, what: Annotated[str, Form()], file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Teach a message from a file."""
    raw = file.file.read() if file is not None else b""
    place = _place(here)
    if not raw.strip():
        return _page(here, faults={"file": place.words.say(mark("Choose a file with one mail in it."))})
    try:
        done = training.train(
            here.desk, here.domain, [training.Lesson(raw)], spam=what == "spam", how=HOW, correct=True
        )
    except DeskError as error:
        return _page(here, faults={"file": str(error)})
    said = mark("Learnt.") if done.learnt else mark("This mail was taught so before.")
    return go(here, place.base, place.words.say(said))


@router.post("/domains/{domain}/training/undo")
def undo(
    here: Changing,
    number: Annotated[int | None, Form(ge=0, le=1 << 62)] = None,
    by: Annotated[str, Form(max_length=320)] = "",
    day: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Take back one training, or what somebody taught on a day: as if it had never been."""
    place = _place(here)
    try:
        if number is None and not (by and day):
            raise DeskError("nothing was chosen")
        numbers = [] if number is None else [number]
        gone = training.undo(here.desk, here.domain, numbers, by=by, day=day)
    except DeskError as error:
        return _page(here, faults={"undo": str(error)})
    said = place.words.say_many("%(n)s training taken back.", "%(n)s trainings taken back.", len(gone))
    return go(here, place.base, said)


@router.post("/domains/{domain}/training/address")
def address(here: Changing, person: Annotated[str, Form(max_length=320)]) -> Response:
    """Show somebody's own training addresses; whoever knows them trains in that name."""
    try:
        found = train_addresses.of_person(here.desk, here.domain, person)
    except DeskError as error:
        return _page(here, faults={"person": str(error)}, person=person)
    return _page(here, person=person, own=found)


def _page(
    here: Here,
    *,
    before: int | None = None,
    faults: dict[str, str] | None = None,
    person: str = "",
    own: Addresses | None = None,
) -> Response:
    found, fault = [], ""
    standing, days = None, []
    try:
        found = training.log(here.desk, here.domain, PAGE + 1, before)
        standing = training.standing(here.desk, here.domain)
        days = training.days(here.desk, here.domain, DAYS)
    except DeskError as error:
        fault = str(error)  # numpy is missing: the page says so, and the rest of the console goes on
    return show(
        here,
        "training.html",
        status=422 if faults else 200,
        place=_place(here),
        check=at_work(here, training.CLASSIFIER, "training"),
        mail=at_work(here, "training", "training"),
        ORIGINS=ORIGINS,
        WAYS=WAYS,
        standing=standing,
        fault=fault,
        rows=found[:PAGE],
        more=found[PAGE - 1].seq if len(found) > PAGE else None,
        days=days,
        waiting=training.waiting(here.desk, here.domain),
        addresses=train_addresses.open_to_all(here.desk, here.domain),
        faults=faults or {},
        person=person,
        theirs=own,
    )


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/training")
