"""Which local parts of a domain were really used: read from the mail that was kept through the years.

The way off a catch-all: who owns the domain has forgotten most of the addresses that were ever
given away, but the mail that came for them is still there. Each local part is listed with its
first and last use and with how many messages; the person chooses which of them go on the list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.mail_files import Head, Reading, heads, named
from gatepost.desk.recipients import BATCH
from gatepost.desk.scopes import hosted
from gatepost.mail.address import MAX_LOCAL, AddressError, parse_address
from gatepost.mail.dates import parse_date
from gatepost.mail.message import Message
from gatepost.store.base import StoreError
from gatepost.store.scopes import domain_name, local_part

HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
"""Where recipients stand; in Received behind `for`."""
DELIVERED = frozenset({"delivered-to", "x-original-to", "envelope-to", "received"})
"""Written by a server that had the mail for this address; anybody can write To."""
MOST = 200_000
"""Local parts that are remembered; spam to a catch-all makes up new ones without end."""
MOST_IN_HEAD = 1_000
"""Addresses of one message that are looked at."""
_WINDOW = 2 * MAX_LOCAL + 12
_LOCAL = re.compile(r"(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\"(),:;<>@\[\\\]]+))\Z")
_FOR = re.compile(r"(?:^|\s)for\s+<?(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\"(),:;<>@\[\\\]]+))\Z", re.IGNORECASE)
_GOES_ON = re.compile(r"[A-Za-z0-9_-]|\.[A-Za-z0-9]")
_UNQUOTE = re.compile(r"\\(.)")


@dataclass(slots=True)
class Use:
    """One local part and its mail."""

    local: str
    first: float
    last: float
    count: int = 0
    """Messages."""
    delivered: int = 0
    """Messages in which a server, and not only the sender, says that they were for this one."""
    listed: str = ""
    """`valid` or `invalid` where it is on the list already."""


@dataclass(slots=True)
class Found:
    """What a search found."""

    domain: str
    uses: list[Use]
    """The most used first."""
    reading: Reading = field(default_factory=Reading)
    left_out: int = 0
    """Uses of local parts beyond `MOST`."""


def search(
    domain: str, paths: Iterable[str], now: float, progress: Callable[[int], None] = lambda _bytes: None
) -> Found:
    """Read all mail below the paths. Needs no desk: the person's mail is read as the person."""
    try:
        name = domain_name(domain)
    except StoreError as error:
        raise DeskError(str(error)) from error
    found = Found(name, [])
    uses: dict[str, Use] = {}
    for head in heads(named(paths), found.reading, progress):
        message = Message(head.text)
        time = min(_time(message, head), now)
        for local, delivered in locals_of(message, name).items():
            use = uses.get(local)
            if use is None:
                if len(uses) >= MOST:
                    found.left_out += 1
                    continue
                use = uses[local] = Use(local, time, time)
            use.first, use.last = min(use.first, time), max(use.last, time)
            use.count += 1
            use.delivered += delivered
    found.uses = sorted(uses.values(), key=lambda use: (-use.count, use.local))
    return found


def locals_of(message: Message, domain: str) -> dict[str, bool]:
    """Return the local parts of a domain that a message was for -> whether a server says so."""
    found: dict[str, bool] = {}
    looked = 0
    for header in message.headers:
        name = header.name.lower()
        if name == "received":
            ending = _FOR
        elif name in _WANTED:
            ending = _LOCAL
        else:
            continue
        for text in _before(header.value, f"@{domain}"):
            looked += 1
            if looked > MOST_IN_HEAD:
                return found
            match = ending.search(text)
            local = _folded(match) if match is not None else ""
            if local:
                found[local] = found.get(local, False) or name in DELIVERED
    return found


_WANTED = frozenset(name.lower() for name in HEADERS)


def marked(desk: Desk, found: Found) -> Found:
    """Write into each use whether it is on the list of recipients already."""
    kinds: dict[str, str] = {}
    for row in desk.policy.recipients(hosted(desk, found.domain)):
        kinds[row.local] = "invalid" if "invalid" in (row.kind, kinds.get(row.local)) else row.kind
    for use in found.uses:
        use.listed = kinds.get(use.local, "")
    return found


def chosen(
    found: Found, *, at_least: int = 1, since: float | None = None, only: Iterable[str] | None = None
) -> list[Use]:
    """Return who is to go on the list: used so often, used since, named; nobody who is listed already."""
    wanted = None if only is None else {_named(found, text) for text in only}
    return [
        use
        for use in found.uses
        if not use.listed
        and use.count >= at_least
        and (since is None or use.last >= since)
        and (wanted is None or use.local in wanted)
    ]


def write(desk: Desk, domain: str, uses: Iterable[Use]) -> int:
    """Put them on the list of recipients; returns how many are new."""
    name = hosted(desk, domain)
    locals_ = [use.local for use in uses]
    return sum(
        desk.policy.add_recipients(name, locals_[start : start + BATCH], "valid", None, by=desk.by)
        for start in range(0, len(locals_), BATCH)
    )


def _named(found: Found, text: str) -> str:
    try:
        local = local_part(text.removesuffix(f"@{found.domain}"))
    except StoreError as error:
        raise DeskError(str(error)) from error
    if all(use.local != local for use in found.uses):
        raise DeskError(f"{text}: no mail for it was found")
    return local


def _before(value: str, ending: str) -> Iterator[str]:
    """Yield what stands before each `@domain` of a header, as far back as a local part can reach."""
    lower = value.lower() if value.isascii() else "".join(c.lower() if c.isascii() else c for c in value)
    at = lower.find(ending)
    while at >= 0:
        end = at + len(ending)
        if _GOES_ON.match(value, end) is None:
            yield value[max(0, at - _WINDOW) : at]
        at = lower.find(ending, end)


def _folded(match: re.Match[str]) -> str:
    quoted, plain = match.groups()
    if plain == "*":  # on the list it would be everybody
        return ""
    try:
        if quoted is None:
            return parse_address(f"{plain}@example.org").key[0]
        return local_part(_UNQUOTE.sub(r"\1", quoted))
    except (AddressError, StoreError):
        return ""


def _time(message: Message, head: Head) -> float:
    """Return when a message came: its last server says, else the file where it is sure, else its author."""
    received = message.get("Received")
    said = parse_date(received.rpartition(";")[2]) if received else None
    if said is not None:
        return said
    if head.sure and head.time > 0:
        return head.time
    return parse_date(message.get("Date") or "") or max(0.0, head.time)
