"""`gatepost greylist DOMAIN` as a person and as a program reads it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatepost.plugins.greylist import BILL_DAYS, DAY
from gatepost.store.state_db import FILE, StateStore
from tests.cli.conftest import Run


def test_bill(hosted: Run, as_json: Callable[..., Any], tmp_path: Path) -> None:
    """A table by day with the sum, and the same as JSON."""
    assert "No stranger was put off." in hosted("greylist", "example.org").output
    state = StateStore(tmp_path / "data" / FILE)
    today = int(time.time() // DAY)
    for word, number in (("first", 3), ("back", 2), ("seconds", 660)):
        key = f"greylist\x1fexample.org\x1fbill {today} {word}"
        asyncio.run(state.add(key, number, BILL_DAYS * DAY))
    state.close()
    said = hosted("greylist", "example.org").stdout
    assert ["all", "3", "2", "11.0", "5.5", "0", "1"] in [line.split() for line in said.splitlines()]
    rows = as_json("greylist", "example.org", "--since", "7d")
    assert (None, 3, 2, 11.0, 5.5) == (
        rows[-1]["day"],
        rows[-1]["put_off"],
        rows[-1]["came_back"],
        rows[-1]["minutes"],
        rows[-1]["average_minutes"],
    )


def test_unknown_domain(run: Run) -> None:
    """A domain that is not hosted is an error with its name."""
    assert "nowhere.example" in run("greylist", "nowhere.example", status=1).output
