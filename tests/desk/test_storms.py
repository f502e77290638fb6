"""A closed address is shown with its storm, and opened by one command."""

from __future__ import annotations

import asyncio
import json

import pytest

from gatepost.desk import storms
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from tests.desk.conftest import Clock


def close(desk: Desk, local: str, minutes: float = 60) -> None:
    """Close an address as the check does."""

    async def write() -> None:
        now = desk.clock()
        row = {"since": now, "until": now + minutes * 60, "bounces": 20}
        state = desk.state_of("bounce_storm", "example.org")
        await state.put(f"closed {local}", json.dumps(list(row.values())).encode(), minutes * 60)
        await state.add(f"refused {local}", 7, 600)
        await desk.records_of("bounce_storm", "example.org").put(f"closed {local}", row)

    asyncio.run(write())


def state_of(desk: Desk, key: str) -> bytes | None:
    async def get() -> bytes | None:
        return await desk.state_of("bounce_storm", "example.org").get(key)

    return asyncio.run(get())


def test_listing(desk: Desk, clock: Clock) -> None:
    """Closed addresses with since, until, how many came and were refused; those that ended on demand."""
    close(desk, "ann", 1)
    clock.now += 120
    close(desk, "bob")
    (bob,) = storms.listing(desk, None)
    assert ("bob@example.org", clock.now, clock.now + 3600, 20, 7, True) == (
        bob.address, bob.since, bob.until, bob.bounces, bob.refused, bob.closed,
    )  # fmt: skip
    both = storms.listing(desk, "example.org", ended=True)
    assert [("bob@example.org", True), ("ann@example.org", False)] == [(s.address, s.closed) for s in both]


def test_open(desk: Desk, clock: Clock) -> None:
    """Opened at once, for all workers, by whom is written down, and counted from nothing."""
    close(desk, "ann")
    storms.open_address(desk, "example.org", "Ann@example.org")
    assert state_of(desk, "closed ann") is None
    assert state_of(desk, "round ann") is not None
    assert [] == storms.listing(desk, None)
    (ended,) = storms.listing(desk, None, ended=True)
    assert ("ann", clock.now) == (ended.opened_by, ended.until)
    with pytest.raises(NotFound, match=r"ann@example\.org is not closed"):
        storms.open_address(desk, "example.org", "ann")


def test_wrong_words(desk: Desk) -> None:
    """What is no address of the domain is said."""
    with pytest.raises(DeskError, match="not of"):
        storms.open_address(desk, "example.org", "ann@example.net")
    with pytest.raises(DeskError, match="a b"):
        storms.open_address(desk, "example.org", "a b")
    with pytest.raises(NotFound, match="not hosted"):
        storms.listing(desk, "example.net")
