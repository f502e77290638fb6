"""What the workers wrote is found at once, followed live, and explained by the id of the SMTP reply."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from gatepost.desk import journal
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter

ID = "0DQ3N7V5K2F8T"
TRACE = '[["recipients","rcpt","",0.02,""],["dnsbl","connect","reject",12.5,"listed in bl.test"]]'


@pytest.fixture
def writer(desk: Desk) -> Iterator[JournalWriter]:
    """A worker's side of the journal, on the desk's clock."""
    made = JournalWriter(desk.data_dir, "w0", clock=desk.clock)
    yield made
    made.close()


def refused(number: int = 1, recipient: str = "ann@example.org", trace: str = TRACE) -> str:
    """Return the line of a refusal."""
    return outcome_line(
        f"{ID}.{number}",
        "example.org",
        recipient,
        "bob@spam.test",
        "192.0.2.7",
        "rejected",
        "dnsbl",
        "listed in bl.test",
        550,
        trace=trace,
    )


def test_found_at_once(desk: Desk, writer: JournalWriter) -> None:
    """No server and no collector has to run: who asks brings in what was written."""
    writer.add(refused())
    writer.flush()
    (row,) = journal.search(desk, "example.org")
    assert (row.id, row.fate, row.plugin, row.reason) == (f"{ID}.1", "rejected", "dnsbl", "listed in bl.test")
    assert journal.search(desk, "example.net") == []
    assert len(journal.search(desk, plugin="dnsbl", outcome="rejected", text="SPAM.test")) == 1
    assert journal.search(desk, since=desk.clock() + 10) == []


def test_more_than_a_page(desk: Desk, writer: JournalWriter) -> None:
    """A limit beyond one page of the store is kept, the newest first."""
    for number in range(1, 2501):
        writer.add(refused(number))
    writer.flush()
    found = journal.search(desk, limit=2200)
    assert len(found) == 2200
    assert found[0].id == f"{ID}.2500"


def test_follow(desk: Desk, writer: JournalWriter) -> None:
    """What comes is shown once, in the order in which it came."""
    writer.add(refused(1))
    writer.flush()
    waits = itertools.count(2)

    def wait(_seconds: float) -> None:
        writer.add(refused(next(waits)))
        writer.flush()

    following = journal.follow(desk, "example.org", wait=wait)
    assert [row.id for row in itertools.islice(following, 3)] == [f"{ID}.2", f"{ID}.3", f"{ID}.4"]


def test_explain(desk: Desk, writer: JournalWriter) -> None:
    """Every check with its result and time, however the id was typed."""
    writer.add(refused())
    writer.add(session_line(ID, "192.0.2.7", "", "spam.test", "", "quit", 1, 0, 1.5))
    writer.flush()
    for typed in (ID, f"({ID})", ID.lower().replace("0", "o"), f" {ID}.1 "):
        found = journal.explain(desk, typed)
        (one,) = found.outcomes
        assert [(s.check, s.said, s.milliseconds) for s in one.steps] == [
            ("recipients", "nothing against it", 0.02),
            ("dnsbl", "refuses it", 12.5),
        ]
        assert found.session is not None
        assert found.session.helo == "spam.test"


def test_explain_a_folded_one(desk: Desk, writer: JournalWriter) -> None:
    """The trace of a storm is folded, and every id of it can be explained all the same (CONTRACT 8)."""
    for number in (1, 2, 3):
        writer.add(refused(number))
    writer.flush()
    (one,) = journal.explain(desk, f"{ID}.3").outcomes
    assert [s.check for s in one.steps] == ["recipients", "dnsbl"]


def test_no_id(desk: Desk) -> None:
    """What is no id is told apart from one that is not known."""
    with pytest.raises(DeskError, match="is no id"):
        journal.explain(desk, "hello")
    with pytest.raises(NotFound, match=ID):
        journal.explain(desk, ID)
