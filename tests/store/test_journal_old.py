"""Counts outlive their rows, lie by day when they are a month old, and go in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.store.journal_counts import HOUR, Counts
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_old import DAY, HOURLY_DAYS, KEEP_DAYS, age, first_hour

WATCHED = '[["dnsbl","connect","watch reject",1.25,"listed"]]'
ZONES = ("UTC", "Pacific/Auckland", "Asia/Kolkata", "America/St_Johns", "Europe/Berlin")


@pytest.fixture
def journal(tmp_path: Path) -> JournalStore:
    """An empty journal."""
    return JournalStore(tmp_path / "journal.db")


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each time zone in turn, some of them half an hour beside the others."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def put(journal: JournalStore, hour: int, number: int = 1, domain: str = "example.org") -> None:
    """Count so many refusals in an hour."""
    counts = Counts()
    for _ in range(number):
        counts.outcome(hour, domain, "rejected", "dnsbl", WATCHED)
    counts.write(journal._db)


def by_day(journal: JournalStore) -> dict[str, int]:
    """Return day -> number, as statistics show it."""
    found: dict[str, int] = {}
    for hour, _, _, number in journal.tally().hours:
        day = time.strftime("%Y-%m-%d", time.localtime(hour * HOUR))
        found[day] = found.get(day, 0) + number
    return found


@pytest.mark.usefixtures("zone")
def test_hours_become_days(journal: JournalStore) -> None:
    """No count is lost, none changes its day, also where a day has 23 or 25 hours; new ones stay by hour."""
    start = first_hour(time.mktime((2026, 3, 27, 12, 0, 0, 0, 0, -1)))  # Berlin's clocks change on the 29th
    for n in range(24 * 10):
        put(journal, start + n, 1 + n % 3)
        put(journal, start + n, 1, "example.net")
    now = time.mktime((2026, 4, 2, 12, 0, 0, 0, 0, -1)) + HOURLY_DAYS * DAY
    before, all_before = by_day(journal), journal.tally()
    for _ in range(30):
        age(journal._db, now)
    after = journal.tally()
    assert before == by_day(journal)
    assert (all_before.outcomes, all_before.watched) == (after.outcomes, after.watched)
    limit = first_hour(now - HOURLY_DAYS * DAY)
    old = [hour for hour, *_ in after.hours if hour < limit]
    assert [first_hour(hour * HOUR) for hour in old] == old
    assert 6 == len(old)
    assert [row for row in all_before.hours if row[0] >= limit] == after.hours[len(old) :]
    rows = {t: journal._db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("tally", "watched")}
    assert dict.fromkeys(rows, 2 * len(after.hours)) == rows


def test_one_day_at_a_time(journal: JournalStore) -> None:
    """A long pause of the keeper is caught up day by day, so that nobody waits for all of it."""
    start = first_hour(1_795_000_000.0)
    for n in range(72):
        put(journal, start + n)
    left = []
    for _ in range(4):
        age(journal._db, start * HOUR + 60 * DAY)
        left.append(len(journal.tally().hours))
    assert [49, 26, 3, 3] == left


def test_gone_in_the_end(journal: JournalStore) -> None:
    """After `KEEP_DAYS`, a day in one call; the last day that is kept stays."""
    start = first_hour(1_795_000_000.0)
    for n in range(3):
        put(journal, start + 24 * n)
    left = []
    for _ in range(3):
        age(journal._db, start * HOUR + (2 + KEEP_DAYS) * DAY)
        left.append((journal.tally().outcomes[0][3], journal.tally().watched[0][3]))
    assert [(2, 2), (1, 1), (1, 1)] == left
