"""`gatepost journal`: what became of each mail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter

Run = Callable[..., Any]

ID = "0DQ3N7V5K2F8T"
TRACE = '[["recipients","rcpt","",0.02,""],["dnsbl","connect","reject",12.5,"listed in bl.test"]]'
HOSTILE = "bob\x1b[2J@spam.test"


def write(data: Path, number: int = 1, sender: str = "bob@spam.test") -> None:
    """Write what a worker would have written of a refusal."""
    writer = JournalWriter(data, f"w{number}")
    writer.add(
        outcome_line(
            f"{ID}.{number}",
            "example.org",
            "ann@example.org",
            sender,
            "192.0.2.7",
            "rejected",
            "dnsbl",
            "listed in bl.test",
            550,
            trace=TRACE,
        )
    )
    writer.add(session_line(ID, "192.0.2.7", "mail.spam.test", "spam.test", "", "quit", 1, 0, 1.5))
    writer.close()


@pytest.fixture
def data(config: Path) -> Path:
    """The data directory."""
    return config.parent / "data"


def test_journal(hosted: Run, as_json: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each mail in a pipe, two that fit on a narrow terminal; filters; JSON."""
    write(data)
    line = hosted("journal", "--domain", "example.org", "--since", "1h", "dnsbl").stdout
    assert f"rejected 550  {ID}.1  192.0.2.7  bob@spam.test -> ann@example.org  dnsbl: listed" in line
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(one) for one in hosted("journal").stdout.splitlines()) <= 80
    (row,) = as_json("journal", "--outcome", "rejected", "--plugin", "dnsbl")
    assert (row["id"], row["code"], row["plugin"]) == (f"{ID}.1", 550, "dnsbl")
    assert hosted("journal", "--outcome", "accepted").stderr == "Nothing is written down that fits.\n"


@pytest.mark.parametrize(
    ("option", "there", "not_there"),
    [("--sender", "bob@", "eve@"), ("--recipient", "ann@", "bob@"), ("--client", "192.0.2.", "198.")],
)
def test_who(as_json: Run, hosted: Run, data: Path, option: str, there: str, not_there: str) -> None:
    """By sender, recipient and client."""
    write(data)
    assert 1 == len(as_json("journal", option, there))
    assert [] == as_json("journal", option, not_there)


def test_hostile(hosted: Run, data: Path) -> None:
    """What a sender wrote does not move the cursor (T7.1)."""
    write(data, sender=HOSTILE)
    for words in (("journal",), ("journal", "--json"), ("explain", ID)):
        assert "\x1b" not in hosted(*words).stdout


def test_follow(hosted: Run, config: Path, data: Path) -> None:
    """What comes is shown within a moment, and ^C ends it quietly."""
    write(data, 1)
    words = ["--config", str(config), "journal", "--follow", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "gatepost", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # Whoever runs the tests in the background has ^C ignored, and it would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"] == f"{ID}.1"
        write(data, 2)
        assert json.loads(process.stdout.readline())["id"] == f"{ID}.2"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
