"""Counts by hour agree with the journal, outlive its rows, and are read without them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gatepost.mail.verdict import Defer, Reject, Score, Take, Verdict
from gatepost.policy.decide import ACCEPTED, Fate, Finding, Outcome
from gatepost.policy.policy import Action, Mode
from gatepost.server.record import message_trace, trace_of
from gatepost.store.journal_counts import HOUR, Counts, would_refuse
from gatepost.store.journal_db import JournalStore, JournalWriter, outcome_line
from tests.store.conftest import Clock

WATCHED = '[["dnsbl","connect","watch reject",1.25,"listed"],["helo_name","helo","",0.1,""]]'


@pytest.fixture
def journal(tmp_path: Path) -> JournalStore:
    """An empty journal."""
    return JournalStore(tmp_path / "journal.db")


def write(journal: JournalStore, clock: Clock, *lines: str) -> None:
    """Write lines and bring them in."""
    writer = JournalWriter(journal.path.parent, "w0", clock=clock)
    for line in lines:
        writer.add(line)
    writer.close()
    journal.collect()


def line(n: int, domain: str = "example.org", fate: str = "rejected", trace: str = "[]") -> str:
    """Return the line of an outcome."""
    plugin = "" if fate == "accepted" else "dnsbl"
    return outcome_line(f"S{n:04}.1", domain, "r", "s", "192.0.2.1", fate, plugin, "listed", trace=trace)


def test_by_domain_hour_and_fate(journal: JournalStore, clock: Clock) -> None:
    """Each count stands under its domain, hour, fate and check; `since` counts its whole hour."""
    first = int(clock.now // HOUR)
    write(journal, clock, line(1), line(2), line(3, "example.net", "accepted"))
    clock.now += 2 * HOUR
    write(journal, clock, line(4))
    all_of_it = journal.tally()
    assert [
        ("example.org", "rejected", "dnsbl", 3),
        ("example.net", "accepted", "", 1),
    ] == all_of_it.outcomes
    assert [("example.org", "rejected", "dnsbl", 1)] == journal.tally(since=clock.now).outcomes
    assert [
        (first, "accepted", "", 1),
        (first, "rejected", "dnsbl", 2),
        (first + 2, "rejected", "dnsbl", 1),
    ] == all_of_it.hours
    assert [(first, "accepted", "", 1)] == journal.tally("example.net").hours


def test_watched_though_folded(journal: JournalStore, clock: Clock) -> None:
    """What a check on watch would have refused counts for each mail, also where its trace was folded."""
    lines = [line(n, trace=WATCHED) for n in range(5)]
    write(journal, clock, *lines, line(9, fate="accepted", trace=WATCHED))
    assert [
        ("example.org", "dnsbl", "rejected", 5),
        ("example.org", "dnsbl", "accepted", 1),
    ] == journal.tally().watched
    assert [] == journal.tally("example.net").watched


def test_marked(journal: JournalStore, clock: Clock) -> None:
    """Delivered marked counts beside the outcomes and not among them; refused all the same does not."""
    marked = message_trace([], Outcome(Fate.ACCEPT, tags=("rdns", "score")), [], None)
    hour = int(clock.now // HOUR)
    says_so = Finding("rdns", "rcpt", Score(1.0, marked), Mode.ON, Action.TAG)
    forged = message_trace([says_so], ACCEPTED, [marked], None)
    write(
        journal, clock,
        *(line(n, fate="accepted", trace=marked) for n in range(3)),
        line(3, "example.net", "queued", marked),
        line(4, fate="rejected", trace=marked),
        line(5, fate="accepted", trace=forged),
    )  # fmt: skip
    told = journal.tally()
    assert {"example.org": 3, "example.net": 1} == dict(told.marked)
    assert [(hour, 4)] == told.marked_hours
    assert 6 == sum(number for *_, number in told.outcomes) == sum(number for *_, number in told.hours)
    assert [("example.net", 1)] == journal.tally("example.net").marked


def test_what_the_worker_writes_is_understood() -> None:
    """The trace of real findings: Reject, Defer and Take on watch count, and nothing else does."""
    cases: list[tuple[str, Verdict | None, Mode, str]] = [
        ("a", Reject("listed"), Mode.WATCH, ""),
        ("b", Defer("later"), Mode.WATCH, ""),
        ("c", Take("mine"), Mode.WATCH, ""),
        ("d", Score(3.0, "odd"), Mode.WATCH, ""),
        ("e", None, Mode.WATCH, ""),
        ("f", Reject("listed"), Mode.ON, ""),
        ("g", Reject("listed"), Mode.WATCH, "allow 192.0.2.1"),
    ]
    findings = [
        Finding(name, "rcpt", verdict, mode, Action.REJECT, allowed_by=allowed)
        for name, verdict, mode, allowed in cases
    ]
    assert ["a", "b", "c"] == list(would_refuse(trace_of(findings, ACCEPTED)))


@pytest.mark.parametrize(
    "reason",
    [
        '["dnsbl","connect","watch reject",1.0,"x"]',
        '"],["dnsbl","connect","watch reject",1.0,"x"]',
        '\\"],["dnsbl","connect","watch reject",1.0,"x"]',
        "[",
    ],
)
def test_no_reason_looks_like_a_step(reason: str) -> None:
    """Whatever a stranger had written into a reason, no check is blamed for it."""
    findings = [Finding("helo_name", "helo", Reject(reason), Mode.ON, Action.REJECT)] * 2
    assert [] == list(would_refuse(trace_of(findings, ACCEPTED)))


def test_nothing_without_the_rows(journal: JournalStore, clock: Clock) -> None:
    """Counts that were not committed with their rows are not there."""
    db = sqlite3.connect(journal.path, isolation_level=None)
    counts = Counts()
    counts.outcome(1, "example.org", "rejected", "dnsbl", WATCHED)
    db.execute("BEGIN")
    counts.write(db)
    db.execute("ROLLBACK")
    db.close()
    assert ([], []) == (journal.tally().outcomes, journal.tally().watched)


def test_no_row_is_read(journal: JournalStore) -> None:
    """Every question is answered from the counts by their key: the size of the journal does not matter."""
    db = journal._db
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    journal.tally("example.org", 7.0)
    db.set_trace_callback(None)
    plans = [
        row[3] for sql in asked if sql.startswith("SELECT") for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")
    ]
    read = [step for step in plans if step.startswith(("SCAN", "SEARCH"))]
    by_hour = "USING PRIMARY KEY (hour>?)"
    wanted = ["tally"] * 2 + ["watched"] + ["tally"] * 3
    assert [f"SEARCH {table} {by_hour}" for table in wanted] == read


def test_hours(journal: JournalStore, clock: Clock) -> None:
    """Of one domain as of all: from the first hour to before the last, without sessions."""
    first = int(clock.now // HOUR)
    for hour, (domain, fate) in enumerate(
        (("a.test", "accepted"), ("b.test", "rejected"), ("a.test", "rejected"))
    ):
        clock.now = (first + hour) * HOUR
        write(journal, clock, line(hour, domain, fate))

    assert [(first, "accepted", "", 1), (first + 2, "rejected", "dnsbl", 1)] == journal.hours(
        "a.test", first, first + 3
    )
    assert [first, first + 1] == [one[0] for one in journal.hours(None, first, first + 2)]
    assert [] == journal.hours("a.test", first + 3, first + 3)
