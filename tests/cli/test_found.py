"""`gatepost recipient import DOMAIN --found-in PATH...`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli import found

Run = Callable[..., Any]


@pytest.fixture
def old(tmp_path: Path) -> str:
    """Mail of some years: five for ann (who is listed), three for bob, one for x."""
    box = tmp_path / "old"
    text = ""
    for n, local in enumerate(["ann"] * 5 + ["bob"] * 3 + ["x"]):
        text += f"From a@b Wed Nov {n + 1:2} 14:30:05 2025\nDelivered-To: {local}@example.org\n\nhello\n\n"
    box.write_text(text)
    return str(box)


def listed(as_json: Run) -> list[str]:
    return [row["recipient"] for row in as_json("recipient", "list", "example.org")]


def test_lists_and_writes_nothing(hosted: Run, as_json: Run, old: str) -> None:
    """Without a word on which, all are listed and none is written."""
    result = hosted("recipient", "import", "example.org", "--found-in", old)
    assert [["ann", "5"], ["bob", "3"], ["x", "1"]] == [
        line.split()[:2] for line in result.stdout.splitlines()[1:]
    ]
    assert "2025-11-06" in result.stdout
    assert "9 messages in 1 files" in result.stderr
    assert "Nothing was written" in result.stderr
    assert ["ann"] == listed(as_json)


@pytest.mark.parametrize(
    ("words", "now"),
    [
        (["--all"], ["ann", "bob", "x"]),
        (["--at-least", "2"], ["ann", "bob"]),
        (["--since", "2025-11-09"], ["ann", "x"]),
        (["--at-least", "2", "--since", "2025-11-09"], ["ann"]),
        (["--choose", "x", "--choose", "bob@example.org"], ["ann", "bob", "x"]),
    ],
)
def test_writes_the_chosen(hosted: Run, as_json: Run, old: str, words: list[str], now: list[str]) -> None:
    """All, by count, by time, by name."""
    hosted("recipient", "import", "example.org", "--found-in", old, *words)
    assert now == listed(as_json)


def test_json(hosted: Run, as_json: Run, old: str) -> None:
    """For programs: who, how often, when, and what was written; the same run again writes nobody."""
    words = ("recipient", "import", "example.org", "--found-in", old, "--at-least", "3", "--json")
    rows = json.loads(hosted(*words).stdout)
    assert [("ann", 5, "valid", False), ("bob", 3, "", True), ("x", 1, "", False)] == [
        (r["recipient"], r["count"], r["listed"], r["written"]) for r in rows
    ]
    assert not any(row["written"] for row in json.loads(hosted(*words).stdout))
    assert ["ann", "bob"] == listed(as_json)


@pytest.mark.parametrize(
    ("answer", "now"),
    [("\n", ["ann"]), ("all\n", ["ann", "bob", "x"]), ("2\n", ["ann", "bob"]), ("nobody\nx\n", ["ann", "x"])],
)
def test_asked_on_a_terminal(
    hosted: Run, as_json: Run, old: str, answer: str, now: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is asked; a name that was not found is asked again."""
    monkeypatch.setattr(found, "_can_ask", lambda: True)
    hosted("recipient", "import", "example.org", "--found-in", old, input=answer)
    assert now == listed(as_json)


def test_wrong_words(hosted: Run, old: str) -> None:
    """A domain, a path or words that cannot be are said before anything is read."""
    assert "is not hosted" in hosted("recipient", "import", "example.net", "--found-in", old, status=1).stderr
    assert "No such file" in hosted("recipient", "import", "example.org", "--found-in", "/no/such").stderr
    hosted("recipient", "import", "example.org", "--found-in", old, "--replace", status=2)
    hosted("recipient", "import", "example.org", "--found-in", status=2)
    hosted("recipient", "import", "example.org", old, "--all", status=2)
