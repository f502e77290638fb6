"""Moments in headers: what programs write, and nothing of what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.dates import parse_date
from tests.cost import assert_linear

MOMENT = 1_795_617_005.0
"""2026-11-25 14:30:05 UTC."""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Wed, 25 Nov 2026 14:30:05 +0000", MOMENT),
        ("25 nov 2026 15:30:05 +0100 (CET)", MOMENT),
        ("Wed, 25 Nov 2026 09:30:05 -0500", MOMENT),
        ("Wed, 25 Nov 26 14:30:05 GMT", MOMENT),
        ("from a by b with SMTP id 1; Wed, 25 Nov 2026 14:30:05 +0000", MOMENT),
        ("From bob@example.net Wed Nov 25 14:30:05 2026", MOMENT),
        ("From MAILER-DAEMON Wed Nov  5 14:30:05 2026", MOMENT - 20 * 86_400),
        ("Wed, 25 Nov 2026 14:30 +0000", MOMENT - 5),
        ("Mon, 06 Sep 99 14:30:05 +0000", 936_628_205.0),
        ("25 Nov 2026", None),
        ("45 Nov 2026 14:30:05 +0000", None),
        ("25 Nov 2026 25:30:05 +0000", None),
        ("25 Foo 2026 14:30:05 +0000", None),
        ("Wed, 25 Nov 0001 14:30:05 +0000", None),
        ("", None),
    ],
)
def test_moments(text: str, moment: float | None) -> None:
    """RFC 5322 with its zone, old and short forms, and the first line of an mbox."""
    assert moment == parse_date(text)


@given(st.text(alphabet="0123456789 :+-NovWed,;\u0665", max_size=60))
def test_any_text(text: str) -> None:
    """Whatever it is: a number or None, never an exception."""
    assert isinstance(parse_date(text), float | None)


def test_twice_the_bytes() -> None:
    """Only the beginning is looked at."""
    assert_linear(lambda n: "25 nov " * n, lambda text: [parse_date(text) for _ in range(20)], 20_000)
