"""Counts by day in the reader's zone, today against the same day a week ago; what is remembered is right."""

from collections.abc import Iterator
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.overview import latest, overview, weeks
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter

NOW = 1_795_651_200.0  # Thursday, 2026-11-26 00:00 UTC
DAY = 86_400


class Place:
    """An installation whose clock is turned by hand."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW + 12 * 3600
        self.folder = folder
        self.desk = Desk(folder, "ann", clock=lambda: self.now)
        domains.add(self.desk, "example.org", ["smtp://mail.example.org"])
        domains.add(self.desk, "second.example", ["smtp://mail.example.org"])

    def mail(self, at: float, fate: str = "accepted", plugin: str = "", domain: str = "example.org") -> None:
        """Write down one mail."""
        writer = JournalWriter(self.folder, "w0", clock=lambda: at)
        writer.add(
            outcome_line("3479ACDEFH.1", domain, f"a@{domain}", "s@x.example", "192.0.2.1", fate, plugin)
        )
        writer.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give an installation."""
    made = Place(tmp_path)
    yield made
    made.desk.close()


def test_today_against_last_week(place: Place) -> None:
    """Today so far, the same day a week ago up to the same time, the weeks, the days."""
    place.mail(NOW + 3600)
    place.mail(NOW + 7200, "rejected", "dnsbl")
    place.mail(NOW - DAY, "rejected", "dnsbl")
    place.mail(NOW - 7 * DAY + 3600)
    place.mail(NOW - 7 * DAY + 18 * 3600)  # a week ago, but later in the day
    place.mail(NOW - 20 * DAY)
    told = overview(place.desk, ["example.org"], UTC)

    assert (1, 1) == (told.today.accepted, told.today.rejected)
    assert (1, 0) == (told.then.accepted, told.then.rejected)
    assert (1, 2) == (told.week.accepted, told.week.rejected)
    assert 2 == told.week_before.accepted
    assert (date(2026, 11, 13), date(2026, 11, 26), 14) == (told.days[0][0], told.days[-1][0], len(told.days))
    assert [("dnsbl", 2)] == [(one.check, one.refused) for one in told.checks]


def test_days_are_the_readers(place: Place) -> None:
    """What came at 23:30 UTC came tomorrow in Berlin."""
    place.mail(NOW - 1800)

    assert 0 == overview(place.desk, ["example.org"], UTC).today.accepted
    assert 1 == overview(place.desk, ["example.org"], ZoneInfo("Europe/Berlin")).today.accepted


def test_what_is_remembered_is_not_wrong(place: Place) -> None:
    """New mail counts at once, old lines that come in late when the memory is old; each domain its own."""
    place.mail(NOW)
    assert 1 == overview(place.desk, ["example.org"], UTC).today.accepted
    place.mail(place.now)
    place.mail(NOW, domain="second.example")
    assert 2 == overview(place.desk, ["example.org"], UTC).today.accepted
    assert 3 == overview(place.desk, None, UTC).today.accepted
    assert 3 == overview(place.desk, ["example.org", "second.example"], UTC).today.accepted
    place.now += 5 * 3600
    assert 2 == overview(place.desk, ["example.org"], UTC).today.accepted
    place.mail(NOW)
    place.now += 700
    assert 3 == overview(place.desk, ["example.org"], UTC).today.accepted


def test_weeks(place: Place) -> None:
    """Each domain's last seven days; what comes later is seen a minute later."""
    place.mail(NOW)
    place.mail(NOW - 9 * DAY)
    assert {"example.org": 1} == {name: line.accepted for name, line in weeks(place.desk).items()}
    place.mail(NOW, domain="second.example")
    assert {"example.org"} == weeks(place.desk).keys()
    place.now += 61
    assert {"example.org", "second.example"} == weeks(place.desk).keys()


def test_latest(place: Place) -> None:
    """The newest of several domains, in order."""
    for n, domain in enumerate(("example.org", "second.example", "example.org")):
        place.mail(NOW + n, domain=domain)

    assert ["example.org", "second.example"] == [row.domain for row in latest(place.desk, None, 2)]
    assert ["example.org", "example.org"] == [row.domain for row in latest(place.desk, ["example.org"])]
    assert [] == latest(place.desk, [])


def test_latest_by_time(place: Place) -> None:
    """What one worker wrote late stands behind what another wrote after it, however many lines there are."""
    for n in range(30):
        place.mail(NOW + 100 + n)
    latest(place.desk, None)
    for n in range(30):
        place.mail(NOW + n)
    assert [NOW + 129 - n for n in range(10)] == [row.time for row in latest(place.desk, None)]
