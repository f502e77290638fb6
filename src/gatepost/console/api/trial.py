"""`/domains/{domain}/check` and `/recheck`: what would happen to a mail, or to last week's under a draft.

Nothing is kept, counted, changed or delivered; DNS and the domain's own server are really asked, so
this is for who may change the domain.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, Field

from gatepost.console.api.answers import Answer, Body, Page, Text, Time, beginning
from gatepost.console.api.messages import Step
from gatepost.console.auth import Changing
from gatepost.desk import recheck
from gatepost.desk.check import check
from gatepost.desk.errors import DeskError
from gatepost.desk.scopes import address_in
from gatepost.desk.trial import NOBODY, Mail

router = APIRouter(tags=["trial"])
MOST_RECIPIENTS = 100
MOST_AGAIN = 1_000
"""Copies that are judged again within one request."""


def _client(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None


class Question(Body):
    """A mail."""

    sender: Text = Field(max_length=320)
    """The envelope sender; "" is the null sender."""
    to: list[Text] = Field(min_length=1, max_length=MOST_RECIPIENTS)
    """Recipients of this domain, with or without it."""
    client: Annotated[Text, AfterValidator(_client)] = NOBODY
    """The client's address."""
    helo: Text = Field(default="", max_length=255)
    """"": a name that a real server might have."""
    message: Text | None = None
    """The message as text; null with no `base64` either: only the checks up to RCPT are asked."""
    base64: Text | None = None
    """The message as bytes, in base64."""


class Judged(Answer):
    """What would become of one recipient's copy."""

    recipient: str
    fate: str
    """`accepted`, `rejected`, `deferred`, `quarantined` or `taken`."""
    at: str
    """The moment at which the sender is told."""
    reply: str
    plugin: str
    reason: str
    score: float
    tags: list[str]
    watched: list[str]
    """Checks on watch that would refuse it."""
    allowed_by: str
    kept: bool
    routes: list[str]
    steps: list[Step]


class Draft(Body):
    """Settings that are not set."""

    values: dict[Text, Any]
    """`{"dnsbl.mode": "on"}`."""
    since: Text = Field(default="7d", max_length=40)
    limit: int = Field(default=200, ge=1, le=MOST_AGAIN)
    """Copies that are judged again, the newest."""


class Changed(Answer):
    """One copy that the draft would have treated otherwise."""

    id: str
    time: Time
    sender: str
    recipient: str
    client: str
    then: str
    """What became of it."""
    today: str
    """What would become of it with the settings as they are."""
    draft: str
    """And with the draft."""
    why: str
    whole: bool
    """False: its message was not kept, so only checks up to RCPT were asked."""


class Rechecked(Answer):
    """What a draft would have changed."""

    judged: int
    whole: int
    more: bool
    """There were older ones beyond the limit."""
    changed: list[Changed]
    caveats: list[str]
    """What could not be judged as it was."""


@router.post("/domains/{domain}/check")
def check_mail(here: Changing, mail: Question) -> Page[Judged]:
    """Say what would happen to a mail, for each recipient, without doing it."""
    to = tuple(address_in(here.domain, address) for address in mail.to)
    asked = Mail(_raw(mail), mail.sender, to, mail.client, mail.helo)
    return Page(items=[Judged.of(answer) for answer in check(here.desk, asked)])


@router.post("/domains/{domain}/recheck")
def recheck_mail(here: Changing, draft: Draft) -> Rechecked:
    """Judge the mail of the last days again under a draft; nothing is changed."""
    since = beginning(here.desk, draft.since) or 0.0
    found = recheck.recheck(here.desk, here.domain, draft.values, since=since, limit=draft.limit)
    return Rechecked(
        judged=found.whole + found.partly,
        whole=found.whole,
        more=found.more,
        changed=[_changed(one) for one in found.changed],
        caveats=list(recheck.caveats(found)),
    )


def _changed(one: recheck.Changed) -> Changed:
    row = one.row
    return Changed(
        id=row.id, time=row.time, sender=row.sender, recipient=row.recipient, client=row.client,
        then=row.fate, today=one.today.fate, draft=one.draft.fate, why=one.why, whole=one.whole,
    )  # fmt: skip


def _raw(mail: Question) -> bytes | None:
    if mail.base64 is None:
        return None if mail.message is None else mail.message.encode()
    try:
        return b64decode(mail.base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DeskError(f"base64: {error}") from error
