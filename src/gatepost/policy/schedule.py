"""When a digest is due: one moment of each day, or of each Monday, in the domain's own zone.

The moment depends on the settings alone and never on when somebody looked, so that two processes,
or one that was killed, mean the same digest. The clock is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

DAILY, WEEKLY = "daily", "weekly"


@dataclass(frozen=True, slots=True)
class Due:
    """One moment of a schedule."""

    at: float
    """Seconds since 1970."""
    period: str
    """`2026-11-23` or `2026-W48`: for each only one digest is made."""
    before: float
    """The moment of the schedule before."""


def zone_of(name: str) -> tzinfo:
    """Return a time zone; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return UTC


def last_due(every: str, hour: int, zone: tzinfo, now: float) -> Due:
    """Return the latest moment of a schedule that is not behind `now`.

    Days are counted on the calendar: a day of 23 or 25 hours has its one moment as all others. An hour
    that a day leaves out is taken as if it was there.
    """
    step = 7 if every == WEEKLY else 1
    today = datetime.fromtimestamp(now, zone).date()
    day = today - timedelta(days=today.weekday() if every == WEEKLY else 0)

    def at(days: int) -> float:
        there = day + timedelta(days=days)
        return datetime(there.year, there.month, there.day, hour, tzinfo=zone).timestamp()

    if at(0) > now:
        day -= timedelta(days=step)
    year, week, _ = day.isocalendar()
    period = f"{year}-W{week:02}" if every == WEEKLY else day.isoformat()
    return Due(at(0), period, at(-step))
