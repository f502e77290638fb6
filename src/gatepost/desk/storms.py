"""Addresses that a storm of bounces has closed (`bounce_storm`): show them, open them, except some for good.

How it came and went is told by the journal's counts by hour, which cost the same in any storm.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gatepost.desk import domains, journal
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import hosted
from gatepost.mail.address import AddressError, parse_address
from gatepost.plugins.bounce_storm import BounceStorm, Settings, next_round
from gatepost.policy.policy import Mode
from gatepost.store.journal_counts import HOUR

CHECK = BounceStorm.name
NEVER = f"{CHECK}.never"
BOUNCE = "bounce"
"""The check that refuses bounces one by one: forged tags, none where there has to be one."""
LONGEST = 24 * 14
"""Hours that are told at most."""
CLOSED = "closed "
"""How the records of closed addresses begin."""


@dataclass(frozen=True, slots=True)
class Storm:
    """One address that is, or was, closed."""

    address: str
    since: float
    until: float
    bounces: int
    """As many had come when it closed."""
    refused: int
    """Within the minutes that the domain counts, until now."""
    closed: bool
    """Still closed."""
    opened_by: str
    """Who opened it before its time, "" for nobody."""
    mode: Mode
    """The switch of the check: on watch nothing is refused."""


@dataclass(frozen=True, slots=True)
class Hour:
    """What was refused within one hour."""

    at: float
    """Its beginning, seconds since 1970."""
    closed: int
    """Refused since the address was closed."""
    forged: int
    """Bounces that the check `bounce` refused: not answers to mail of this domain."""


def listing(desk: Desk, domain: str | None, *, ended: bool = False) -> list[Storm]:
    """Return the closed addresses of a domain (None: of all), the newest first; `ended`: the others too."""
    if domain is not None:
        names = [hosted(desk, domain)]
    else:
        stormy = desk.records.domains_with(CHECK, CLOSED)
        names = [name for name in stormy if desk.policy.domain(name) is not None]
    found = asyncio.run(_listing(desk, names))
    return sorted((s for s in found if s.closed or ended), key=lambda s: s.since, reverse=True)


async def _listing(desk: Desk, names: list[str]) -> list[Storm]:
    found: list[Storm] = []
    now = desk.clock()
    for name in names:
        rows = await desk.records_of(CHECK, name).list(CLOSED)
        if not rows:
            continue
        own = domains.resolved(desk, name)[0].plugins[CHECK]
        settings = own.settings if isinstance(own.settings, Settings) else Settings()
        state = desk.state_of(CHECK, name)
        for key, row in rows:
            local = key.removeprefix(CLOSED)
            refused = await state.add(f"refused {local}", 0, settings.window)
            found.append(
                Storm(
                    f"{local}@{name}",
                    row["since"],
                    row["until"],
                    row["bounces"],
                    refused,
                    row["until"] > now,
                    row.get("opened_by", ""),
                    own.mode,
                )
            )
    return found


def open_address(desk: Desk, domain: str, word: str) -> None:
    """Open an address (`ann` or `ann@example.org`) and count its bounces from nothing."""
    name = hosted(desk, domain)
    asyncio.run(_open(desk, name, _local(name, word)))


def by_hour(desk: Desk, domain: str | None, hours: int = 48) -> list[Hour]:
    """Return how many bounces were refused in each of the last hours, the oldest first, quiet ones too.

    None: in all domains together.
    """
    name = None if domain is None else hosted(desk, domain)
    if not 1 <= hours <= LONGEST:
        raise DeskError(f"hours are from 1 to {LONGEST}")
    journal.collect(desk)
    end = int(desk.clock() // HOUR) + 1
    counted = dict.fromkeys(((hour, which) for hour in range(end - hours, end) for which in (0, 1)), 0)
    for hour, fate, check, number in desk.journal.hours(name, end - hours, end):
        if fate == "rejected" and check in (CHECK, BOUNCE):
            counted[hour, int(check == BOUNCE)] += number
    return [Hour(hour * HOUR, counted[hour, 0], counted[hour, 1]) for hour in range(end - hours, end)]


def never(desk: Desk, domain: str) -> tuple[str, ...]:
    """Return the addresses of a domain that are never closed."""
    own = domains.resolved(desk, domain)[0].plugins[CHECK].settings
    return own.never if isinstance(own, Settings) else ()


def except_for_good(desk: Desk, domain: str, word: str, *, expect: int | None = None) -> str:
    """Never close an address again; one that is closed now is opened. Returns its local part.

    `expect`, here and below: the version of the policy that the caller saw; Conflict if it changed since.
    Without it, if it changed since it was read here: who is faster must not lose his exception.
    """
    name = hosted(desk, domain)
    local = _local(name, word)
    expect = desk.policy.version() if expect is None else expect
    present = never(desk, name)
    domains.set_values(desk, name, {} if local in present else {NEVER: [*present, local]}, expect)
    try:
        open_address(desk, name, local)
    except NotFound:
        pass  # it is open: only the future was meant
    return local


def except_no_more(desk: Desk, domain: str, word: str, *, expect: int | None = None) -> None:
    """Let an address be closed by a storm again."""
    name = hosted(desk, domain)
    expect = desk.policy.version() if expect is None else expect
    present = never(desk, name)
    gone = word if word in present else _local(name, word)
    left = [one for one in present if one != gone]
    if len(left) == len(present):
        raise NotFound(f"{word} is no exception in {name}")
    domains.set_values(desk, name, {NEVER: left}, expect)


def _local(domain: str, word: str) -> str:
    """Return the local part that is meant, as it is compared."""
    try:
        address = parse_address(word if "@" in word else f"{word}@{domain}")
    except AddressError as error:
        raise DeskError(f"{word!r}: {error}") from error
    if address.domain != domain:
        raise DeskError(f"{word!r} is not of {domain}")
    return address.key[0]


async def _open(desk: Desk, domain: str, local: str) -> None:
    records, state = desk.records_of(CHECK, domain), desk.state_of(CHECK, domain)
    now = desk.clock()
    row = await records.get(f"closed {local}")
    if row is None or row["until"] <= now:
        raise NotFound(f"{local}@{domain} is not closed")
    await state.delete(f"closed {local}")
    await next_round(state, local, now)
    await records.put(f"closed {local}", {**row, "until": now, "opened_by": desk.by})
    desk.state.flush()
    if desk.state.trouble:
        raise DeskError(f"state.db: {desk.state.trouble}")
