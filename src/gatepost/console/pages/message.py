"""One mail: why it fared as it did, what would have let it in, and what to do about it now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from gatepost.console.auth import Here, SignedIn, at_domain
from gatepost.console.errors import NotHere
from gatepost.console.pages.archive import address
from gatepost.console.place import page_about
from gatepost.console.render import go, show, words_of
from gatepost.console.rights import Right
from gatepost.console.text import mark
from gatepost.desk import archive, journal, lists, remedy
from gatepost.desk.errors import DeskError
from gatepost.desk.journal import Explained, Explanation
from gatepost.desk.remedy import Remedy, Tried
from gatepost.policy.entries import EntryError

router = APIRouter()
SHOWN = 50
"""Copies of one mail that a page shows."""


@router.get("/journal/{id}")
def message(
    here: SignedIn,
    id: str,  # noqa: A002 - the name in the path
    row: Annotated[int | None, Query(ge=0)] = None,
    entry: Annotated[str, Query(max_length=320)] = "",
    check: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show everything about an id; `row` (its `seq`) and `entry`: try what an entry would change."""
    found, mine = _theirs(here, id)
    tried: Tried | None = None
    fault = ""
    wanted = next((one for one in mine if one.row.seq == row), None)
    if wanted is not None and entry:
        try:
            tried = remedy.tried(here.desk, wanted.row, entry, check)
        except (DeskError, EntryError) as error:
            fault = str(error)
    return show(
        here,
        "message.html",
        id=found.id,
        session=found.session,
        noticed=found.session_steps,
        copies=[_about(here, one) for one in mine[:SHOWN]],
        more=len(mine) - SHOWN,
        tried=tried,
        tried_row=row,
        tried_entry=entry,
        tried_check=check,
        fault=fault,
    )


@router.post("/journal/{id}/list")
def put_on_list(
    here: SignedIn,
    id: str,  # noqa: A002
    row: Annotated[int, Form()],
    kind: Annotated[str, Form()],
    entry: Annotated[str, Form(max_length=320)],
    check: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Always allow, or always refuse, what this mail came from."""
    found, mine = _theirs(here, id)
    meant = next((one.row for one in mine if one.row.seq == row), None)
    if meant is None:
        raise NotHere
    there = at_domain(here, meant.domain, Right.CHANGE)
    words = words_of(here.request, here)
    note = words.say(mark("From the mail %(id)s"), id=meant.id)
    lists.add(there.desk, there.domain, kind, entry, plugin=check, note=note)
    said = mark("%(entry)s is let in from now on.") if kind == "allow" else mark("%(entry)s is refused now.")
    return go(here, f"/journal/{found.id}", words.say(said, entry=entry))


def _theirs(here: Here, id: str) -> tuple[Explanation, list[Explained]]:  # noqa: A002
    """Return what is known of an id, and the copies that they may see; NotHere where there is none."""
    try:
        found = journal.explain(here.desk, id)
    except DeskError:
        raise NotHere from None
    mine = [one for one in found.outcomes if here.may(one.row.domain, Right.LOOK)]
    if not mine and not here.is_admin:
        raise NotHere
    return found, mine


def _about(here: Here, one: Explained) -> dict[str, Any]:
    row = one.row
    may_change = here.may(row.domain, Right.CHANGE) and here.desk.policy.domain(row.domain) is not None
    kept = here.desk.archive.get(row.archive_ref) if row.archive_ref else None
    if kept is not None and not here.desk.archive.exists(kept.ref):
        kept = None
    ways: list[Remedy] = remedy.remedies(here.desk, row)
    return {
        "row": row,
        "steps": [step for step in one.steps if step.check != "dns"],
        "answers": [step.detail for step in one.steps if step.check == "dns"],
        "folded": one.folded,
        "ways": ways,
        "about": page_about(row) if here.desk.policy.domain(row.domain) is not None else None,
        "kept": kept,
        "address": address(kept) if kept is not None else "",
        "release": archive.state(here.desk, kept) if kept is not None else None,
        "may_change": may_change,
    }
