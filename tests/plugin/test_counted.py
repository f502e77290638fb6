"""The forms of counted addresses: a table, hostile local parts, and what is kept of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.plugin.counted import (
    MAX_READINGS,
    NO_LIMIT,
    Count,
    Kept,
    end_of,
    kept,
    key_of,
    parse_count,
    readings,
)
from tests.cost import assert_linear

FIVE = Count(5)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5", FIVE),
        ("0", Count(0)),
        ("a", Count(1)),
        ("z", Count(26)),
        ("+", Count(only="sender")),
        ("sender", Count(only="sender")),
        ("*", Count(only="domain")),
        ("domain", Count(only="domain")),
        ("2026-12-24", Count(until=date(2026, 12, 24))),
        ("2026-02-30", None),
        ("12345", None),
        ("aa", None),
        ("-1", None),
        ("", None),
        ("\u0665", None),
        ("\u00b2", None),
    ],
)
def test_count(text: str, count: Count | None) -> None:
    """A number, a letter (a is 1), a date, and the two exclusive forms; nothing else, no foreign digits."""
    assert count == parse_count(text)


@pytest.mark.parametrize(
    ("local", "user", "word", "count", "prefix"),
    [
        ("shop.5.ann", "ann", "shop", FIVE, ""),
        ("ann.5.shop", "ann", "shop", FIVE, ""),
        ("ann.shop.5", "ann", "shop", FIVE, ""),
        ("shop~e~ann", "ann", "shop", FIVE, ""),
        ("shop.5.ann.lee", "ann.lee", "shop", FIVE, ""),
        ("ann.lee.5.shop", "ann.lee", "shop", FIVE, ""),
        ("ann.lee~5~shop", "ann.lee", "shop", FIVE, ""),
        ("my.shop.5.ann", "ann", "shop", FIVE, "my"),
        ("ann.5.my.shop", "ann", "shop", FIVE, "my"),
        ("ann.my.shop.5", "ann", "shop", FIVE, "my"),
        ("shop.ann", "ann", "shop", None, ""),
        ("shop.+.ann", "ann", "shop", Count(only="sender"), ""),
        ("shop.2026-12-24.ann", "ann", "shop", Count(until=date(2026, 12, 24)), ""),
        ("ann-2026-12-24-shop", "ann", "shop", Count(until=date(2026, 12, 24)), ""),
        ("a-word-longer-than-twenty.5.ann", "ann", "a-word-longer-than-t", FIVE, ""),
    ],
)
def test_forms(local: str, user: str, word: str, count: Count | None, prefix: str) -> None:
    """Each form of the reference is among the readings, with its user, word, count and prefix."""
    found = readings(local, (".", "~", "-"))
    assert (user, word, count, prefix) in [(r.user, r.word, r.count, r.prefix) for r in found]


def test_both_orders_are_one_address() -> None:
    """`steve.5.count` and `steve.count.5` are synonyms: they are kept under one key."""
    keys = [
        next(r for r in readings(local, ".") if r.user == "steve").key
        for local in ("steve.5.count", "steve.count.5", "count.5.steve", "count.steve")
    ]
    assert {key_of("steve", "count")} == set(keys)


def test_likeliest_first() -> None:
    """Where both ends may be the user, word.count.user is read first; a count left out comes last."""
    found = readings("ann.5.bob", ".")
    assert "bob" == found[0].user
    assert "ann" == found[1].user
    assert found[-1].count is None


@pytest.mark.parametrize("local", ["ann", "", ".5.ann", "shop..ann", "5.ann.", "a b.5.ann", "a\x00b.5.ann"])
def test_not_counted(local: str) -> None:
    """Empty parts, spaces and controls are no counted address."""
    assert [] == readings(local, ".")


@given(st.text(max_size=64))
def test_any_text(local: str) -> None:
    """Whatever the local part is, there are few readings, and each has a user and a word."""
    found = readings(local, (".", "~", "-", "+"))
    assert len(found) <= MAX_READINGS
    assert all(r.user and r.word and len(r.word) <= 20 for r in found)


def test_twice_the_bytes() -> None:
    """A local part of dots and counts costs little, and twice as long a one no more than its share."""
    assert_linear(lambda parts: ".".join(["a"] * parts), lambda local: readings(local, "."), 2_000)


def test_kept() -> None:
    """A record says how many are left, why none is, and starts anew when it is reset."""
    made = Kept(3, made=1.0, by="bob@example.net", address="shop.3.ann@example.org")
    assert made == kept(made.record())
    assert [3, 1, 0, 0] == [made.left(used) for used in (0, 2, 3, 4)]
    assert "" == made.over(2, 9.0)
    assert "used up" == made.over(3, 9.0)
    again = made.reset(3, None, "ann")
    assert (3, "", "ann") == (again.left(3), again.over(3, 9.0), again.changed)
    assert 5 == made.reset(3, 5, "ann").left(3)
    assert "closed by its owner" == replace(made, closed=True).over(0, 9.0)
    dated = Kept(NO_LIMIT, until=10.0)
    assert (None, "", "its date is over") == (dated.left(99), dated.over(99, 9.9), dated.over(0, 10.0))


@pytest.mark.parametrize("record", [None, "text", [], {}, {"limit": "3"}, {"unknown": 1}])
def test_record_that_cannot_be_read(record: object) -> None:
    """Nonsense is None and never an exception."""
    assert kept(record) is None


def test_end_of_day() -> None:
    """A day is good to its end."""
    day = date(2026, 12, 24)
    assert 86_400 == end_of(day) - end_of(date(2026, 12, 23))
    assert day == Kept(NO_LIMIT, until=end_of(day)).last_day
    assert float("inf") == end_of(date.max)
