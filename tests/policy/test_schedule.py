"""A digest is due once in each period, at the domain's own hour, whatever the clock does."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gatepost.policy.schedule import last_due, zone_of

BERLIN = ZoneInfo("Europe/Berlin")


def moment(text: str) -> float:
    """Return seconds since 1970; `text` is UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("every", "hour", "now", "at", "period", "before"),
    [
        ("daily", 7, "2026-11-25 06:00", "2026-11-25 06:00", "2026-11-25", "2026-11-24 06:00"),
        ("daily", 7, "2026-11-25 05:59", "2026-11-24 06:00", "2026-11-24", "2026-11-23 06:00"),
        ("daily", 0, "2026-11-25 23:30", "2026-11-25 23:00", "2026-11-26", "2026-11-24 23:00"),
        ("weekly", 7, "2026-11-25 06:00", "2026-11-23 06:00", "2026-W48", "2026-11-16 06:00"),
        ("weekly", 7, "2026-11-23 05:00", "2026-11-16 06:00", "2026-W47", "2026-11-09 06:00"),
        ("weekly", 7, "2027-01-03 12:00", "2026-12-28 06:00", "2026-W53", "2026-12-21 06:00"),
        # The day that is an hour short, and the one that is an hour long.
        ("daily", 7, "2026-03-29 12:00", "2026-03-29 05:00", "2026-03-29", "2026-03-28 06:00"),
        ("daily", 7, "2026-10-25 12:00", "2026-10-25 06:00", "2026-10-25", "2026-10-24 05:00"),
        ("daily", 2, "2026-03-29 12:00", "2026-03-29 01:00", "2026-03-29", "2026-03-28 01:00"),
        ("daily", 2, "2026-10-25 12:00", "2026-10-25 00:00", "2026-10-25", "2026-10-24 00:00"),
    ],
)
def test_last_due(every: str, hour: int, now: str, at: str, period: str, before: str) -> None:
    """The latest moment of the schedule, in Berlin."""
    due = last_due(every, hour, BERLIN, moment(now))

    assert (moment(at), period, moment(before)) == (due.at, due.period, due.before)


def test_each_hour_of_a_year() -> None:
    """The moment never goes back, is never ahead, and each day has exactly one."""
    now = moment("2026-01-01 12:00")
    seen: dict[str, float] = {}
    last = 0.0
    for _ in range(364 * 24):
        due = last_due("daily", 2, BERLIN, now)
        assert last <= due.at <= now
        assert due.at == seen.setdefault(due.period, due.at)
        last, now = due.at, now + 3600
    assert 365 == len(seen)


def test_zone() -> None:
    """A zone that is not known here is UTC."""
    assert (BERLIN, UTC, UTC, UTC) == tuple(map(zone_of, ("Europe/Berlin", "No/Where", "", "../x")))
