"""`gatepost storm`: see what is closed, and open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatepost.desk.desk import Desk
from tests.desk.test_storms import close

Run = Callable[..., Any]


def test_words(hosted: Run, as_json: Run, desk: Desk) -> None:
    """List, open, list what has ended."""
    assert "No address is closed.\n" == hosted("storm", "list").stderr
    close(desk, "ann")
    desk.state.flush()
    (row,) = as_json("storm", "list", "example.org")
    assert ("ann@example.org", True, 20, 7, "") == (
        row["address"], row["closed"], row["bounces"], row["refused"], row["opened_by"],
    )  # fmt: skip
    assert "(bounce_storm.mode is off)" in hosted("storm", "list").stdout
    assert "ann@example.org is open\n" == hosted("storm", "open", "example.org", "ann").stdout
    assert "not closed" in hosted("storm", "open", "example.org", "ann", status=1).stderr
    assert "opened by" in hosted("storm", "list", "--ended").stdout
