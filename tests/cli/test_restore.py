"""`gatepost restore`: a backup is put back, and what was there is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def file(hosted: Run, tmp_path: Path) -> Path:
    """A backup of example.org with ann."""
    path = tmp_path / "backup.tar.zst"
    hosted("backup", str(path))
    return path


def test_put_back(hosted: Run, as_json: Run, file: Path) -> None:
    """The policy is as it was; what was there before lies aside."""
    hosted("recipient", "add", "example.org", "bob")
    text = hosted("restore", str(file), "--replace").stdout
    assert "What was there before lies in" in text
    assert ["ann"] == [row["recipient"] for row in as_json("recipient", "list", "example.org")]
    aside = Path(text.split("lies in ")[1].strip())
    assert (aside / "policy.db").exists()


def test_not_over_what_is_there(hosted: Run, as_json: Run, file: Path) -> None:
    """Without --replace nothing is touched."""
    hosted("recipient", "add", "example.org", "bob")
    assert "--replace" in hosted("restore", str(file), status=1).stderr
    assert 2 == len(as_json("recipient", "list", "example.org"))


def test_not_a_backup(hosted: Run, tmp_path: Path) -> None:
    """An error in one line that names the file."""
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"hello")
    assert str(wrong) in hosted("restore", str(wrong), "--replace", status=1).stderr
    assert "missing" in hosted("restore", str(tmp_path / "missing"), "--replace", status=1).stderr
