"""`gatepost recheck`: what a draft setting would have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gatepost.desk.desk import Desk
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter

Run = Callable[..., Any]
ID = "0DQ3N7V5K2F8T"
DRAFT = ("recheck", "example.org", "--set", "helo_name.mode=on")


@pytest.fixture
def past(hosted: Run, desk: Desk) -> Run:
    """One mail to ann was accepted though its client said `friend` in HELO."""
    hosted("domain", "set", "example.org", "helo_name.mode=off", "refuse_at=rcpt")
    writer = JournalWriter(desk.data_dir, "w0", clock=desk.clock)
    writer.add(
        outcome_line(f"{ID}.1", "example.org", "ann@example.org", "bob@example.net", "192.0.2.7", "accepted")
    )
    writer.add(session_line(ID, "192.0.2.7", "", "friend", "", "quit", 1, 0, 0.1))
    writer.close()
    return hosted


def test_listed(past: Run, as_json: Run) -> None:
    """The mail is listed with then, now and why, and what could not be judged stands below."""
    done = past(*DRAFT)
    assert "1 of 1 would have fared otherwise." in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "bob@example.net" in line)
    assert "  ann  accepted -> rejected  helo_name: " in line
    assert "today's" in done.stderr

    found = as_json(*DRAFT)
    (one,) = found["changed"]
    assert (one["id"], one["then"], one["today"], one["now"]) == (
        f"{ID}.1",
        "accepted",
        "accepted",
        "rejected",
    )
    assert (found["judged"], found["without_message"], found["more"]) == (1, 0, False)
    assert found["draft"] == {"helo_name.mode": "on"}
    assert found["caveats"]


def test_nothing_changes(past: Run) -> None:
    """A draft without effect says so."""
    said = past("recheck", "example.org", "--set", "helo_name.mode=watch").stdout
    assert "0 of 1 would have fared otherwise.\n" == said


def test_bad_words(past: Run) -> None:
    """A draft is needed, and one that could be set."""
    assert "--set" in past("recheck", "example.org", status=2).stderr
    assert "helo_nam" in past("recheck", "example.org", "--set", "helo_nam.mode=on", status=1).stderr
    assert "not hosted" in past("recheck", "other.example", "--set", "bypass=on", status=1).stderr
    assert past(*DRAFT, "--limit", "0", status=2).stderr


def test_other_words_for_the_same_fate(past: Run) -> None:
    """A tag is named; a star says that the message was not kept."""
    said = past(*DRAFT, "--set", "helo_name.action=tag").stdout
    assert "accepted -> tagged by helo_name*" in said


def test_narrow(past: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table fits a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    assert 80 >= max(len(line) for line in past(*DRAFT).stdout.splitlines())
