"""Addresses that a storm of bounces has closed (`bounce_storm`): show them, open them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import hosted
from gatepost.mail.address import AddressError, parse_address
from gatepost.plugins.bounce_storm import BounceStorm, Settings, next_round
from gatepost.policy.policy import Mode

BATCH = 1_000
"""Domains that are read at once."""


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


def listing(desk: Desk, domain: str | None, *, ended: bool = False) -> list[Storm]:
    """Return the closed addresses of a domain (None: of all), the newest first; `ended`: the others too."""
    names = [hosted(desk, domain)] if domain is not None else _all(desk)
    found = asyncio.run(_listing(desk, names))
    return sorted((s for s in found if s.closed or ended), key=lambda s: s.since, reverse=True)


async def _listing(desk: Desk, names: list[str]) -> list[Storm]:
    found: list[Storm] = []
    now = desk.clock()
    for name in names:
        rows = await desk.records_of(BounceStorm.name, name).list("closed ")
        if not rows:
            continue
        own = domains.resolved(desk, name)[0].plugins[BounceStorm.name]
        settings = own.settings if isinstance(own.settings, Settings) else Settings()
        state = desk.state_of(BounceStorm.name, name)
        for key, row in rows:
            local = key.removeprefix("closed ")
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
    try:
        address = parse_address(word if "@" in word else f"{word}@{name}")
    except AddressError as error:
        raise DeskError(f"{word!r}: {error}") from error
    if address.domain != name:
        raise DeskError(f"{word!r} is not of {name}")
    asyncio.run(_open(desk, name, address.key[0]))


async def _open(desk: Desk, domain: str, local: str) -> None:
    records, state = desk.records_of(BounceStorm.name, domain), desk.state_of(BounceStorm.name, domain)
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


def _all(desk: Desk) -> list[str]:
    names: list[str] = []
    while True:
        more = desk.policy.domains(names[-1] if names else "", BATCH)
        names += more
        if len(more) < BATCH:
            return names
