"""`gatepost privacy`: counted, handed out as a zip, erased when somebody says yes."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.desk.desk import Desk
from gatepost.spool.index import Kept

Run = Callable[..., Any]
BOB = "bob@example.net"
WHO = (BOB, "--domain", "example.org")


@pytest.fixture(autouse=True)
def kept(hosted: Run, desk: Desk) -> str:
    """Keep a mail of bob's."""
    item = Kept("0DQ3N7V5K2F8T.1", time.time(), BOB, "ann@example.org", "example.org", subject="casino")
    return desk.archive.keep(item, [b"Subject: casino\r\n\r\nbody\r\n"])


def test_show(hosted: Run, as_json: Run) -> None:
    """How many of each kind; nothing is opened."""
    assert 1 == as_json("privacy", "show", *WHO)["kept"]
    assert "kept" in hosted("privacy", "show", *WHO).stdout
    assert "Nobody touched it.\n" == hosted("archive", "deeds", "0DQ3N7V5K2F8T.1").stderr
    assert "is no address" in hosted("privacy", "show", "bob", "--domain", "example.org", status=1).stderr
    assert "not hosted here" in hosted("privacy", "show", BOB, "--domain", "x.example", status=1).stderr


def test_export(hosted: Run, tmp_path: Path) -> None:
    """A zip for nobody else to read; never over a file that is there, and no half of one."""
    out = tmp_path / "bob.zip"
    assert "1 kept" in hosted("privacy", "export", *WHO, "--output", str(out)).stdout
    assert 0o600 == out.stat().st_mode & 0o777
    with zipfile.ZipFile(out) as file:
        assert any(name.startswith("kept/") for name in file.namelist())
    assert "File exists" in hosted("privacy", "export", *WHO, "--output", str(out), status=1).stderr
    other = tmp_path / "none.zip"
    hosted("privacy", "export", BOB, "--domain", "x.example", "--output", str(other), status=1)
    assert not other.exists()


def test_erase(hosted: Run, as_json: Run) -> None:
    """Only when somebody says yes, who is told how much it is."""
    asked = hosted("privacy", "erase", *WHO, status=130, input="n\n")
    assert "1 kept. Erase bob@example.net from example.org for good?" in asked.stderr
    assert 1 == len(as_json("archive", "list"))
    assert "erased: 1 kept" in hosted("privacy", "erase", *WHO, input="y\n").stdout
    assert [] == as_json("archive", "list")
    assert {"erased": 0, "left": 0} == {
        kind: sum(counts.values()) for kind, counts in as_json("privacy", "erase", *WHO, "--yes").items()
    }
    assert "erased one person's data: 1 kept" in hosted("changes", "example.org").stdout


def test_what_is_left(hosted: Run) -> None:
    """Settings are told, and stay."""
    hosted("list", "add", "example.org", "deny", BOB)
    assert "left: 1 lists" in hosted("privacy", "erase", *WHO, "--yes").stdout
    assert BOB in hosted("list", "show", "example.org").stdout
