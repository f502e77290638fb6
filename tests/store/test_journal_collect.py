"""Each line comes into the database once, whoever dies when; storms are folded."""

from pathlib import Path

import pytest

from gatepost.store import journal_collect, journal_writer
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_lines import NOT_HOSTED, outcome_line, session_line
from gatepost.store.journal_writer import FOLDER, JournalWriter
from tests.store.conftest import Clock

TRACE = '[["rcpt","recipients","Reject",0.1,"no such user"]]'


@pytest.fixture
def journal(tmp_path: Path) -> JournalStore:
    """An empty journal."""
    return JournalStore(tmp_path / "journal.db")


def refused(
    n: int, client: str = "192.0.2.1", reason: str = "no such user", domain: str = "example.org"
) -> str:
    """Return the line of a refusal with a trace."""
    return outcome_line(
        f"ID{n:04}.1",
        domain,
        f"u{n}@{domain}",
        "s@x",
        client,
        "rejected",
        "recipients",
        reason,
        550,
        trace=TRACE,
    )


def ids(journal: JournalStore) -> list[str]:
    """Return the ids in the journal, the oldest first."""
    return [row.id for row in journal.search(newer=0, limit=1000)]


def test_all_and_once(journal: JournalStore, tmp_path: Path, clock: Clock) -> None:
    """Lines of several workers, some before and some after a look; the time is that of their batch."""
    writers = [JournalWriter(tmp_path, f"w{n}", clock=clock) for n in range(3)]
    for n in range(30):
        writers[n % 3].add(refused(n, client=f"192.0.2.{n}"))
        if n % 7 == 0:
            for writer in writers:
                writer.flush()
            journal.collect()
    assert journal.collect() == 0
    for writer in writers:
        writer.close()
    assert journal.collect() > 0
    assert sorted(ids(journal)) == [f"ID{n:04}.1" for n in range(30)]
    assert {row.time for row in journal.search()} == {clock.now}
    assert list((tmp_path / FOLDER).iterdir()) == [], "files that were read and are free are deleted"
    assert journal.collect() == 0
    assert journal._db.execute("SELECT count(*) FROM source").fetchone() == (0,)


def test_the_file_of_a_living_writer_stays(journal: JournalStore, tmp_path: Path) -> None:
    """It may still grow."""
    writer = JournalWriter(tmp_path, "w0")
    for n in range(3):
        writer.add(refused(n))
        writer.flush()
        assert journal.collect() == 1
    assert len(list((tmp_path / FOLDER).iterdir())) == 1


