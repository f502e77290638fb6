"""The bill of greylisting: minutes of delay against mail that never came back, by day and in all."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.desk.desk import Desk
from gatepost.desk.domains import set_values
from gatepost.desk.errors import DeskError
from gatepost.desk.greylist_bill import Day, bill
from gatepost.plugins.greylist import BILL_DAYS, DAY
from gatepost.store.state_db import FILE, StateStore
from tests.desk.conftest import NOW, Clock

TODAY = int(NOW // DAY)


def count(desk: Desk, day: int, **numbers: int) -> None:
    """Count as the workers do."""
    state = StateStore(desk.data_dir / FILE, clock=desk.clock)
    try:
        for word, number in numbers.items():
            key = f"greylist\x1fexample.org\x1fbill {day} {word}"
            asyncio.run(state.add(key, number, BILL_DAYS * DAY))
    finally:
        state.close()


def test_nothing_counted(desk: Desk) -> None:
    """Before the first stranger, and before the server ever ran, the bill is empty."""
    assert [] == bill(desk, "example.org", 0)
    count(desk, TODAY)
    assert [] == bill(desk, "example.org", 0)


def test_bill(desk: Desk) -> None:
    """Who did not come back counts as never once the window is over, and as waiting before."""
    set_values(desk, "example.org", {"greylist.window": 3600})
    count(desk, TODAY - 2, first=10, back=4, seconds=4 * 600)
    count(desk, TODAY, first=3, back=1, seconds=330)
    count(desk, TODAY, first=1)
    today, before, everything = bill(desk, "example.org", NOW - 30 * DAY)
    assert ("2026-11-18", 4, 1, 5.5, 0, 3) == (
        today.day,
        today.put_off,
        today.came_back,
        today.minutes,
        today.never,
        today.waiting,
    )
    assert Day("2026-11-16", 10, 4, 40.0, 6, 0) == before
    assert 10.0 == before.average
    assert Day("", 14, 5, 45.5, 6, 3) == everything


def test_since(desk: Desk, clock: Clock) -> None:
    """Only the days that are asked for, and never more than are kept."""
    count(desk, TODAY - 5, first=1)
    count(desk, TODAY, first=1)
    assert 2 == len(bill(desk, "example.org", NOW - DAY))
    assert 3 == len(bill(desk, "example.org", 0))
    clock.now += (BILL_DAYS - 4) * DAY
    assert 2 == len(bill(desk, "example.org", 0))


def test_unknown_domain(desk: Desk) -> None:
    """A domain that is not here is said to be so."""
    with pytest.raises(DeskError, match="nowhere"):
        bill(desk, "nowhere.example", 0)
