"""`/domains/{domain}/digest`: what a digest says, and one that is sent now. Its settings are the domain's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from gatepost.console import digest_mail
from gatepost.console.api.answers import Answer, Body, Since, Text, Time, Word, beginning
from gatepost.console.auth import Changing, Here, Looking
from gatepost.desk import digest, digest_post
from gatepost.desk.digest import Row

router = APIRouter(tags=["digest"])


class Told(Answer):
    """One kept mail in a digest."""

    ref: str
    id: str
    time: Time
    sender: str | None
    recipient: str
    subject: str
    reason: str
    held: bool
    """The sender believes that it arrived."""
    by_link: bool
    """The digest has a link that releases it."""


class Shown(Answer):
    """A digest as it would be made now."""

    reader: str
    whole: bool
    """About all mail of the domain."""
    since: Time
    until: Time
    number: int
    """Mails that were kept."""
    items: list[Told]
    """The first of them, as they stand in it."""
    subject: str
    text: str
    """What the mail says, but for its links."""


class Sent(Answer):
    """A digest that is on its way."""

    reader: str
    number: int
    """Mails that it tells of."""


class Send(Body):
    """Whom to send a digest."""

    to: Annotated[Text | None, Field(max_length=320)] = None
    """A mailbox of the domain; null: all who get the domain's digest."""


class Own(Answer):
    """Whether a mailbox gets a digest of its own mail, where its domain has digests."""

    on: bool


class Switch(Body):
    """Whether a mailbox gets a digest of its own mail."""

    on: bool | None
    """null: as the domain has it."""


@router.get("/domains/{domain}/digest")
def show_digest(here: Looking, to: Word = None, since: Since = None) -> Shown:
    """Show the digest of a mailbox, or of the whole domain, since a moment or since the last one."""
    return _shown(here, to or None, beginning(here.desk, since))


@router.post("/domains/{domain}/digest", status_code=202)
def send_digest(here: Changing, body: Send) -> list[Sent]:
    """Send a digest now; the next one that is due is made all the same."""
    made = digest_post.send(here.desk, here.domain, body.to, digest_mail.make)
    return [Sent.of(one) for one in made]


@router.put("/domains/{domain}/digest/mailboxes/{local:part}")
def switch_digest(here: Changing, local: Text, body: Switch) -> Own:
    """Give a mailbox a digest of its own mail, or none."""
    return Own(on=digest.switch(here.desk, here.domain, local, body.on))


def _shown(here: Here, to: str | None, since: float | None) -> Shown:
    one = digest.now(here.desk, here.domain, to, since=since, example=True)
    words = digest_mail.words_of(one, here.desk.clock())
    return Shown(
        reader=one.reader,
        whole=one.whole,
        since=one.since,
        until=one.until,
        number=one.number,
        items=[_told(row) for row in (*one.held, *one.refused)],
        subject=digest_mail.subject(one, words),
        text=digest_mail.text(one, words),
    )


def _told(row: Row) -> Told:
    kept = row.kept
    return Told(
        ref=kept.ref, id=kept.id, time=kept.time, sender=kept.sender, recipient=kept.recipient,
        subject=kept.subject, reason=kept.reason, held=kept.held, by_link=bool(row.token),
    )  # fmt: skip
