"""Allow and deny lists: of a domain with its mailboxes and checks, and for all domains; which entry decides.

The same pages stand below `/lists` for all domains, for administrators.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.console.entry_form import Filtered, Filters, Question, Questioned, read
from gatepost.console.place import Place
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import deciding, lists
from gatepost.desk.errors import DeskError

router = APIRouter()
PAGE = 100
LAST = 1 << 62
EMPTY = Filters()
LEVELS = {
    "mailbox": mark("of the mailbox"),
    "domain": mark("of the domain"),
    "all": mark("for all domains"),
}

After = Annotated[int | None, Query(ge=0, le=LAST)]
Number = Annotated[int, Path(ge=0, le=LAST)]


def _of(here: Here, word: str | None) -> Place:
    return Place(here, word, "/lists" if word is None else f"/domains/{word}/lists")


def _page(
    place: Place,
    asked: Filters = EMPTY,
    after: int | None = None,
    question: Question | None = None,
    fields: dict[str, str] | None = None,
    fault: str = "",
) -> Response:
    desk = place.here.desk
    found = lists.find(desk, place.word, asked.wanted(after), PAGE)
    decided, doubt = None, ""
    if question is not None and question.asked.any and place.word is not None:
        try:
            decided = deciding.deciding(desk, place.word, question.asked)
        except DeskError as error:
            doubt = str(error)
    return show(
        place.here,
        "lists.html",
        status=422 if fault else 200,
        place=place,
        asked=asked,
        found=found,
        older=asked.address(found.next) if found.next is not None else "",
        question=question or Question(),
        decided=decided,
        doubt=doubt,
        fields=fields or {},
        fault=fault,
        checks=[one.name for one in desk.registry if one.plugin.own_list],
        LEVELS=LEVELS,
    )


def _add(place: Place, fields: dict[str, str]) -> Response:
    mailbox = fields.get("mailbox", "").strip() if place.word is not None else ""
    local, _, domain = mailbox.partition("@")
    try:
        if domain and domain.lower() != place.word:
            raise DeskError(f"{mailbox!r} is not of {place.word}")
        lists.add(
            place.here.desk,
            f"{local}@{place.word}" if local else place.word,
            fields.get("kind", ""),
            fields.get("entry", ""),
            plugin=fields.get("check", ""),
            **read(place.here, fields),
        )
    except DeskError as error:
        return _page(place, fields=fields, fault=str(error))
    return go(place.here, place.base, place.words.say(mark("Added; it counts from now on.")))


def _one(place: Place, number: int, fields: dict[str, str] | None = None, fault: str = "") -> Response:
    listed = lists.one(place.here.desk, place.word, number)
    entry = listed.entry
    held = {
        "kind": entry.kind,
        "entry": entry.text,
        "check": entry.plugin,
        "expires": place.words.typed(entry.expires),
        "note": entry.note,
        "verified": "on" if entry.verified else "",
        "locked": "on" if entry.locked else "",
    }
    return show(
        place.here,
        "list_entry.html",
        status=422 if fault else 200,
        place=place,
        listed=listed,
        fields=held if fields is None else fields,
        fault=fault,
        checks=[one.name for one in place.here.desk.registry if one.plugin.own_list],
        may_change=place.may_change and (place.here.is_admin or not entry.locked),
    )


def _save(place: Place, number: int, fields: dict[str, str]) -> Response:
    try:
        lists.change(
            place.here.desk,
            place.word,
            number,
            fields.get("kind", ""),
            fields.get("entry", ""),
            plugin=fields.get("check", ""),
            **read(place.here, fields),
        )
    except DeskError as error:
        return _one(place, number, fields, str(error))
    return go(place.here, place.base, place.words.say(mark("Saved.")))


def _remove(place: Place, number: int) -> Response:
    listed = lists.one(place.here.desk, place.word, number)
    lists.remove(place.here.desk, place.word, f"#{listed.entry.id}")
    said = place.words.say(mark("%(entry)s is on the list no longer."), entry=listed.entry.text)
    return go(place.here, place.base, said)


@router.get("/domains/{domain}/lists")
def of_domain(here: Looking, asked: Filtered, question: Questioned, after: After = None) -> Response:
    """List the entries of a domain and its mailboxes; or say which one decides."""
    return _page(_of(here, here.domain), asked, after, question)


@router.post("/domains/{domain}/lists")
def add_to_domain(here: Changing, fields: Typed) -> Response:
    """Put an entry on a domain's list."""
    return _add(_of(here, here.domain), fields)


@router.get("/domains/{domain}/lists/{number}")
def one_of_domain(here: Looking, number: Number) -> Response:
    """Show one entry of a domain."""
    return _one(_of(here, here.domain), number)


@router.post("/domains/{domain}/lists/{number}")
def save_one_of_domain(here: Changing, number: Number, fields: Typed) -> Response:
    """Change an entry of a domain."""
    return _save(_of(here, here.domain), number, fields)


@router.post("/domains/{domain}/lists/{number}/remove")
def remove_from_domain(here: Changing, number: Number) -> Response:
    """Take an entry off a domain's list."""
    return _remove(_of(here, here.domain), number)


@router.get("/lists")
def of_all(here: Admin, asked: Filtered, after: After = None) -> Response:
    """List the entries that hold for all domains."""
    return _page(_of(here, None), asked, after)


@router.post("/lists")
def add_to_all(here: Admin, fields: Typed) -> Response:
    """Put an entry on the list of all domains."""
    return _add(_of(here, None), fields)


@router.get("/lists/{entry}")
def one_of_all(here: Admin, entry: Number) -> Response:
    """Show one entry for all domains."""
    return _one(_of(here, None), entry)


@router.post("/lists/{entry}")
def save_one_of_all(here: Admin, entry: Number, fields: Typed) -> Response:
    """Change an entry for all domains."""
    return _save(_of(here, None), entry, fields)


@router.post("/lists/{entry}/remove")
def remove_from_all(here: Admin, entry: Number) -> Response:
    """Take an entry off the list of all domains."""
    return _remove(_of(here, None), entry)