def test_a_collector_that_dies(
    journal: JournalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the rows and before the file is deleted: the next one reads nothing twice."""
    writer = JournalWriter(tmp_path, "w0")
    writer.add(refused(1))
    writer.close()

    def killed(_path: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        journal.collect()
    monkeypatch.undo()
    journal.close()
    again = JournalStore(tmp_path / "journal.db")
    assert again.collect() == 0
    assert ids(again) == ["ID0001.1"]


def test_a_collector_that_fails_within(
    journal: JournalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and how far was read come together or not at all."""
    writer = JournalWriter(tmp_path, "w0")
    writer.add(refused(1))
    writer.flush()
    position = journal_collect._POSITION
    monkeypatch.setattr(journal_collect, "_POSITION", "INSERT INTO nowhere VALUES (?, ?, ?)")
    with pytest.raises(Exception, match="nowhere"):
        journal.collect()
    assert ids(journal) == []
    monkeypatch.setattr(journal_collect, "_POSITION", position)
    assert journal.collect() == 1


def test_two_collectors(tmp_path: Path) -> None:
    """Two at once do no harm."""
    one, two = JournalStore(tmp_path / "journal.db"), JournalStore(tmp_path / "journal.db")
    writer = JournalWriter(tmp_path, "w0")
    for n in range(20):
        writer.add(refused(n))
        writer.flush()
        (one if n % 2 else two).collect()
        two.collect()
    assert len(ids(one)) == 20


def test_half_a_line(journal: JournalStore, tmp_path: Path) -> None:
    """A line still being written waits; one whose writer was killed in the middle is counted, not shown."""
    writer = JournalWriter(tmp_path, "w0")
    writer.add(refused(1))
    writer.flush()
    (file,) = (tmp_path / FOLDER).iterdir()
    half = refused(2).encode()
    with file.open("ab") as more:
        more.write(half[:40])
    assert journal.collect() == 1
    with file.open("ab") as more:
        more.write(half[40:] + half[:30])
    assert journal.collect() == 1
    writer.close()
    assert journal.collect() == 0
    assert journal.bad == 1
    assert ids(journal) == ["ID0001.1", "ID0002.1"]
    assert not file.exists()


def test_what_is_no_journal(journal: JournalStore, tmp_path: Path) -> None:
    """Zeros after a power cut, text, binary, a line without end: counted and passed over."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "a.log").write_bytes(
        b"\0" * 5000 + b"\n" + refused(1).encode() + b'["o","x"]\t\n\xff\xfe\n["t",x]\n[]\n'
    )
    (folder / "b.log").write_bytes(b"x" * (journal_collect.BLOCK + 10))
    assert journal.collect() == 1
    assert ids(journal) == ["ID0001.1"]
    assert journal.bad >= 6


def test_blocks(journal: JournalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read in blocks that are cut anywhere; nothing is lost at the cuts."""
    monkeypatch.setattr(journal_collect, "BLOCK", 700)
    monkeypatch.setattr(journal_writer, "ROTATE_BYTES", 5000)
    writer = JournalWriter(tmp_path, "w0", clock=lambda: 7.0)
    for n in range(100):
        writer.add(refused(n, client=f"192.0.2.{n}"))
        if n % 9 == 0:
            writer.flush()
    writer.close()
    assert journal.collect() == 100
    assert len(set(ids(journal))) == 100
    assert {row.time for row in journal.search(limit=1000)} == {7.0}


def test_folding(journal: JournalStore, tmp_path: Path, clock: Clock) -> None:
    """Of like refusals within a minute every line stays and can be explained; one has the trace."""
    writer = JournalWriter(tmp_path, "w0", clock=clock)
    for n in range(4):
        writer.add(refused(n))
    writer.add(refused(10, client="192.0.2.2"))
    writer.add(refused(11, reason="other"))
    writer.add(refused(12, domain="example.net"))
    writer.flush()
    journal.collect()
    clock.now += 61
    writer.add(refused(20))
    writer.flush()
    journal.collect()
    rows = {row.id[:6]: row for row in journal.search(limit=100)}
    assert len(rows) == 8
    assert [k for k, row in sorted(rows.items()) if row.trace] == [
        "ID0000",
        "ID0010",
        "ID0011",
        "ID0012",
        "ID0020",
    ]
    assert rows["ID0003"].folded_into == "ID0000.1"
    explained = journal.explain("ID0003")
    assert explained is not None
    assert explained.outcomes[0].recipient == "u3@example.org"
    assert explained.outcomes[0].trace == rows["ID0000"].trace


def test_what_was_accepted_is_not_folded(journal: JournalStore, tmp_path: Path) -> None:
    """Only refusals and deferrals."""
    writer = JournalWriter(tmp_path, "w0")
    for n in range(3):
        writer.add(outcome_line(f"I{n}.1", "d", "r", "s", "c", "accepted", trace=TRACE))
    writer.flush()
    journal.collect()
    assert all(row.trace for row in journal.search())


def test_folds_are_bounded(journal: JournalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm of different refusals does not fill the memory."""
    monkeypatch.setattr(journal_collect, "MAX_FOLDS", 10)
    writer = JournalWriter(tmp_path, "w0")
    for n in range(100):
        writer.add(refused(n, client=f"192.0.2.{n}"))
    writer.flush()
    journal.collect()
    assert len(journal._collector._folds) <= 10


def test_counts(journal: JournalStore, tmp_path: Path, clock: Clock) -> None:
    """Sessions and outcomes are counted by hour; domains that are not hosted are not counted one by one."""
    writer = JournalWriter(tmp_path, "w0", clock=clock)
    for n in range(3):
        writer.add(refused(n))
        writer.add(session_line(f"ID{n:04}", "192.0.2.1", "", "x", "", "quit"))
    for n in range(5):
        writer.add(
            outcome_line(f"R{n}.1", f"no{n}.example", "r", "s", "c", "rejected", NOT_HOSTED, "not hosted")
        )
    writer.flush()
    clock.now += 3600
    writer.add(refused(9))
    writer.flush()
    journal.collect()
    assert journal.tally("example.org").outcomes == [("example.org", "rejected", "recipients", 4)]
    assert journal.tally("example.org", clock.now).outcomes == [("example.org", "rejected", "recipients", 1)]
    assert journal.tally().outcomes == [
        ("", "rejected", NOT_HOSTED, 5),
        ("example.org", "rejected", "recipients", 4),
    ]
    assert journal.tally("no1.example").outcomes == []
    assert journal.tally().sessions == 3


def test_no_folder(journal: JournalStore, tmp_path: Path) -> None:
    """Before the first mail there is nothing to read."""
    assert journal.collect() == 0
    assert journal.collect(tmp_path / "nowhere") == 0


def test_files_that_are_still_being_begun(journal: JournalStore, tmp_path: Path) -> None:
    """A file has its lock before it has the name that is looked for."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "w0-1.new").write_text("x")
    assert journal.collect() == 0
    assert [p.name for p in (tmp_path / FOLDER).iterdir()] == ["w0-1.new"]
