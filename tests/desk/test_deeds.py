"""Who opened, released or deleted kept mail is written down with the domain."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.desk import changes
from gatepost.desk.deeds import at_once, deeds_of, write_down
from gatepost.desk.desk import Desk

REF = "2026-11-23/example.org/X.eml.zst"


def test_deeds(desk: Desk, clock: object) -> None:
    """Oldest first, for one mail or for the whole domain; another domain sees nothing."""
    for what in ("opened", "released"):
        write_down(desk, what, "example.org", REF, "ID.1", "ann@example.org")
        clock.now += 60  # type: ignore[attr-defined]
    write_down(desk, "deleted", "example.org", REF + "2", "ID.2", "bob@example.org")
    assert [(d.what, d.by, d.recipient) for d in deeds_of(desk, "example.org", REF)] == [
        ("opened", "ann", "ann@example.org"),
        ("released", "ann", "ann@example.org"),
    ]
    assert len(deeds_of(desk, "example.org")) == 3
    listed = [changes.in_words(one) for one in changes.listing(desk, "example.org", limit=3)]
    assert [
        "deleted the kept mail ID.2 for bob@example.org",
        "released the kept mail ID.1 for ann@example.org",
        "opened the kept mail ID.1 for ann@example.org",
    ] == listed
    assert not any(changes.can_be_undone(one) for one in changes.listing(desk, "example.org", limit=3))
    assert deeds_of(desk, "example.net") == []


def test_at_once() -> None:
    """The embedded stores never suspend; one that does is our mistake."""
    with pytest.raises(AssertionError, match="suspended"):
        at_once(asyncio.sleep(0))
