"""A bar on a terminal; elsewhere nothing is shown, and nothing is counted for it."""

from __future__ import annotations

import io
import sys

import pytest

from gatepost.cli.bar import progress_bar


def test_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe the total is not even asked for."""

    def total() -> int:
        raise AssertionError("the total was asked for")

    with progress_bar("Reading", total) as progress:
        progress(5)
    assert "" == capsys.readouterr().err


def test_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is done."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("Reading", lambda: 10) as progress:
        progress(10)
    assert "Reading" in screen.getvalue()
