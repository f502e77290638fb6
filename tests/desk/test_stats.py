"""Statistics say what refused what, and never call a guessed name spam."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gatepost.desk import stats as module
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.stats import BACK_END, NOT_HOSTED, STRANGER, TROUBLE, Check, Watched, stats
from gatepost.store.journal_lines import NOT_FROM_HERE, outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from tests.desk.conftest import Clock

DAY = 86_400.0
WATCHED = '[["spf","mail","watch reject",1.25,"fail"]]'


@pytest.fixture
def writer(desk: Desk) -> Iterator[JournalWriter]:
    """A worker's side of the journal, on the desk's clock."""
    made = JournalWriter(desk.data_dir, "w0", clock=desk.clock)
    yield made
    made.close()


def put(
    writer: JournalWriter,
    number: int,
    fate: str,
    plugin: str = "",
    domain: str = "example.org",
    trace: str = "[]",
) -> None:
    """Write so many outcomes."""
    for _ in range(number):
        writer.add(outcome_line("A.1", domain, "r", "s", "192.0.2.1", fate, plugin, "why", trace=trace))
    writer.flush()


def shares(checks: list[Check]) -> dict[str, tuple[int, float | None]]:
    """Return check -> refused, its share of spam."""
    return {one.check: (one.refused, one.share_of_spam) for one in checks}


def test_no_such_user_is_apart(desk: Desk, writer: JournalWriter) -> None:
    """Guessed names take part in no check's share of spam, and in the share of everything."""
    put(writer, 60, "rejected", "recipients")
    put(writer, 4, "rejected", "localpart_rules")
    put(writer, 30, "rejected", "dnsbl")
    put(writer, 4, "rejected", "no_shops")
    put(writer, 1, "quarantined", "score")
    put(writer, 1, "taken", "no_shops")
    found = stats(desk, "example.org", 0)
    assert (100, 64, 36) == (found.all.total, found.all.no_such_user, found.all.spam)
    assert {
        "recipients": (60, None),
        "localpart_rules": (4, None),
        "dnsbl": (30, 30 / 36),
        "no_shops": (5, 5 / 36),
        "score": (1, 1 / 36),
    } == shares(found.checks)
    assert [0.6, 0.3] == [one.share for one in found.checks[:2]]
    assert 1.0 == pytest.approx(sum(one.share for one in found.checks))


def test_a_list_of_clients_is_no_missing_user(desk: Desk, writer: JournalWriter) -> None:
    """Who is there and takes mail from some clients only is counted apart from names that nobody has."""
    why = f"192.0.2.1 {NOT_FROM_HERE[1]}"
    writer.add(outcome_line("A.1", "example.org", "r", "s", "192.0.2.1", "rejected", "recipients", why, 550))
    put(writer, 2, "rejected", "recipients")
    found = stats(desk, "example.org", 0)
    assert (3, 2, 0) == (found.all.rejected, found.all.no_such_user, found.all.spam)
    assert {"recipients": "no such user", "recipients: clients": "closed"} == {
        one.check: one.kind for one in found.checks
    }


def test_neither_spam_nor_unknown(desk: Desk, writer: JournalWriter) -> None:
    """Put off, too often, not hosted, and the back end's own refusals are no spam either."""
    put(writer, 3, "rejected", "dnsbl")
    put(writer, 7, "deferred", "greylist")
    put(writer, 2, "rejected", "")
    put(writer, 5, "rejected", "relaying", domain="foreign.example")
    found = stats(desk, None, 0)
    assert (3, 0, 7, 10) == (
        found.all.spam,
        found.all.no_such_user,
        found.all.deferred,
        found.all.rejected,
    )
    kinds = {one.check: (one.kind, one.refused, one.deferred) for one in found.checks}
    assert (STRANGER, 0, 7) == kinds["greylist"]
    assert (TROUBLE, 2, 0) == kinds[BACK_END]
    assert (NOT_HOSTED, 5, 0) == kinds["relaying"]
    assert (3, 1.0) == shares(found.checks)["dnsbl"]
    assert [("example.org", 12), ("", 5)] == [(line.name, line.total) for line in found.domains]


def test_fates(desk: Desk, writer: JournalWriter) -> None:
    """Every row stands in one column: what waits in the queue was accepted."""
    for number, fate in enumerate(
        ("accepted", "queued", "rejected", "quarantined", "taken", "deferred", "abandoned"), 1
    ):
        put(writer, number, fate, "" if number < 3 else "dnsbl")
    writer.add(session_line("A", "192.0.2.1", "", "x", "", "quit"))
    writer.flush()
    found = stats(desk, None, 0)
    line = found.all
    columns = (line.accepted, line.rejected, line.quarantined, line.taken, line.deferred, line.abandoned)
    assert (3, 3, 4, 5, 6, 7) == columns
    assert sum(columns) == line.total
    assert 1 == found.sessions
    assert stats(desk, "example.org", 0).sessions is None


def test_by_day_and_since(
    desk: Desk, writer: JournalWriter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day is that of the machine's zone; what came before `since` is not counted."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        clock.now = time.mktime((2026, 11, 24, 23, 30, 0, 0, 0, -1))
        put(writer, 2, "rejected", "dnsbl")
        clock.now += 3600
        put(writer, 3, "accepted")
        found = stats(desk, "example.org", clock.now - DAY)
        assert [("2026-11-24", 2, 2, 0), ("2026-11-25", 3, 0, 3)] == [
            (day.name, day.total, day.spam, day.accepted) for day in found.days
        ]
        assert 3 == stats(desk, "example.org", clock.now).all.total
    finally:
        monkeypatch.undo()
        time.tzset()


def test_watch(desk: Desk, writer: JournalWriter) -> None:
    """A check on watch: what it would have refused, and how much of that got in."""
    put(writer, 4, "accepted", trace=WATCHED)
    put(writer, 2, "rejected", "dnsbl", trace=WATCHED)
    put(writer, 9, "accepted")
    assert [Watched("spf", 6, 4)] == stats(desk, "example.org", 0).watched


def test_domains(desk: Desk, writer: JournalWriter) -> None:
    """As people write it; one that is gone still has its past, one that never was is told."""
    put(writer, 1, "accepted", domain="gone.example")
    assert 1 == stats(desk, "Gone.Example.", 0).all.total
    assert 0 == stats(desk, "example.org", 0).all.total
    with pytest.raises(NotFound, match=r"did you mean 'example\.org'"):
        stats(desk, "exampel.org", 0)
    with pytest.raises(DeskError):
        stats(desk, "not a domain", 0)


def test_kinds_are_checks_that_exist(desk: Desk) -> None:
    """A check that is renamed does not turn into spam unnoticed."""
    no_check = {
        "",
        "relaying",
        "outgoing",
        "relay",
        "archive",
        "gatepost",
        "smtp",
        "policy",
        "mixed",
        "poison",
    }
    assert {name.partition(":")[0] for name in module.KINDS} - no_check <= {
        loaded.name for loaded in desk.registry
    }
