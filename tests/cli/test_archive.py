"""`gatepost archive` and `gatepost queue`: kept mail is shown, released and deleted; what waits is listed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from gatepost.desk import malice
from gatepost.desk.desk import Desk
from gatepost.desk.malice import Doubt
from gatepost.spool.index import Kept

Run = Callable[..., Any]

ID = "0DQ3N7V5K2F8T.1"
RAW = b"Subject: casino\r\n\r\n\x1b[2Jbody \xff\r\n"


@pytest.fixture
def kept(hosted: Run, desk: Desk) -> str:
    """A refused mail in the archive."""
    item = Kept(
        id=ID,
        time=time.time(),
        sender="bob@example.net",
        recipient="ann@example.org",
        domain="example.org",
        ip="192.0.2.7",
        helo="mail.example.net",
        reason="listed in bl.test",
        plugin="dnsbl",
        subject="casino \x1b[2J",
        size=len(RAW),
    )
    return desk.archive.keep(item, [RAW])


def test_list(hosted: Run, as_json: Run, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that fits, JSON with the file's name; filters."""
    (row,) = as_json("archive", "list", "--domain", "example.org", "--since", "1d", "casino")
    assert (row["id"], row["filename"], row["release"]) == (ID, kept, "")
    monkeypatch.setenv("COLUMNS", "80")
    text = hosted("archive", "list").stdout
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert hosted("archive", "list", "--outcome", "quarantined").stderr == "Nothing is kept.\n"


def test_show(hosted: Run, as_json: Run, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes as received into a pipe; the facts; who looked is known."""
    assert hosted("archive", "show", "0dq3n7v5k2f8t").stdout_bytes == RAW
    assert "dnsbl: listed in bl.test" in hosted("archive", "show", ID, "--facts").stdout
    (facts,) = as_json("archive", "show", kept)
    assert facts["size"] == len(RAW)
    assert "opened" in hosted("archive", "deeds", ID).stdout
    assert 1 == hosted("changes", "example.org").stdout.count("opened the kept mail")


def test_show_on_a_terminal(hosted: Run, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There nothing of the sender's is taken for a command of the terminal."""
    monkeypatch.setattr("gatepost.cli.archive.on_terminal", lambda: True)
    text = hosted("archive", "show", ID).stdout
    assert text == "Subject: casino\n\n\\x1b[2Jbody \\xff\n"


def test_release(hosted: Run, as_json: Run, kept: str) -> None:
    """It waits in the queue once, however often it is released; dropped, it may be released again."""
    for _ in range(2):
        assert hosted("archive", "release", ID).stdout == f"{ID} for ann@example.org: released, on its way\n"
    (entry,) = as_json("queue", "list", "--domain", "example.org")
    assert (entry["reason"], entry["session"]) == ("release", ID)
    assert "ann@example.org (release)" in hosted("queue", "list").stdout
    assert "1 will be tried now" in hosted("queue", "retry", ID).stdout
    assert "being released" in hosted("archive", "delete", ID, status=1).stderr
    assert "1 thrown away" in hosted("queue", "drop", entry["id"]).stdout
    (again,) = as_json("archive", "release", ID, "--train")
    assert again["release"] == "waiting"
    assert ["ham"] == [row["as"] for row in as_json("learn", "log", "example.org")]


def test_what_the_virus_check_is_against(
    hosted: Run, as_json: Run, desk: Desk, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go, it does not, and the status says so; in so many words it goes too."""
    item = Kept("0DQ3N7V5K2F8V.1", time.time(), None, "bob@example.org", "example.org")
    clean = desk.archive.keep(item, [RAW])

    def found(_desk: Desk, one: Kept) -> Doubt | None:
        return None if one.ref == clean else Doubt("clamav: \x1b[2J", answered=True)

    monkeypatch.setattr(malice, "found", found)
    said = hosted("archive", "release", ID, clean, "--train", status=1)
    assert f"{item.id} for bob@example.org: released, on its way\n" == said.stdout, said.stderr
    assert f"{ID} for ann@example.org is not released, the virus check refuses it" in said.stderr
    assert "\x1b" not in said.stderr
    assert "--all-the-same" in said.stderr
    assert [item.id] == [one["session"] for one in as_json("queue", "list")]
    assert 1 == len(as_json("learn", "log", "example.org"))
    assert "on its way" in hosted("archive", "release", ID, "--all-the-same").stdout


def test_drop_all(hosted: Run, kept: str) -> None:
    """Asked before all is thrown away."""
    hosted("archive", "release", ID)
    hosted("queue", "drop", "--all", status=130, input="n\n")
    assert "1 thrown away" in hosted("queue", "drop", "--all", "--yes").stdout
    assert hosted("queue", "list").stderr == "Nothing waits.\n"


def test_delete(hosted: Run, kept: str) -> None:
    """Gone for good; for the wrong recipient nothing happens."""
    hosted("archive", "delete", ID, "--recipient", "bob@example.org", status=1)
    assert hosted("archive", "delete", ID).stdout == f"{ID} for ann@example.org: deleted\n"
    hosted("archive", "show", ID, status=1)
