"""`gatepost learn` as a person uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.plugins.test_classifier import ham_mail, spam_mail


def write(folder: Path) -> tuple[str, str]:
    for kind, make in (("spam", spam_mail), ("ham", ham_mail)):
        (folder / kind).mkdir()
        for number in range(5):
            (folder / kind / f"{number}.eml").write_bytes(make(number))
    return str(folder / "spam"), str(folder / "ham")


def test_learn_log_and_undo(hosted: Run, as_json: Callable[..., Any], tmp_path: Path) -> None:
    """From folders; the log says what was taught; a person's day is taken back."""
    spam, ham = write(tmp_path)
    assert "Nothing was taught yet." in hosted("learn", "log", "example.org").output
    assert (
        "example.org: 5 learnt as spam; 5 spam and 0 wanted in all"
        in hosted("learn", "spam", "example.org", spam).output
    )
    assert "5 learnt as wanted" in hosted("learn", "ham", "example.org", ham).output
    assert "0 learnt as spam, 5 were known" in hosted("learn", "spam", "example.org", spam).output
    rows = as_json("learn", "log", "example.org")
    assert ["ham"] * 5 + ["spam"] * 5 == [row["as"] for row in rows]
    assert "command line" in hosted("learn", "log", "example.org").output
    assert "2 taken back" in hosted("learn", "undo", "example.org", "1", "2").output
    assert "8 taken back" in hosted("learn", "undo", "example.org", "--by", rows[0]["by"]).output
    assert "has learnt 0 spam and 0 wanted" in hosted("learn", "log", "example.org").output
    assert "base 1: 0 trainings of 1 domains" in hosted("learn", "base", "example.org").output


def test_mistakes(hosted: Run, tmp_path: Path) -> None:
    """Each is named."""
    assert (
        "neither a file nor a folder"
        in hosted("learn", "spam", "example.org", str(tmp_path / "x"), status=1).output
    )
    assert "say which" in hosted("learn", "undo", "example.org", status=2).output
    (tmp_path / "one").write_bytes(spam_mail(1))
    assert "not hosted" in hosted("learn", "spam", "nowhere.example", str(tmp_path / "one"), status=1).output


def test_address(hosted: Run, as_json: Callable[..., Any]) -> None:
    """A person's own two addresses."""
    hosted("recipient", "add", "example.org", "ann")
    found = as_json("learn", "address", "example.org", "ann")
    assert found["spam"].startswith("spam+ann=")
    assert found["ham"].endswith("@train.example.org")
    assert found["spam"] in hosted("learn", "address", "example.org", "ann").output
    assert "no known recipient" in hosted("learn", "address", "example.org", "eve", status=1).output
