"""What is odd about a message's headers: what RFC 5322, 3.6 demands, and what it allows only once.

It finds and names, and decides nothing: each finding has the name of the setting under which a domain
says what becomes of it. Pure: the clock and the bounds are arguments. Linear in the bytes of a head that
is bounded (`gatepost.mail.message`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from gatepost.mail.dates import parse_date
from gatepost.mail.message import MAX_HEAD, Message, decode_words

HOUR, DAY = 3_600.0, 86_400.0
SINGLES = (
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "Content-Type",
    "Content-Transfer-Encoding",
)
"""At most once (RFC 5322, 3.6; RFC 2045, 5 and 6): of two, one program shows the first and one the last."""
ADDRESSES = (
    *("From", "Sender", "Reply-To", "To", "Cc", "Bcc"),
    *("Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Bcc"),
)
"""Fields that hold addresses."""
BUDGETS = frozenset({"too many parts", "too deep", "too many parameters", "too much in headers of parts"})
"""Troubles of a structure (`gatepost.mail.structure`) that are bounds."""
BROKEN = frozenset(
    {
        "no boundary",
        "no closing boundary",
        "an inner boundary was not closed",
        "a part without an end of its header",
        "unknown encoding",
        "unreadable Content-Type",
    }
)
"""Those that bad software and cut mail have; the rest is what who wants to be read in two ways does."""
MAX_SHOWN = 80
"""Characters of a field that a reason shows."""

_BOGUS = re.compile(r"(?:\A|[\s<>,;:\"()])[-|_!][^\s<>,;:\"()@]*@")
"""First characters of an address that nobody has who writes mail (ms-lite, `checks/address`)."""
_ID = re.compile(r"\s*<[^\s<>@]{1,500}@[^\s<>@]{1,500}>\s*(?:\([^()]*\)\s*)?")
_APPROVAL = re.compile(r"\bpost from .{1,1000} requires approval", re.IGNORECASE)
_REQUESTS = re.compile(r"\bmoderator request\(s\) waiting", re.IGNORECASE)
_NOT_BLANK = re.compile(rb"\S")


class Oddity(NamedTuple):
    """One thing that is odd."""

    kind: str
    """The setting that says what becomes of it."""
    text: str
    """For the owner."""


class Bounds(NamedTuple):
    """What a domain still takes; none is above what the readers read at all."""

    lines: int
    addresses: int
    future: float
    """Seconds that a Date may lie ahead."""
    old: float
    """Seconds that it may lie back."""


def oddities(message: Message, now: float, bounds: Bounds) -> Iterator[Oddity]:
    """Yield what is odd about the headers."""
    yield from _budgets(message, bounds)
    yield from _dates(message, now, bounds)
    yield from _from(message)
    yield from _ids(message)
    often = [f"{name} ({count})" for name in SINGLES if (count := len(message.all(name))) > 1]
    often = [one for one in often if not one.startswith("From ")]  # has a name of its own
    if often:
        yield Oddity("doubled", f"more than once: {', '.join(often)}")
    subject = message.subject
    if _APPROVAL.search(subject) or (_REQUESTS.search(subject) and "logcheck" in subject.lower()):
        yield Oddity("mailman", "mailman posts not accepted here")


def troubles(message: Message, found: list[str], parameters: int, most: int) -> Iterator[Oddity]:
    """Yield what is odd about the parts, by the troubles of their structure and their parameters in all."""
    bounds = [one for one in found if one in BUDGETS]
    if parameters > most and "too many parameters" not in bounds:
        bounds.append(f"too many parameters ({parameters}, more than {most})")
    if bounds:
        yield Oddity("over_budget", f"over budget: {', '.join(bounds)}")
    broken = [one for one in found if one in BROKEN]
    if broken:
        yield Oddity("broken", f"broken MIME: {', '.join(broken)}")
    # A head that is too long is cut, and what is cut is ambiguous: said already.
    cut = message.over_budget
    rest = [one for one in found if one not in BUDGETS | BROKEN and not (cut and "header" in one)]
    if rest:
        yield Oddity("ambiguous", f"can be read in more than one way: {', '.join(rest)}")


def is_empty(message: Message) -> bool:
    """Return whether nothing but blanks stands behind the headers."""
    return message.body is not None and _NOT_BLANK.search(message.body, len(message.head)) is None


def count_addresses(message: Message) -> int:
    """Return how many addresses a program must take apart; commas count, also those in quotes."""
    return sum(value.count(",") + 1 for name in ADDRESSES for value in message.all(name))


def shown(value: str) -> str:
    """Return a field as a reason shows it: decoded, printable, short."""
    return decode_words(value)[:MAX_SHOWN]


def _budgets(message: Message, bounds: Bounds) -> Iterator[Oddity]:
    lines = message.head.count(b"\n")
    if len(message.head) > MAX_HEAD:
        yield Oddity("over_budget", f"over budget: headers of more than {MAX_HEAD} octets")
    elif lines > bounds.lines or message.over_budget:
        yield Oddity("over_budget", f"over budget: {lines} lines of headers, more than {bounds.lines}")
    addresses = count_addresses(message)
    if addresses > bounds.addresses:
        yield Oddity("over_budget", f"over budget: {addresses} addresses, more than {bounds.addresses}")


def _dates(message: Message, now: float, bounds: Bounds) -> Iterator[Oddity]:
    said = message.get("Date")
    if not said:
        yield Oddity("missing_date", "Missing header - Date:")
        return
    when = parse_date(said)
    if when is None:
        yield Oddity("odd_date", f"Date cannot be read: {shown(said)}")
    elif when - now > bounds.future:
        yield Oddity("future_date", f"Date is {(when - now) / HOUR:.0f} hours ahead: {shown(said)}")
    elif now - when > bounds.old:
        yield Oddity("old_date", f"Date is {(now - when) / DAY:.0f} days old: {shown(said)}")


def _from(message: Message) -> Iterator[Oddity]:
    said = message.all("From")
    if not said or not any(value.strip() for value in said):
        yield Oddity("missing_from", "From: missing or empty.")
        return
    if len(said) > 1:
        yield Oddity("several_from", f"{len(said)} From: headers")
    for value in said[:10]:
        if "@@" in value:
            yield Oddity("odd_from", f"From: contains two '@' signs : {shown(value)}")
        elif _BOGUS.search(value):
            yield Oddity("odd_from", f"Bogus initial character From header : {shown(value)}")


def _ids(message: Message) -> Iterator[Oddity]:
    said = message.get("Message-ID")
    if not said:
        yield Oddity("missing_message_id", "Missing header - Message-ID:")
    elif not _ID.fullmatch(said):
        yield Oddity("odd_message_id", f"Message-ID is none: {shown(said)}")
