"""`gatepost config`: checked and shown with where each value comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_check(run: Run, config: Path) -> None:
    """Right: the file is named. Wrong: status 2."""
    assert run("config", "check").stdout == f"{config}: ok\n"
    config.write_text("data_dir = 5\n")
    assert "data_dir" in run("config", "check", status=2).stderr


def test_data_dir_that_cannot_be(run: Run, config: Path) -> None:
    """What does not fit this machine is told too."""
    config.write_text('data_dir = "/etc/hostname/x"\n')
    assert "data_dir" in run("config", "check", status=2).stderr


def test_show(run: Run, as_json: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key; the origin is a file, a variable or the default."""
    monkeypatch.setenv("GATEPOST_SMTP__TIMEOUT", "60")
    rows = {row["key"]: row for row in as_json("config", "show")}
    assert rows["hostname"]["origin"] == str(config)
    assert rows["smtp.timeout"] == {"key": "smtp.timeout", "value": "60", "origin": "GATEPOST_SMTP__TIMEOUT"}
    assert rows["dns.timeout"]["value"] == "0.2"
    assert rows["log.level"]["origin"] == "default"
    assert "ORIGIN" in run("config", "show", "--origin").stdout
    assert "ORIGIN" not in run("config", "show").stdout
