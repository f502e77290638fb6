"""`gatepost changes`: who changed what from what, and back again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def test_nothing_yet(run: Run) -> None:
    """Said on stderr, so that a script reads no rows."""
    assert ("", "Nothing was changed yet.\n") == (run("changes").stdout, run("changes").stderr)


def test_listing(hosted: Run, as_json: Run) -> None:
    """The newest first, with both values; only a domain's own where one is named."""
    hosted("domain", "set", "example.org", "keep_days=7")
    hosted("domain", "add", "example.net", "--route", "smtp://192.0.2.5")
    newest, *_ = as_json("changes", "example.org")
    assert ("domain:example.org", "settings", {"keep_days": None}, {"keep_days": 7}) == (
        newest["scope"],
        newest["what"],
        newest["before"],
        newest["after"],
    )
    assert {"domain:example.org"} == {row["scope"] for row in as_json("changes", "example.org")}
    assert "example.net" in hosted("changes").stdout
    assert 1 == len(as_json("changes", "--limit", "1"))


def test_roll_back(hosted: Run, as_json: Run) -> None:
    """Undone, and itself a change; refused where it is no longer the last word."""
    hosted("domain", "set", "example.org", "keep_days=7")
    number = as_json("changes")[0]["id"]
    assert (
        f"change {number} undone: domain:example.org" in hosted("changes", "--roll-back", str(number)).stdout
    )
    (value,) = as_json("domain", "get", "example.org", "keep_days")
    assert (30, "default") == (value["value"], value["origin"])
    assert number == as_json("changes")[0]["undoes"]
    hosted("domain", "set", "example.org", "keep_days=8")
    assert "" == hosted("changes", "--roll-back", str(number), status=1).stdout


def test_no_such_change(hosted: Run) -> None:
    """An error that names it."""
    assert "4711" in hosted("changes", "--roll-back", "4711", status=1).stderr
