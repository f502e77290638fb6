"""`gatepost serve` hands the configuration on and ends with the server's status."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]


def test_serve(run: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server gets the configuration; its status is ours."""
    seen: list[Any] = []
    app = ModuleType("gatepost.app")

    def serve(config: Any, *, demo: bool) -> int:
        seen.append((config.hostname, demo))
        return 3

    app.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gatepost.app", app)
    run("serve", "--demo", status=3)
    assert seen == [("mx.example.org", True)]


def test_wrong_configuration(run: Run, config: Path) -> None:
    """Nothing is started with a configuration that is wrong."""
    config.write_text("nonsense = 1\n")
    assert "nonsense" in run("serve", status=2).stderr
