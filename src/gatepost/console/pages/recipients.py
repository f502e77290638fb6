"""The recipients of a domain: add, remove, import a list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response

from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import Place
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.desk import domains, recipients
from gatepost.desk.errors import DeskError

router = APIRouter()
PAGE = 200
"""Recipients of one page."""
Text = Annotated[str, Form()]


@router.get("/domains/{domain}/recipients")
def listing(here: Looking, q: str = "", after: Annotated[str, Query(max_length=200)] = "") -> Response:
    """List the recipients; `q`: only those whose name begins so."""
    return _page(here, q=q, after=after)


@router.post("/domains/{domain}/recipients")
def add(here: Changing, names: Text = "", invalid: Text = "", acl: Text = "") -> Response:
    """Put some on the list."""
    try:
        wanted = names.replace(",", " ").split()
        added = recipients.add(
            here.desk, here.domain, wanted, invalid=invalid == "on", acl=acl.split() or None
        )
    except DeskError as error:
        return _page(here, faults={"names": str(error)}, names=names)
    place = _place(here)
    said = place.words.say_many("%(n)s recipient added.", "%(n)s recipients added.", added)
    return go(here, place.base, said)


@router.post("/domains/{domain}/recipients/remove")
def remove(here: Changing, local: Annotated[list[str], Form()]) -> Response:
    """Take some off the list."""
    removed = recipients.remove(here.desk, here.domain, local)
    place = _place(here)
    return go(
        here,
        place.base,
        place.words.say_many("%(n)s recipient removed.", "%(n)s recipients removed.", removed),
    )


@router.post("/domains/{domain}/recipients/import")
def bring_in(
    here: Changing,
    file: Annotated[UploadFile | None, File()] = None,
    lines: Text = "",
    invalid: Text = "",
    replace: Text = "",
) -> Response:
    """Read a file, or what was pasted: one a line."""
    data = file.file.read() if file is not None and file.filename else lines.encode()
    try:
        done = recipients.import_lines(
            here.desk, here.domain, data, invalid=invalid == "on", replace=replace == "on"
        )
    except DeskError as error:
        return _page(here, faults={"lines": str(error)}, lines=lines)
    if done.bad_count:
        return _page(here, done=done)
    place = _place(here)
    said = mark("%(read)s read: %(added)s added, %(removed)s removed.")
    numbers = {name: place.words.number(getattr(done, name)) for name in ("read", "added", "removed")}
    return go(here, place.base, place.words.say(said, **numbers))


def _page(
    here: Here,
    *,
    q: str = "",
    after: str = "",
    faults: dict[str, str] | None = None,
    names: str = "",
    lines: str = "",
    done: recipients.Imported | None = None,
) -> Response:
    begin = q.strip().lower()
    # The list is in order: what begins so stands together, behind what is just below it.
    below = begin[:-1] + chr(ord(begin[-1]) - 1) + "\U0010ffff" if begin else ""
    rows = recipients.listing(here.desk, here.domain, max(after, below), PAGE + 1)
    rows = [row for row in rows if row.local.startswith(begin)]
    return show(
        here,
        "recipients.html",
        status=422 if faults else 200,
        place=_place(here),
        rows=rows[:PAGE],
        more=rows[PAGE - 1].local if len(rows) > PAGE else "",
        total=here.desk.policy.count_recipients(here.domain),
        mode=domains.resolved(here.desk, here.domain)[0].recipients,
        q=q,
        after=after,
        faults=faults or {},
        names=names,
        lines=lines,
        done=done,
    )


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/recipients")
