"""The journal as people search it: by domain, outcome, check and text, page by page, live, and by id."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gatepost.store.base import OutcomeRow, StoreDamaged
from gatepost.store.journal_db import DAY, JournalStore, JournalWriter, outcome_line, session_line
from tests.store.conftest import HOSTILE, Clock


class Journal(JournalStore):
    """A journal that is written and collected at once."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder / "journal.db")
        self.writer = JournalWriter(folder, "w0", clock=clock)

    def write(self, *lines: str) -> None:
        """Write lines and bring them in."""
        for line in lines:
            self.writer.add(line)
        self.writer.flush()
        self.collect()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Journal:
    """An empty journal."""
    return Journal(tmp_path, clock)


def line(
    n: int, domain: str = "example.org", fate: str = "rejected", plugin: str = "dnsbl", subject: str = ""
) -> str:
    """Return the line of an outcome."""
    code = 550 if fate == "rejected" else 250
    return outcome_line(
        f"S{n:04}.1",
        domain,
        f"u{n}@{domain}",
        "bob@x.example",
        "192.0.2.1",
        fate,
        plugin,
        "listed",
        code,
        subject=subject,
    )


def ids(rows: Sequence[OutcomeRow]) -> list[str]:
    """Return the ids of rows without what is the same for all."""
    return [row.id[1:5].lstrip("0") or "0" for row in rows]


def test_filters(journal: Journal) -> None:
    """Each filter alone and together; the newest first."""
    journal.write(
        line(1), line(2, "example.net"), line(3, fate="accepted", plugin=""), line(4, plugin="helo_name")
    )
    assert ids(journal.search()) == ["4", "3", "2", "1"]
    assert ids(journal.search("example.org")) == ["4", "3", "1"]
    assert ids(journal.search("example.org", outcome="rejected")) == ["4", "1"]
    assert ids(journal.search(plugin="dnsbl")) == ["2", "1"]
    assert ids(journal.search("example.org", outcome="rejected", plugin="dnsbl")) == ["1"]
    assert journal.search("nosuch.example") == []


def test_text(journal: Journal) -> None:
    """In sender, recipient, reason or subject, without case; signs of patterns are signs."""
    journal.write(*(line(n, subject=text) for n, text in enumerate(HOSTILE)))
    for n, text in enumerate(HOSTILE):
        if text.isascii() and not set('"\\') & set(text):
            assert str(n) in ids(journal.search(text=text))
    assert ids(journal.search(text="%_%")) == ["3"]
    assert ids(journal.search(text="U3@EXAMPLE")) == ["3"]
    assert len(journal.search(text="bob@x")) == len(HOSTILE)
    assert journal.search(text="100%") == []
    assert journal.search()[-1].subject == HOSTILE[0]


def test_pages(journal: Journal) -> None:
    """A cursor goes on where the last page ended, though new rows came meanwhile."""
    journal.write(*(line(n) for n in range(10)))
    first = journal.search("example.org", limit=4)
    journal.write(line(99))
    second = journal.search("example.org", limit=4, after=first[-1].seq)
    assert ids(first + second) == ["9", "8", "7", "6", "5", "4", "3", "2"]


def test_following(journal: Journal) -> None:
    """Only what is newer, the oldest first."""
    journal.write(line(1))
    seen = journal.last_seq()
    assert journal.search(newer=seen) == []
    journal.write(line(2), line(3, "example.net"), line(4))
    assert ids(journal.search(newer=seen)) == ["2", "3", "4"]
    assert ids(journal.search("example.org", newer=seen)) == ["2", "4"]


def test_time(journal: Journal, clock: Clock) -> None:
    """Since and until, in order though one worker's clock was a little behind."""
    for n in range(5):
        journal.write(line(n))
        clock.now += 100
    start = clock.now - 500
    assert ids(journal.search(since=start + 200)) == ["4", "3", "2"]
    assert ids(journal.search(until=start + 200)) == ["1", "0"]
    assert ids(journal.search(since=start + 100, until=start + 300)) == ["2", "1"]
    assert journal.search(since=clock.now) == []


def test_explain(journal: Journal) -> None:
    """By a session's id all of it, by a transaction's only that."""
    journal.write(
        line(1),
        outcome_line("S0001.2", "example.org", "a@example.org", "", "192.0.2.1", "accepted"),
        line(2),
        session_line("S0001", "192.0.2.1", "h.example", "helo", "", "quit", 2, 0, 1.5),
    )
    found = journal.explain("S0001")
    assert found is not None
    assert found.session is not None
    assert found.session.host == "h.example"
    assert [row.id for row in found.outcomes] == ["S0001.1", "S0001.2"]
    one = journal.explain("S0001.2")
    assert one is not None
    assert [row.id for row in one.outcomes] == ["S0001.2"]
    running = journal.explain("S0002")
    assert running is not None
    assert running.session is None
    for nothing in ("S0003", "", "S", *HOSTILE):
        assert journal.explain(nothing) is None


def test_sessions(journal: Journal) -> None:
    """Sessions by id, which is by time; also those that named no recipient."""
    journal.write(*(session_line(f"S{n:04}", f"192.0.2.{n}", "", "x_y", "", "quit") for n in range(5)))
    assert [s.id for s in journal.sessions(limit=2)] == ["S0004", "S0003"]
    assert [s.id for s in journal.sessions(after="S0003", limit=2)] == ["S0002", "S0001"]
    assert [s.id for s in journal.sessions(text="192.0.2.3")] == ["S0003"]
    assert journal.sessions(text="xay") == []


def test_prune(journal: Journal, clock: Clock) -> None:
    """Each domain keeps as long as it says; a session as long as the longest; counts stay."""
    start = clock.now
    for day in range(10):
        clock.now = start + day * DAY
        journal.write(
            line(day, "short.example"),
            line(100 + day, "long.example"),
            session_line(f"S{day:04}", "c", "", "", "", "quit"),
        )
    days = {"short.example": 3, "long.example": 7, "": 1}
    assert journal.prune(clock.now + 60, lambda domain: days[domain]) == 7 + 3 + 3
    assert ids(journal.search("short.example")) == ["9", "8", "7"]
    assert len(journal.search("long.example")) == 7
    assert len(journal.sessions()) == 7
    assert journal.prune(clock.now + 60, lambda domain: days[domain]) == 0
    assert sum(row[-1] for row in journal.tally().outcomes) == 20


def test_prune_a_part(journal: Journal, clock: Clock) -> None:
    """No more rows than are allowed at once."""
    journal.write(*(line(n) for n in range(20)))
    late = clock.now + 9 * DAY
    assert journal.prune(late, lambda _: 1, max_rows=8) == 8
    assert journal.prune(late, lambda _: 1, max_rows=100) == 12


def test_damaged(tmp_path: Path) -> None:
    """A broken file is said to be so."""
    (tmp_path / "journal.db").write_bytes(b"x" * 9000)
    with pytest.raises(StoreDamaged):
        JournalStore(tmp_path / "journal.db")


def test_rows_that_only_look_like_ours(journal: Journal) -> None:
    """A damaged line does not spoil a page."""
    journal.write(line(1), '["o","X","rejected","p",0,0,0,0,"d","c","r","a"]\t\n', '["s","Y",broken]\n')
    assert ids(journal.search()) == ["1"]
    assert journal.sessions() == []


def test_copy(journal: Journal, tmp_path: Path) -> None:
    """A copy can be searched."""
    journal.write(line(1))
    journal.copy_to(tmp_path / "copy.db")
    assert ids(JournalStore(tmp_path / "copy.db").search()) == ["1"]
