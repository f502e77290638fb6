"""`/domains/{domain}/recipients`: who exists."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Body as RawBody

from gatepost.console.api.answers import After, Answer, Body, Limit, Page, Text
from gatepost.console.auth import Changing, Looking
from gatepost.desk import recipients

router = APIRouter(tags=["recipients"])


class Recipient(Answer):
    """One recipient."""

    local: str
    """The local part; `*` is everybody."""
    kind: str
    """`valid` or `invalid`."""


class NewRecipients(Body):
    """Recipients to be listed."""

    recipients: list[Text]
    """Local parts or addresses."""
    invalid: bool = False
    """They do not exist: beats the wildcard."""
    only_from: list[Text] | None = None
    """Mail only from these networks."""


class Counted(Answer):
    """How many rows were new, changed or removed."""

    changed: int


class Imported(Answer):
    """What an import did."""

    read: int
    added: int
    removed: int
    bad: list[str]
    """The first lines that could not be read."""
    bad_count: int


@router.get("/domains/{domain}/recipients")
def list_recipients(here: Looking, after: After = "", limit: Limit = 100) -> Page[Recipient]:
    """List the recipients, in order."""
    rows = recipients.listing(here.desk, here.domain, after, limit + 1)
    more = rows[limit - 1].local if len(rows) > limit else None
    return Page(items=[Recipient.of(row) for row in rows[:limit]], next=more)


@router.post("/domains/{domain}/recipients")
def add_recipients(here: Changing, new: NewRecipients) -> Counted:
    """Put recipients on the list."""
    done = recipients.add(here.desk, here.domain, new.recipients, invalid=new.invalid, acl=new.only_from)
    return Counted(changed=done)


@router.delete("/domains/{domain}/recipients")
def remove_recipients(
    here: Changing, name: Annotated[list[Text], Query(min_length=1, max_length=1000)]
) -> Counted:
    """Take recipients off the list (`?name=ann&name=bob`)."""
    return Counted(changed=recipients.remove(here.desk, here.domain, name))


@router.post("/domains/{domain}/recipients/import")
def import_recipients(
    here: Changing,
    lines: Annotated[str, RawBody(media_type="text/plain")],
    invalid: bool = False,
    replace: bool = False,
) -> Imported:
    """Add one recipient a line; with `replace` the list becomes what the lines say."""
    data = lines.encode("utf-8", "replace")
    return Imported.of(
        recipients.import_lines(here.desk, here.domain, data, invalid=invalid, replace=replace)
    )
