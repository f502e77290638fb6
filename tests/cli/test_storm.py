"""`gatepost storm`: see what is closed, and open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatepost.desk.desk import Desk
from tests.desk.test_storms import close

Run = Callable[..., Any]


def test_never(hosted: Run, as_json: Run, desk: Desk) -> None:
    """List, except for good, and no more; with the version that was seen, not behind somebody's back."""
    where = ("storm", "never", "example.org")
    seen = as_json(*where)
    assert [] == seen["never"]
    assert "Each may be closed." in hosted(*where).stderr
    said = hosted(*where, "News@example.org", "--expect", str(seen["version"]))
    assert "news@example.org is never closed\n" == said.stdout
    stale = ("--expect", str(seen["version"]))
    for more in (("list",), ("news", "--remove")):
        assert "changed" in hosted(*where, *more, *stale, status=1).stderr
    now = as_json(*where)
    assert (["news"], desk.policy.version()) == (now["never"], now["version"])
    assert "news@example.org" in hosted(*where).stdout
    said = hosted(*where, "news@example.org", "--remove", "--expect", str(now["version"]))
    assert "a storm closes news@example.org again\n" == said.stdout
    assert [] == as_json(*where)["never"]
    for wrong in (("--remove",), stale):
        assert "an ADDRESS is missing" in hosted(*where, *wrong, status=2).stderr


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
