"""`/domains/{domain}/archive`: kept mail. Who opens, releases or deletes it is written down."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from gatepost.console.api.answers import (
    After,
    Answer,
    Limit,
    Page,
    Since,
    Text,
    Time,
    Word,
    beginning,
    page,
    require,
)
from gatepost.console.auth import Changing, Here, Looking
from gatepost.desk import archive, training
from gatepost.desk.deeds import deeds_of
from gatepost.desk.releasing import Releasing
from gatepost.spool.index import Kept

router = APIRouter(tags=["archive"])
Day = Annotated[Text, Path(pattern=r"^\d{4}-\d\d-\d\d$")]
File = Annotated[Text, Path(max_length=255)]


class KeptCopy(Answer):
    """One kept copy."""

    ref: str
    """DAY/DOMAIN/FILE: day and file stand in its address here."""
    id: str
    time: Time
    sender: str | None
    """null is the null sender."""
    recipient: str
    outcome: str
    """`rejected` or `quarantined`."""
    plugin: str
    reason: str
    score: float
    subject: str
    size: int


class Deed(Answer):
    """What somebody did with it."""

    time: Time
    by: str
    what: str
    """`opened`, `released`, `released all the same` or `deleted`."""


class Shown(KeptCopy):
    """One kept copy, and what became of it."""

    release: str
    """`waiting`, `delivered`, `failed`, or "" where nobody released it."""
    said: str
    """What the domain's server said last."""
    deeds: list[Deed]


def find(here: Here, day: str, file: str) -> Kept:
    """Return a kept mail of the domain in the path; where there is none, the 404 of what is not theirs."""
    require("/" not in file and file not in (".", ".."))
    (one,) = archive.find(here.desk, f"{day}/{here.domain}/{file}", here.domain)[:1]
    return one


def _shown(here: Here, kept: Kept) -> Shown:
    release = archive.state(here.desk, kept)
    deeds = deeds_of(here.desk, kept.domain, kept.ref)
    return Shown(
        **KeptCopy.of(kept).model_dump(exclude={"time"}),
        time=kept.time,
        release=release.state,
        said=release.last,
        deeds=[Deed.of(deed) for deed in deeds],
    )


@router.get("/domains/{domain}/archive")
def list_kept(
    here: Looking,
    since: Since = None,
    text: Word = None,
    outcome: Literal["rejected", "quarantined"] | None = None,
    after: After = "",
    limit: Limit = 100,
) -> Page[KeptCopy]:
    """List what is kept, the newest first."""
    at = beginning(here.desk, since) or 0.0
    found = archive.listing(
        here.desk, here.domain, since=at, outcome=outcome, text=text or "", limit=limit + 1, after=after
    )
    behind = found[limit - 1].ref if len(found) > limit else None
    return page([KeptCopy.of(kept) for kept in found], limit, behind)


@router.get("/domains/{domain}/archive/{day}/{file}")
def show_kept(here: Looking, day: Day, file: File) -> Shown:
    """Show what is known of a kept mail, and who did what with it."""
    return _shown(here, find(here, day, file))


@router.get("/domains/{domain}/archive/{day}/{file}/raw", response_class=StreamingResponse)
def open_kept(here: Looking, day: Day, file: File) -> StreamingResponse:
    """Return the bytes as received."""
    blocks = archive.opened(here.desk, find(here, day, file))
    return StreamingResponse(
        blocks,
        media_type="application/octet-stream",
        headers={"content-disposition": 'attachment; filename="message.eml"'},
    )


@router.post("/domains/{domain}/archive/{day}/{file}/release")
def release_kept(
    here: Changing,
    day: Day,
    file: File,
    again: bool = False,
    train: bool = False,
    all_the_same: bool = False,
) -> Shown:
    """Hand a kept mail on to the domain's own server; asked for twice, it is delivered once.

    409 where the domain's virus check refuses it or cannot look at it now; `all_the_same` releases it
    unseen. `train`: teach the classifier in one go that it is no spam.
    """
    kept = find(here, day, file)
    Releasing(here.desk, again=again, all_the_same=all_the_same).release(kept)
    if train:
        training.train_kept(here.desk, [kept], spam=False, how="api")
    return _shown(here, kept)


@router.delete("/domains/{domain}/archive/{day}/{file}", status_code=204)
def delete_kept(here: Changing, day: Day, file: File) -> None:
    """Delete a kept mail."""
    archive.delete(here.desk, find(here, day, file))
