"""A domain's digest: how it is set, what the next one would say, and one that is sent at once."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from gatepost.console import digest_mail
from gatepost.console.auth import Changing, Here, Looking
from gatepost.console.place import Place
from gatepost.console.render import go, show
from gatepost.console.text import mark
from gatepost.desk import digest, digest_marks, digest_post, domains
from gatepost.desk.errors import DeskError, NotFound
from gatepost.mail.address import fold, parse_address
from gatepost.policy.policy import DomainPolicy

router = APIRouter()
Mailbox = Annotated[str, Query(max_length=320)]
MISSING = mark("There is no such mailbox in this domain.")


@router.get("/domains/{domain}/digest")
def overview(here: Looking, to: Mailbox = "") -> Response:
    """Show the digest that would be made now."""
    return _page(here, to.strip())


@router.post("/domains/{domain}/digest")
def send(here: Changing, to: Annotated[str, Form(max_length=320)] = "") -> Response:
    """Send one now."""
    words = _place(here).words
    try:
        made = digest_post.send(here.desk, here.domain, to.strip() or None, digest_mail.make)
    except NotFound:
        return _page(here, to.strip(), words.say(MISSING))
    except DeskError as error:
        return _page(here, to.strip(), str(error))
    who = ", ".join(one.reader for one in made)
    return go(
        here, f"/domains/{here.domain}/digest", words.say(mark("A digest is on its way to %(who)s."), who=who)
    )


@router.post("/domains/{domain}/digest/mailbox")
def switch(
    here: Changing, to: Annotated[str, Form(max_length=320)], on: Annotated[str, Form()] = ""
) -> Response:
    """Give a mailbox a digest of its own, or none."""
    words = _place(here).words
    try:
        has = digest.switch(here.desk, here.domain, to.strip(), on == "on")
    except DeskError as error:
        return _page(here, to.strip(), str(error))
    said = mark("It gets a digest of its own mail.") if has else mark("It gets no digest of its own.")
    return go(here, f"/domains/{here.domain}/digest?{urlencode({'to': to.strip()})}", words.say(said))


def _page(here: Here, to: str, fault: str = "") -> Response:
    desk = here.desk
    policy, _ = domains.resolved(desk, here.domain)
    try:
        one = digest.now(desk, here.domain, to or None, example=True)
    except DeskError as error:
        known = isinstance(error, NotFound)
        fault = fault or (_place(here).words.say(MISSING) if known else str(error))
        one = digest.now(desk, here.domain, example=True)
    words = digest_mail.words_of(one, desk.clock())
    last = digest_marks.last(desk, here.domain)
    return show(
        here,
        "digest.html",
        status=422 if fault else 200,
        place=_place(here),
        policy=policy,
        nobody=policy.digest != "off" and not policy.digest_to and not policy.digest_mailboxes,
        last=last.until if last is not None else None,
        to=to,
        fault=fault,
        one=one,
        text=digest_mail.text(one, words),
        has_own=not one.whole and of_mailbox(policy, one).digest_mailboxes,
        has_links=bool(desk.public_url),
    )


def of_mailbox(policy: DomainPolicy, one: digest.Digest) -> DomainPolicy:
    """Return the settings of who reads a digest."""
    return policy.for_mailbox(fold(parse_address(one.reader).local))


def _place(here: Here) -> Place:
    return Place(here, here.domain, f"/domains/{here.domain}/digest")
