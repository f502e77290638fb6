"""Mail that a machine sent by itself in answer to another: bounces, challenges, other replies.

Read from the headers alone (RFC 3834, RFC 6522, and what programs that predate them write). A
bounce with the null sender needs no reading; these are the ones that come with a real-looking
sender. Pure and bounded; what a word in a subject says counts only on mail that is a reply, since
shops and lists ask people to confirm things too.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from gatepost.mail.message import Message

MAX_VALUE = 1_000
"""Characters of a field that are looked at."""


class Kind(StrEnum):
    """What a machine's answer is."""

    BOUNCE = "bounce"
    """Mail could not be delivered (or was delayed, or is reported as delivered)."""
    CHALLENGE = "challenge"
    """The sender is to prove that he is a person (challenge/response)."""
    REPLY = "reply"
    """Any other answer by itself: holidays, tickets."""


class Automatic(NamedTuple):
    """What was found."""

    kind: Kind
    why: str
    """The field that says so, for the owner."""


CHALLENGERS = (
    "x-tmda-fingerprint",
    "x-tmda-confirm",
    "x-challenge",
    "x-challenge-response",
    "x-ask-action",
    "x-boxtrapper",
    "x-spamarrest-noauth",
    "x-mailblocks-challenge",
    "x-uolchallenge",
    "x-earthlink-challenge",
)
"""Fields that only challenge/response systems write."""
REPLIERS = ("x-autoreply", "x-autorespond", "x-auto-response-from", "x-autoreply-from")
_REPORT = re.compile(r"multipart/report\b", re.IGNORECASE)
_DELIVERY = re.compile(r"report-type\s*=\s*\"?(delivery-status|global-delivery-status)\b", re.IGNORECASE)
_DAEMON = re.compile(
    r"(?:^|[<\s\"])(?:mailer-daemon|mail-daemon|mdaemon|postmaster)(?:@|[>\s\"]|$)", re.IGNORECASE
)
_CONFIRM = re.compile(
    r"\b(?:confirm|verify|verification|authenticat\w*|authoriz\w*|approv\w*)\b.{0,40}"
    r"\b(?:e-?mail|message|sender|delivery|address|mail)\b"
    r"|\b(?:e-?mail|message|sender|delivery|mail)\b.{0,40}"
    r"\b(?:confirmation|verification|approval|authori[sz]ation|needs? to be confirmed|challenge)\b",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"\b(?:undeliver\w+|delivery (?:status notification|failure|has failed|failed)|returned mail"
    r"|mail delivery (?:failed|system|subsystem)|failure notice|non-?deliver\w+)\b",
    re.IGNORECASE,
)


def automatic(message: Message, *, null_sender: bool = False) -> Automatic | None:
    """Return what a machine's answer this is, None for what looks like anything else."""
    content = _value(message, "Content-Type")
    if _REPORT.match(content.lstrip()) and _DELIVERY.search(content):
        return Automatic(Kind.BOUNCE, "Content-Type: multipart/report")
    if message.get("X-Failed-Recipients") is not None:
        return Automatic(Kind.BOUNCE, "X-Failed-Recipients")
    if challenger := _first(message, CHALLENGERS):
        return Automatic(Kind.CHALLENGE, challenger)
    submitted = _value(message, "Auto-Submitted").partition(";")[0].strip().lower()
    replied = submitted == "auto-replied"
    precedence = _value(message, "Precedence").strip().lower()
    subject = message.subject[:MAX_VALUE]
    answers = replied or null_sender or precedence in ("auto_reply", "junk")
    answers = answers or message.get("In-Reply-To") is not None
    if answers and _CONFIRM.search(subject):
        return Automatic(Kind.CHALLENGE, f"Subject: {subject[:80]}")
    if _FAILED.search(subject) and (answers or _DAEMON.search(_value(message, "From"))):
        return Automatic(Kind.BOUNCE, f"Subject: {subject[:80]}")
    if replied:
        return Automatic(Kind.REPLY, "Auto-Submitted: auto-replied")
    if precedence == "auto_reply":
        return Automatic(Kind.REPLY, "Precedence: auto_reply")
    if replier := _first(message, REPLIERS):
        return Automatic(Kind.REPLY, replier)
    return Automatic(Kind.BOUNCE, "null sender") if null_sender else None


def _first(message: Message, names: tuple[str, ...]) -> str:
    """Return the first of these names (in lower case) that a field has, "" for none."""
    present = message.names()
    return "" if present.isdisjoint(names) else next(name for name in names if name in present)


def _value(message: Message, name: str) -> str:
    return (message.get(name) or "")[:MAX_VALUE]
