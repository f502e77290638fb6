"""`gatepost review`: what waits, and a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatepost.cli.review import DECISIONS
from gatepost.desk import reviews
from gatepost.desk.desk import Desk
from tests.desk.refused import SESSION, refuse

Run = Callable[..., Any]


def test_words(hosted: Run, as_json: Run, desk: Desk) -> None:
    """List, decide, list what was decided; what cannot be done is one line."""
    assert set(reviews.STATES) == set(DECISIONS)
    assert "Nobody waits for a review.\n" == hosted("review", "list").stderr
    hosted("domain", "set", "example.org", "why.page=on")
    reviews.ask(desk, refuse(desk), "192.0.2.3", "mia@partner.example", "our\noffer \x1b[2J")
    (row,) = as_json("review", "list", "example.org")
    assert (f"{SESSION}.1", "dnsbl", "open", None) == (row["id"], row["check"], row["state"], row["decided"])
    shown = hosted("review", "list").stdout
    assert "mia@partner.example" in shown
    assert "our offer" in shown
    assert "\x1b" not in shown
    number = str(row["number"])
    assert "send again" in hosted("review", "decide", "example.org", number, "release", status=1).stderr
    said = hosted("review", "decide", "example.org", number, "decline").stdout
    assert "mia@partner.example for ann@example.org: declined\n" == said
    assert "has decided before" in hosted("review", "decide", "example.org", number, "allow", status=1).stderr
    assert "declined by" in hosted("review", "list", "--decided").stdout
    assert "no request 99" in hosted("review", "decide", "example.org", "99", "allow", status=1).stderr
    assert "not hosted" in hosted("review", "list", "other.example", status=1).stderr
