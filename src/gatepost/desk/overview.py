"""What became of the mail of some domains, day by day: today against the same day a week ago.

Counts of hours that are over hardly ever change, so they are remembered in the process that asks; what
is asked of the journal each time is the last hours alone. So it takes no longer when the journal is large.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from gatepost.desk import journal
from gatepost.desk.desk import Desk
from gatepost.desk.stats import Check, Line, checks_of, line_of, stats
from gatepost.store.base import OutcomeRow
from gatepost.store.journal_counts import HOUR

DAYS = 14
"""This week and the one before."""
OPEN_HOURS = 2
"""The last hours are asked for each time: the workers' lines come in a moment late."""
REMEMBERED_FOR = 600.0
"""Seconds; then all is asked anew, since a server that was down may bring in old lines."""
WEEKS_FOR = 60.0
"""Seconds that the week of all domains is remembered: with 1,000 domains it takes a third of a second."""
LOOKED_AT = 10
"""Times the rows shown: one worker's lines may come in behind younger ones of another's."""
MOST = 500
"""Domains that are remembered."""

Counts = Counter[tuple[str, str]]
"""(fate, check) -> number."""
Hours = dict[int, Counts]


@dataclass(frozen=True, slots=True)
class Overview:
    """Some domains' mail."""

    today: Line
    """Since midnight in the reader's zone."""
    then: Line
    """The same day a week ago, up to the same time of day."""
    week: Line
    """The last seven days, today among them."""
    week_before: Line
    days: list[tuple[date, Line]]
    """The oldest first, each day."""
    checks: list[Check]
    """What refused this week."""


def overview(desk: Desk, names: Sequence[str] | None, zone: tzinfo) -> Overview:
    """Return what became of these domains' mail; None is all, with mail for none of ours."""
    journal.collect(desk)
    now = desk.clock()
    local = datetime.fromtimestamp(now, zone)
    dates = [local.date() - timedelta(days=n) for n in range(DAYS - 1, -1, -1)]
    first = int(datetime.combine(dates[0], datetime.min.time(), zone).timestamp() // HOUR)
    by_day: dict[date, Counts] = {day: Counter() for day in dates}
    then: Counts = Counter()
    for name in [None] if names is None else names:
        for hour, counts in _hours(desk, name, first, int(now // HOUR) + 1):
            at = datetime.fromtimestamp(hour * HOUR, UTC).astimezone(zone)
            if at.date() not in by_day:
                continue
            by_day[at.date()] += counts
            if at.date() == local.date() - timedelta(days=7) and at.time() <= local.time():
                then += counts
    week = _sum(by_day[day] for day in dates[7:])
    return Overview(
        line_of("", by_day[local.date()]),
        line_of("", then),
        line_of("", week),
        line_of("", _sum(by_day[day] for day in dates[:7])),
        [(day, line_of("", by_day[day])) for day in dates],
        checks_of(week),
    )


def weeks(desk: Desk) -> dict[str, Line]:
    """Return the last seven days of every domain that had mail; up to a minute old."""
    now, key = desk.clock(), str(desk.data_dir)
    at, lines = _WEEKS.get(key, (-WEEKS_FOR, {}))
    if not 0 <= now - at < WEEKS_FOR:
        lines = {line.name: line for line in stats(desk, None, now - 7 * 86_400).domains}
        _WEEKS[key] = now, lines
    return lines


def latest(desk: Desk, names: Sequence[str] | None, limit: int = 10) -> list[OutcomeRow]:
    """Return the newest outcomes of these domains (None: of all), the newest first."""
    journal.collect(desk)
    rows = [
        row
        for name in ([None] if names is None else names)
        for row in desk.journal.search(name, limit=limit * LOOKED_AT)
    ]
    return sorted(rows, key=lambda row: (-row.time, -row.seq))[:limit]


def _sum(counted: Iterable[Counts]) -> Counts:
    total: Counts = Counter()
    for one in counted:
        total.update(one)
    return total


@dataclass(slots=True)
class _Kept:
    hours: Hours
    first: int
    last: int
    """Hours from `first` to before `last` are known."""
    at: float


class _Memory:
    """The hours that are over, by installation and domain."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str | None], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: tuple[str, str | None], first: int, now: float) -> _Kept | None:
        """Return what is known, if it begins early enough and is not too old."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.first > first or not 0 <= now - kept.at < REMEMBERED_FOR:
                return None
            self._kept.move_to_end(key)
            return kept

    def keep(self, key: tuple[str, str | None], kept: _Kept) -> None:
        """Remember; the longest unused goes."""
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)


_MEMORY = _Memory()
_WEEKS: dict[str, tuple[float, dict[str, Line]]] = {}
"""Installation -> when it was counted, and the lines."""


def _hours(desk: Desk, name: str | None, first: int, end: int) -> Iterator[tuple[int, Counts]]:
    """Yield the counts of each hour from `first` to before `end`."""
    # A domain that was added anew under an old name has nothing of the old one.
    one = name if name is None else f"{name} {desk.policy.hosted_since(name)}"
    key, now = (str(desk.data_dir), one), desk.clock()
    kept = _MEMORY.take(key, first, now)
    over = end - OPEN_HOURS
    if kept is None or kept.last < over:
        begin = first if kept is None else kept.last
        hours = {} if kept is None else {hour: counts for hour, counts in kept.hours.items() if hour >= first}
        hours |= _read(desk, name, begin, over)
        kept = _Kept(hours, first, over, now if kept is None else kept.at)
        _MEMORY.keep(key, kept)
    yield from ((hour, counts) for hour, counts in kept.hours.items() if hour >= first)
    yield from _read(desk, name, kept.last, end).items()


def _read(desk: Desk, name: str | None, first: int, last: int) -> Hours:
    found: Hours = {}
    for hour, fate, plugin, number in desk.journal.hours(name, first, last):
        found.setdefault(hour, Counter())[fate, plugin] += number
    return found
