"""Tables fit 80 columns, nothing of a stranger reaches the terminal raw, times are local."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.cli import output

LONG = "a sentence that goes on and on " * 5


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("narrow")
def test_table_fits(capsys: pytest.CaptureFixture[str]) -> None:
    """The widest columns give way and are wrapped; no word is lost."""
    output.print_table(["id", "what", "why"], [("1", LONG, LONG), ("22", "short", "x" * 200)], right=["id"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["ID", "WHAT", "WHY"]
    assert "".join(lines).count("x") >= 200
    assert lines[1].startswith(" 1  a sentence")


def test_table_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody looks, a row is one line."""
    output.print_table(["id", "why"], [("1", LONG)])
    assert capsys.readouterr().out.splitlines()[1] == f"1   {LONG}".rstrip()


def test_empty_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on stdout for scripts, a word on stderr for people."""
    output.print_table(["id"], [], empty="Nothing.")
    assert capsys.readouterr() == ("", "Nothing.\n")


@pytest.mark.usefixtures("narrow")
def test_facts_and_entries_fit(capsys: pytest.CaptureFixture[str]) -> None:
    """Long values are wrapped under their beginning."""
    output.print_facts({"name": "x", "reason": LONG})
    output.print_entry("2026-11-23 14:30:05  rejected 550  0DQ3N7V5K2F8T.1  192.0.2.7", LONG)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith("        ")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\U000e0001", "\\U000e0001"),
        (None, "-"),
        (True, "true"),
        (15.0, "15"),
        (2.5, "2.5"),
        (["a", 1], '["a", 1]'),
    ],
)
def test_visible(value: object, shown: str) -> None:
    """Everything is one printable line, in words that may be typed again."""
    assert output.visible(value) == shown


@given(st.text())
def test_visible_is_printable(text: str) -> None:
    """Whatever a stranger wrote."""
    assert output.visible(text).isprintable()


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """No character of a stranger stands in it raw, and a program reads back the same."""
    output.print_json({"subject": "\u202e\x1b[2J", "set": {2, 1}, "tuple": (1,)})
    text = capsys.readouterr().out
    assert text.isascii()
    assert json.loads(text) == {"subject": "\u202e\x1b[2J", "set": [1, 2], "tuple": [1]}


def test_local_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are those of the machine's zone, with its offset for programs."""
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    try:
        assert output.when(1_795_000_000.0) == "2026-11-18 12:06:40"
        assert output.iso(1_795_000_000.0) == "2026-11-18T12:06:40+01:00"
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
    assert output.iso(None) is None


def test_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only on a terminal, and never with NO_COLOR."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert output.paint("rejected") == "\x1b[31mrejected\x1b[0m"
    assert output.paint("whatever") == "whatever"
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.paint("rejected") == "rejected"


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 B"), (999, "999 B"), (4300, "4.2 KiB"), (50 << 20, "50 MiB")]
)
def test_size(number: int, shown: str) -> None:
    """Bytes as a person reads them."""
    assert output.size(number) == shown
