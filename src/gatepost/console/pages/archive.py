"""Kept mail: found, looked at safely, released, deleted, taught; one by one or many at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import Response, StreamingResponse

from gatepost.console.auth import Changing, Here, Looking, SignedIn, at_domain
from gatepost.console.environment import FATES
from gatepost.console.errors import NotHere
from gatepost.console.render import go, show, words_of
from gatepost.console.rights import Right
from gatepost.console.text import mark
from gatepost.desk import archive, preview, training
from gatepost.desk.deeds import ALL_THE_SAME, deeds_of
from gatepost.desk.errors import DeskError
from gatepost.desk.releasing import Doubtful, Releasing
from gatepost.spool.index import Kept

router = APIRouter()
PAGE = 50
NAMES = 200
MANY = 200
"""Mails that are released or deleted at once."""

Day = Annotated[str, Path(pattern=r"^\d{4}-\d\d-\d\d$")]
File = Annotated[str, Path(max_length=255)]
Text = Annotated[str, Query(max_length=320)]


@router.get("/archive")
def listing(here: SignedIn, q: Text = "", domain: Text = "", fate: Text = "", after: Text = "") -> Response:
    """Show what is kept, the newest first."""
    names = None if here.is_admin else here.names()
    if domain.strip():
        here = at_domain(here, domain.strip())
        names = [here.domain]
    found = archive.listing(
        here.desk, text=q.strip(), outcome=fate or None, limit=PAGE + 1, domains=names, after=after
    )
    offered = here.names(limit=NAMES)
    return show(
        here,
        "archive.html",
        q=q,
        domain=domain,
        fate=fate,
        rows=[(kept, archive.state(here.desk, kept)) for kept in found[:PAGE]],
        after=found[PAGE - 1].ref if len(found) > PAGE else "",
        names=offered,
        every_domain=len(offered) != 1 or here.is_admin,
        fates={word: FATES[word] for word in ("rejected", "quarantined")},
        may_change=any(here.may(kept.domain, Right.CHANGE) for kept in found),
        address=address,
    )


@router.post("/archive")
def many(
    here: SignedIn,
    do: Annotated[str, Form()],
    ref: Annotated[list[str] | None, Form()] = None,
    sure: Annotated[str, Form()] = "",
) -> Response:
    """Release or delete what was chosen, once somebody says that they are sure."""
    chosen = [_chosen(here, one) for one in (ref or [])[:MANY]]
    words = words_of(here.request, here)
    if not chosen or do not in ("release", "delete"):
        return go(here, "/archive", words.say(mark("Nothing was chosen.")))
    if sure != "yes":
        return show(here, "archive_sure.html", do=do, chosen=chosen)
    faults = []
    releasing = Releasing(here.desk)
    for kept in chosen:
        try:
            if do == "release":
                releasing.release(kept)
            else:
                archive.delete(here.desk, kept)
        except DeskError as error:
            faults.append(str(error))
    done = len(chosen) - len(faults)
    if do == "release":
        said = words.say_many("%(n)s mail is on its way.", "%(n)s mails are on their way.", done)
    else:
        said = words.say_many("%(n)s mail is deleted.", "%(n)s mails are deleted.", done)
    return go(here, "/archive", " ".join((said, *faults[:5])))


@router.get("/archive/{day}/{domain}/{file}")
def one(here: Looking, day: Day, file: File) -> Response:
    """Show a kept mail; that it was opened is written down."""
    kept = _find(here, day, file)
    raw, cut = preview.read(archive.opened(here.desk, kept))
    return show(
        here,
        "kept.html",
        kept=kept,
        mail=preview.preview(raw, cut),
        release=archive.state(here.desk, kept),
        deeds=deeds_of(here.desk, kept.domain, kept.ref)[-20:],
        may_change=here.may(kept.domain, Right.CHANGE),
        base=address(kept),
        DEEDS=DEEDS,
    )


@router.get("/archive/{day}/{domain}/{file}/raw")
def raw(here: Looking, day: Day, file: File) -> Response:
    """Hand out the bytes as received, as a file that no browser opens."""
    return StreamingResponse(
        archive.opened(here.desk, _find(here, day, file)),
        media_type="application/octet-stream",
        headers={
            "content-disposition": 'attachment; filename="message.eml"',
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


@router.post("/archive/{day}/{domain}/{file}/release")
def release(
    here: Changing,
    day: Day,
    file: File,
    what: Annotated[str, Form()] = "",
    all_the_same: Annotated[str, Form()] = "",
) -> Response:
    """Hand it on to the domain's own server; `what=ham`: and teach that it is no spam.

    What the virus check is against takes a second button, which says what is done (`all_the_same=yes`).
    """
    kept = _find(here, day, file)
    try:
        Releasing(here.desk, all_the_same=all_the_same == "yes").release(kept)
    except Doubtful as error:
        return show(
            here,
            "release_sure.html",
            status=409,
            kept=kept,
            doubt=error.doubt,
            what=what,
            base=address(kept),
        )
    words = words_of(here.request, here)
    said = [words.say(mark("It is on its way to the domain's own server."))]
    if what == "ham":
        try:
            training.train_kept(here.desk, [kept], spam=False, how="console")
            said.append(words.say(mark("Learnt: no spam.")))
        except DeskError as error:  # it is released all the same
            said.append(str(error))
    return go(here, address(kept), " ".join(said))


@router.post("/archive/{day}/{domain}/{file}/delete")
def delete(here: Changing, day: Day, file: File) -> Response:
    """Delete it for good."""
    archive.delete(here.desk, _find(here, day, file))
    return go(here, "/archive", words_of(here.request, here).say(mark("It is deleted.")))


@router.post("/archive/{day}/{domain}/{file}/train")
def train(here: Changing, day: Day, file: File, what: Annotated[str, Form()]) -> Response:
    """Teach the domain's classifier that it is spam, or that it is none."""
    kept = _find(here, day, file)
    training.train_kept(here.desk, [kept], spam=what == "spam", how="console")
    said = mark("Learnt: spam.") if what == "spam" else mark("Learnt: no spam.")
    return go(here, address(kept), words_of(here.request, here).say(said))


DEEDS = {
    "opened": mark("opened"),
    "released": mark("released"),
    ALL_THE_SAME: mark("released all the same"),
    "deleted": mark("deleted"),
}


def address(kept: Kept) -> str:
    """Return where a kept mail is shown."""
    day, _, file = kept.ref.split("/", 2)
    return f"/archive/{day}/{kept.domain}/{file}"


def _find(here: Here, day: str, file: str) -> Kept:
    if "/" in file or file in (".", ".."):
        raise NotHere
    # The desk's NotFound becomes the 404 of everything that is not theirs.
    return archive.find(here.desk, f"{day}/{here.domain}/{file}", here.domain)[0]


def _chosen(here: Here, ref: str) -> Kept:
    day, _, rest = ref.partition("/")
    domain, _, file = rest.partition("/")
    return _find(at_domain(here, domain, Right.CHANGE), day, file)
