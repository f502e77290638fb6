"""A person's rows are found however many there are, and rewritten for good; others' are not touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.store import journal_person
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter


@pytest.fixture
def store(tmp_path: Path) -> JournalStore:
    """Return a journal with five rows of ann's, one of which names her in the trace alone, and others."""
    writer = JournalWriter(tmp_path, "w0", clock=lambda: 1_795_000_000.0)
    for n in range(4):
        writer.add(outcome_line(f"ANN{n}.1", "a.example", "Ann@A.example", "x@y.example", "", "rejected"))
        writer.add(outcome_line(f"BOB{n}.1", "a.example", "bob@b.example", "x@y.example", "", "rejected"))
        writer.add(outcome_line(f"FOR{n}.1", "b.example", "ann@a.example", "x@y.example", "", "rejected"))
    writer.add(
        outcome_line("TRA.1", "a.example", "c@b.example", "x@y.example", "", "rejected",
                     trace='[["check","x","",0,"for ann@a.example"]]')
    )  # fmt: skip
    writer.add(outcome_line("UTF.1", "a.example", "jürgen@ä.example", "", "", "rejected", reason='a "quote"'))
    writer.flush()
    writer.close()
    made = JournalStore(tmp_path / "journal.db")
    made.collect(tmp_path)
    return made


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
def test_naming(store: JournalStore, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Of one domain, without case, in any field, whatever is read at once; the oldest first."""
    monkeypatch.setattr(journal_person, "BATCH", batch)
    found = list(store.naming("a.example", "@a.EXAMPLE"))
    assert ["ANN0", "ANN1", "ANN2", "ANN3", "TRA"] == [line.split('"')[3][:-2] for _, _, line, _ in found]
    assert [] == list(store.naming("c.example", "@a.example"))


def test_what_is_not_ascii(store: JournalStore) -> None:
    """May stand escaped, so every row of the domain is handed out to be looked at."""
    assert 10 == len(list(store.naming("a.example", "@ä.example")))


def test_rewrite(store: JournalStore, tmp_path: Path) -> None:
    """What stood there is not in the file any more."""
    rows = list(store.naming("a.example", "@a.example"))
    store.rewrite([(seq, line.replace("Ann@A", "x@z"), "") for seq, _, line, _ in rows])
    assert [] == list(store.naming("a.example", "@a.example"))
    assert 4 == len(list(store.naming("b.example", "@a.example")))
    (row,) = store.explain("ANN0.1").outcomes  # type: ignore[union-attr]
    assert ("x@z.example", "rejected") == (row.recipient, row.fate)
    store.close()
    assert b"Ann@A.example" not in (tmp_path / "journal.db").read_bytes()
