"""`gatepost stats`: what refused what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli import stats
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter

Run = Callable[..., Any]
WATCHED = '[["spf","mail","watch reject",1.25,"fail"]]'


@pytest.fixture
def written(config: Path) -> None:
    """Six guessed names, three by dnsbl, one held, two that got in; one domain besides."""
    writer = JournalWriter(config.parent / "data", "w0")

    def put(number: int, fate: str, plugin: str = "", domain: str = "example.org", trace: str = "[]") -> None:
        for _ in range(number):
            writer.add(outcome_line("A.1", domain, "r", "s", "192.0.2.1", fate, plugin, "why", trace=trace))

    put(6, "rejected", "recipients")
    put(3, "rejected", "dnsbl")
    put(1, "quarantined", "score")
    put(1, "accepted", trace=WATCHED)
    put(1, "accepted", trace=f'{WATCHED[:-1]},["gatepost","","marked",0,"score"]]')
    put(5, "deferred", "greylist", "second.example")
    writer.close()


@pytest.mark.usefixtures("written")
def test_tables(hosted: Run) -> None:
    """Facts, checks, watch, domains and days; it fits on a narrow terminal."""
    said = hosted("stats").stdout
    lines = [" ".join(line.split()) for line in said.splitlines()]
    for line in (
        "mails 17",
        "of these marked 1",
        "no such user 6",
        "spam 4",
        "recipients no such user 6 0 0 60.0%",
        "dnsbl spam 3 0 0 30.0% 75.0%",
        "score spam 0 1 0 10.0% 25.0%",
        "greylist stranger 0 0 5 0.0%",
        "spf 2 2",
        "example.org 12 2 1 9 1 0 6 4",
        "second.example 5 0 0 0 0 5 0 0",
    ):
        assert line in lines


@pytest.mark.usefixtures("written")
def test_eighty_columns(hosted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fits on a usual terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(line) for line in hosted("stats").stdout.splitlines()) <= 80


@pytest.mark.usefixtures("written")
def test_one_domain(hosted: Run) -> None:
    """No other domain's mail is in it, and no list of domains."""
    said = hosted("stats", "second.example", "--since", "1d").stdout
    assert "greylist" in said
    assert "dnsbl" not in said
    assert "DOMAIN" not in said
    assert "No mail was counted.\n" == hosted("stats", "example.org", "--since", "2035-01-01").stderr


@pytest.mark.usefixtures("written")
def test_json(as_json: Run) -> None:
    """For programs: plain numbers, shares from 0 to 1."""
    found = as_json("stats", "example.org")
    assert ("example.org", None) == (found["domain"], found["sessions"])
    assert (12, 2, 6, 4) == tuple(found["all"][key] for key in ("total", "accepted", "no_such_user", "spam"))
    assert [("recipients", 6, None), ("dnsbl", 3, 0.75), ("score", 1, 0.25)] == [
        (one["check"], one["refused"], one["share_of_spam"]) for one in found["checks"]
    ]
    assert [{"check": "spf", "would_refuse": 2, "accepted": 2}] == found["watched"]
    (day,) = found["days"]
    assert 12 == day["total"]


@pytest.mark.usefixtures("written")
def test_many_domains(hosted: Run, as_json: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is bounded and says so; --json has all."""
    monkeypatch.setattr(stats, "MOST_DOMAINS", 1)
    said = hosted("stats").stdout
    assert "second.example" not in said
    assert "... and 1 more domains (--json has all)" in said
    assert 2 == len(as_json("stats")["domains"])


def test_nothing(hosted: Run) -> None:
    """Before the first mail; and a name that is mistyped is told."""
    assert "No mail was counted.\n" == hosted("stats").stderr
    assert "did you mean 'example.org'" in hosted("stats", "exampel.org", status=1).stderr
