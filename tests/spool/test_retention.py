"""Kept mail goes when its domain's days are over, and not because a clock jumped (L14)."""

from __future__ import annotations

from pathlib import Path

from gatepost.spool.archive import Archive
from gatepost.spool.index import Kept

NOW = 1_795_392_000.0
DAY = 86_400


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def filled(place: Path, clock: Clock, days: int) -> Archive:
    """One mail a day for two domains; expiry runs daily, as the keeper does it."""
    store = Archive(place, 1 << 30, 0, clock)
    for _ in range(days):
        for domain in ("a.example", "b.example"):
            store.keep(Kept("X", clock.now, None, "x@y", domain), [b"mail"])
        store.expire(clock.now, 9999)
        clock.now += DAY
    return store


def test_each_domain_keeps_its_days(tmp_path: Path) -> None:
    """The older day goes from the domain that keeps less; lines go with their mail."""
    clock = Clock()
    store = filled(tmp_path, clock, 10)
    removed = store.expire(clock.now, lambda domain: 3 if domain == "a.example" else 7)
    assert 7 + 3 == removed
    assert 3 == len(store.list("a.example"))
    assert 7 == len(store.list("b.example"))
    assert 7 == len(list(tmp_path.glob("20*")))
    assert 7 == len(store.index.days())
    assert store.recount() == store.usage.get("@all")
    clock.now += DAY
    assert 0 == store.expire(clock.now - DAY, 7)


def test_a_clock_jump_removes_nothing(tmp_path: Path) -> None:
    """Ten years ahead, or back: nothing goes; a clock that then stands for a day is believed."""
    clock = Clock()
    store = filled(tmp_path, clock, 3)
    ahead = clock.now + 3650 * DAY
    assert 0 == store.expire(ahead, 30)
    assert 0 == store.expire(ahead + 3600, 30)
    assert 0 == store.expire(clock.now, 30)
    assert 0 == store.expire(ahead, 30)
    assert 0 == store.expire(ahead + DAY - 60, 30)
    assert 6 == store.expire(ahead + DAY, 30)


def test_links_turn_at_midnight(tmp_path: Path) -> None:
    """`today` and `yesterday` follow the UTC day."""
    clock = Clock()
    store = Archive(tmp_path, 1 << 30, 0, clock)
    store.roll()
    assert "2026-11-23" == str((tmp_path / "today").readlink())
    clock.now += DAY
    store.keep(Kept("X", clock.now, None, "x@y", "a.example"), [b"mail"])
    assert ("2026-11-24", "2026-11-23") == (
        str((tmp_path / "today").readlink()),
        str((tmp_path / "yesterday").readlink()),
    )
