"""No name from the net becomes a path (T3.4): one component, not hidden, not too long, never two the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.spool.names import LONGEST, is_safe, safe_name

EVIL = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "a\r\nb",
    "[192.0.2.1]",
    ".hidden",
    "\u2028",
    "\u202e",
    "\ud800",
    "%2e%2e",
    "x" * 5000,
    "*",
    "'; --",
    "~root",
]


@pytest.mark.parametrize("text", EVIL)
def test_evil_names(tmp_path: Path, text: str) -> None:
    """The file lies in the directory and nowhere else."""
    name = safe_name(text)
    (tmp_path / name).write_bytes(b"")
    assert [name] == [entry.name for entry in tmp_path.iterdir()]
    assert is_safe(name)


@pytest.mark.parametrize("text", ["example.org", "xn--bcher-kva.example", "0DQ3N7V5K2F8T.1", "ann+x@y"])
def test_plain_names(text: str) -> None:
    """What is harmless stays readable."""
    assert text == safe_name(text)


@given(st.text(), st.text())
def test_two_names_stay_two(one: str, two: str) -> None:
    """Different names never meet in one path, and each is one safe component."""
    assert (one == two) == (safe_name(one) == safe_name(two))
    assert is_safe(safe_name(one))
    assert 0 < len(safe_name(one)) <= LONGEST
