"""`gatepost explain`: every check of one mail, with its result and its time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from tests.cli.test_journal import ID, data, write

Run = Callable[..., Any]

__all__ = ["data"]


def test_explain(hosted: Run, as_json: Run, data: Path) -> None:
    """Each check with its result and its time, by the id of the reply."""
    write(data)
    text = hosted("explain", ID.lower()).stdout
    assert "nothing against it" in text
    assert "refuses it" in text
    assert "12.5 ms" in text
    assert "listed in bl.test" in text
    assert "192.0.2.7 (mail.spam.test), HELO spam.test" in text
    found = as_json("explain", f"{ID}.1")
    assert found["session"]["helo"] == "spam.test"
    assert [c["check"] for c in found["outcomes"][0]["checks"]] == ["recipients", "dnsbl"]


def test_no_recipient(hosted: Run, data: Path) -> None:
    """A session that never named anybody is explained too."""
    writer = JournalWriter(data, "w1")
    writer.add(session_line(ID, "192.0.2.7", "", "", "", "dropped", 0, 0, 0.0))
    writer.close()
    text = hosted("explain", ID).stdout
    assert "192.0.2.7 (no name), HELO -" in text
    assert "No recipient was named in this session." in text


def test_no_check_and_folded(hosted: Run, data: Path) -> None:
    """Refused before any check, and a like refusal whose checks are not written down again."""
    writer = JournalWriter(data, "w1")
    fields = ("example.org", "ann@example.org", "", "192.0.2.7", "rejected", "", "the reason", 550)
    writer.add(outcome_line(f"{ID}.1", *fields, trace="[]"))
    writer.close()
    text = hosted("explain", ID).stdout
    assert "rejected 550: the reason" in text
    assert "from     <>" in text
    assert "No check was asked." in text


def test_unknown(hosted: Run) -> None:
    """An id that is not written down, and one that is no id."""
    assert ID in hosted("explain", ID, status=1).stderr
    assert "x" in hosted("explain", "x", status=1).stderr
