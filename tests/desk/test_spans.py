"""Spans and moments are read as people write them; what cannot be read is told how to be written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.desk import spans
from gatepost.desk.errors import DeskError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), ("1h", 3600), ("45m", 2700), ("10s", 10), ("2w", 1_209_600), ("1d12h", 129_600)],
)
def test_span(text: str, seconds: int) -> None:
    """Units follow their numbers and add up."""
    assert seconds == spans.seconds(text)


@pytest.mark.parametrize("text", ["", "d", "30", "30 d", "-1d", "0s", "9999999y", "3x", "1d2"])
def test_no_span(text: str) -> None:
    """Anything else is an error that shows how to write one."""
    with pytest.raises(DeskError, match="span"):
        spans.seconds(text)


def test_since_and_until() -> None:
    """A span counts back for `since`, on for `until`; a date is a moment in the local zone."""
    assert spans.since("1h", 10_000.0) == 6_400.0
    assert spans.until("1h", 10_000.0) == 13_600.0
    midnight = time.mktime((2026, 11, 23, 0, 0, 0, 0, 0, -1))
    assert spans.since("2026-11-23", 0.0) == midnight
    assert spans.since("2026-11-23 14:30", 0.0) == midnight + 14.5 * 3600


def test_until_the_past() -> None:
    """What should end in the future cannot end in the past."""
    with pytest.raises(DeskError, match="over already"):
        spans.until("2001-01-01", 1_795_000_000.0)


def test_neither() -> None:
    """A word that is neither is answered with both forms."""
    with pytest.raises(DeskError, match="2026-11-23"):
        spans.since("yesterday", 0.0)


@pytest.mark.parametrize(
    ("span", "said"), [(0, "0s"), (59, "59s"), (3900, "1h05m"), (86_400, "1d"), (40 * 86_400 + 3600, "40d")]
)
def test_spoken(span: float, said: str) -> None:
    """A span is said with the unit that matters."""
    assert said == spans.spoken(span)


@given(st.text(max_size=30))
def test_only_our_error(text: str) -> None:
    """Whatever is typed, the answer is a number or our own error."""
    for read in (spans.since, spans.until):
        try:
            assert isinstance(read(text, 1e9), float)
        except DeskError:
            pass
