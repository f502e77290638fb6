"""Rules about names of a domain: in their order with their hits, added, moved, removed, tried, imported.

The same page stands below `/rules` for all domains, for administrators; there nothing is tried, nor counted.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, UploadFile
from fastapi.responses import Response

from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.console.place import ORIGINS, Place, at_work
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import rules
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.rule_files import FORMATS

router = APIRouter()
ASKED = {"tried": "", "draft": "", "how": "part"}
MOST_TRIED = 100
"""Addresses that are tried at once."""
HOW = {
    "part": mark("stands in it"),
    "whole": mark("is all of it"),
    "regex": mark("regular expression"),
}
ON = {"localpart": mark("the name before the @"), "address": mark("the whole address")}
THEN = {
    "refuse": mark("refuse"),
    "later": mark("ask the sender to come back"),
    "pass": mark("let through"),
}
Text = Annotated[str, Form()]
RuleId = Annotated[str, Path(pattern="^[0-9a-f]{8}$")]
Tried = Annotated[str, Query(max_length=20_000, alias="try")]
Word = Annotated[str, Query(max_length=1_000)]


@router.get("/domains/{domain}/rules")
def listing(here: Looking, tried: Tried = "", draft: Word = "", how: Word = "part") -> Response:
    """Show the rules; `try`: what they, or a draft of one, make of addresses."""
    if not tried.strip():
        return _page(here)
    names = tried.replace(",", " ").split()[:MOST_TRIED]
    asked = {"tried": tried, "draft": draft, "how": how}
    try:
        drafted = (rules.make(pattern=draft, how=how),) if draft else None
        return _page(here, found=rules.test(here.desk, here.domain, names, drafted), asked=asked)
    except DeskError as error:
        return _page(here, doubt=str(error), asked=asked)


@router.post("/domains/{domain}/rules")
def add(here: Changing, fields: Typed) -> Response:
    """Add a rule, behind the others or before them."""
    try:
        typed = {name: fields.get(name, "") for name in ("pattern", "text", "note")}
        rule = rules.make(**typed, **_words(fields))
        done = rules.add(here.desk, here.domain or None, [rule], first=fields.get("first") == "on")
    except DeskError as error:
        return _page(here, fault=str(error), fields=fields)
    if done.caught_count:
        return _page(here, done=done)
    said = mark("That rule is there already.") if done.same else mark("Added; it counts from now on.")
    return _back(here, said)


@router.post("/domains/{domain}/rules/import")
def bring_in(
    here: Changing,
    file: Annotated[UploadFile | None, File()] = None,
    lines: Text = "",
    kind: Text = "",
    six: Text = "",
) -> Response:
    """Take over an old file, what was pasted, or the six patterns of 2009."""
    data = file.file.read() if file is not None and file.filename else lines.encode()
    known = next((one for one in FORMATS if one == kind), None)
    try:
        if six:
            done = rules.import_six(here.desk, here.domain or None)
        else:
            done = rules.import_file(here.desk, here.domain or None, data, known)
    except DeskError as error:
        return _page(here, bad=str(error), lines=lines)
    return _page(here, done=done)


@router.post("/domains/{domain}/rules/{rule}/move")
def move(here: Changing, rule: RuleId, place: Annotated[int, Form(ge=0, le=100_000)]) -> Response:
    """Put a rule at another place."""
    rules.move(here.desk, here.domain or None, rule, place)
    return _back(here, mark("Moved."))


@router.post("/domains/{domain}/rules/{rule}/remove")
def remove(here: Changing, rule: RuleId) -> Response:
    """Take a rule away."""
    if not any(one.id == rule for one in rules.in_force(here.desk, here.domain or None)):
        raise NotFound(rule)
    rules.remove(here.desk, here.domain or None, rule)
    return _back(here, mark("Removed."))


@router.get("/rules")
def listing_for_all(here: Admin) -> Response:
    """Show the rules of all domains that have none of their own."""
    return _page(here)


@router.post("/rules")
def add_for_all(here: Admin, fields: Typed) -> Response:
    """Add a rule for all domains."""
    return add(here, fields)


@router.post("/rules/import")
def bring_in_for_all(
    here: Admin,
    file: Annotated[UploadFile | None, File()] = None,
    lines: Text = "",
    kind: Text = "",
    six: Text = "",
) -> Response:
    """Take over an old file for all domains."""
    return bring_in(here, file, lines, kind, six)


@router.post("/rules/{rule}/move")
def move_for_all(here: Admin, rule: RuleId, place: Annotated[int, Form(ge=0, le=100_000)]) -> Response:
    """Put a rule of all domains at another place."""
    return move(here, rule, place)


@router.post("/rules/{rule}/remove")
def remove_for_all(here: Admin, rule: RuleId) -> Response:
    """Take a rule of all domains away."""
    return remove(here, rule)


def _words(fields: dict[str, str]) -> dict[str, str]:
    """Return the choices that were made; what was not chosen has its default."""
    return {name: fields[name] for name in ("how", "on", "then") if fields.get(name)}


def _page(here: Here, *, fault: str = "", bad: str = "", **values: Any) -> Response:
    empty = {"found": None, "doubt": "", "asked": ASKED, "done": None, "fields": {}, "lines": ""}
    return show(
        here,
        "rules.html",
        status=422 if fault or bad else 200,
        place=_place(here),
        check=at_work(here, rules.CHECK, "rules") if here.domain else None,
        rows=rules.listing(here.desk, here.domain or None),
        origin=rules.origin(here.desk, here.domain or None),
        fault=fault,
        bad=bad,
        ORIGINS=ORIGINS,
        HOW=HOW,
        ON=ON,
        THEN=THEN,
        FORMATS=FORMATS,
        **(empty | values),
    )


def _place(here: Here) -> Place:
    """Return the domain of the path, or all domains where it names none."""
    return Place(here, here.domain or None, f"/domains/{here.domain}/rules" if here.domain else "/rules")


def _back(here: Here, said: str) -> Response:
    place = _place(here)
    return go(here, place.base, place.words.say(said))
