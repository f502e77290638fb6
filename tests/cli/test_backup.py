"""`gatepost backup` and `gatepost restore`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_round_trip(hosted: Run, as_json: Run, tmp_path: Path) -> None:
    """What was there comes back; what is there now is set aside, and only when asked."""
    file = tmp_path / "backup"
    assert "databases" in hosted("backup", str(file)).stdout
    hosted("domain", "add", "later.example", "--route", "smtp://192.0.2.5")
    assert "--replace" in hosted("restore", str(file), status=1).stderr
    assert "before lies in" in hosted("restore", str(file), "--replace").stdout
    assert [d["domain"] for d in as_json("domain", "list")] == ["example.org"]
