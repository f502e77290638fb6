"""`gatepost alias`: list, show, reset, close, open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.plugin.counted import NO_LIMIT, Kept, key_of

Run = Callable[..., Any]
SHOP = "shop.3.ann@example.org"


@pytest.fixture
def used(hosted: Run, desk: Desk) -> Run:
    """Ann's address for the shop took all its mails."""
    place = ("example.org", "counted_address", key_of("ann", "shop"))
    for _ in range(3):
        held = at_once(desk.records.reserve(*place, 3, 600))
        assert held is not None
        kept = Kept(3, made=1_795_000_000.0, by="eve@shop.example", address=SHOP)
        at_once(desk.records.settle(held, used=True, record=kept.record()))
    return hosted


def test_list_and_show(used: Run, as_json: Run) -> None:
    """As a table and as JSON."""
    assert "shop" in used("alias", "list", "example.org").stdout
    (row,) = as_json("alias", "list", "example.org", "--user", "ann")
    assert (3, 0, "used up", SHOP) == (row["used"], row["left"], row["over"], row["address"])
    shown = used("alias", "show", "ann.shop.3@example.org").stdout
    assert "ann@example.org" in shown
    assert "used up" in shown
    assert [] == as_json("alias", "show", SHOP)["refused"]


def test_last_day(used: Run, desk: Desk) -> None:
    """The day of a dated address stands there as a day, bare."""
    place = ("example.org", "counted_address", key_of("ann", "dated"))
    kept = Kept(
        NO_LIMIT, until=1_795_132_800.0, made=1_795_000_000.0, address="dated.2026-11-19.ann@example.org"
    )
    held = at_once(desk.records.reserve(*place, 3, 600))
    assert held is not None
    at_once(desk.records.settle(held, used=True, record=kept.record()))
    day = str(kept.last_day)
    (line,) = [one for one in used("alias", "list", "example.org").stdout.splitlines() if "dated" in one]
    assert day in line.split()
    assert day in used("alias", "show", kept.address).stdout.split()


def test_reset_close_open(used: Run, as_json: Run) -> None:
    """Each says what is now."""
    assert f"{SHOP}: open, 5 left\n" == used("alias", "reset", SHOP, "--count", "5").stdout
    assert f"{SHOP}: closed by its owner\n" == used("alias", "close", SHOP).stdout
    assert as_json("alias", "show", SHOP)["closed"]
    assert f"{SHOP}: open, 5 left\n" == used("alias", "open", SHOP).stdout


def test_what_is_not_there(used: Run) -> None:
    """One line and status 1; an empty list is no error."""
    assert "no mail has come" in used("alias", "show", "x.5.ann@example.org", status=1).stderr
    assert "is not hosted" in used("alias", "list", "example.net", status=1).stderr
    assert "No counted address" in used("alias", "list", "example.org", "--user", "bob").stderr
