"""Session ids are short, different, sorted by time, and survive being read out on the telephone."""

from __future__ import annotations

import pytest

from gatepost.mail.ids import ALPHABET, LENGTH, SessionIds, clean


def test_ids_are_different_and_in_order() -> None:
    """Ids of one millisecond differ; those of a later one are greater; two workers never collide."""
    ids = SessionIds(1, 0)
    same = [ids.make(1_700_000_000_000) for _ in range(1000)]
    assert len(set(same)) == 1000
    assert all(len(one) == LENGTH and set(one) <= set(ALPHABET) for one in same)
    assert max(same) < ids.make(1_700_000_000_001)
    other = SessionIds(2, 0)
    assert not set(same) & {other.make(1_700_000_000_000) for _ in range(1000)}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0dq3n7v5k2f8t", "0DQ3N7V5K2F8T"),
        (" 0DQ3-N7V5-K2F8T ", "0DQ3N7V5K2F8T"),
        ("odq3n7v5k2f8t.12", "0DQ3N7V5K2F8T.12"),
        ("iDQ3N7V5K2F8l", "1DQ3N7V5K2F81"),
        ("0DQ3N7V5K2F8", None),
        ("0DQ3N7V5K2F8U", None),
        ("0DQ3N7V5K2F8T.x", None),
        ("0DQ3N7V5K2F8T.", None),
        ("", None),
    ],
)
def test_what_people_type(typed: str, meant: str | None) -> None:
    """Letters that look like digits are digits; what is no id is None."""
    assert meant == clean(typed)
