"""Features of a message: three views, and kept without a word of its text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.learn.features import BITS, Features, features, unpack
from tests.learn.mails import SEED, message, seen

VIEW = st.lists(st.integers(0, 2**BITS - 1), max_size=50).map(lambda ns: np.array(ns, np.uint32))


def lists(one: Features) -> list[list[int]]:
    return [view.tolist() for view in one.views]


@given(VIEW, VIEW, VIEW)
def test_there_and_back(raw: np.ndarray, words: np.ndarray, text: np.ndarray) -> None:
    """Packed and unpacked they are the same, without their words."""
    one = Features((raw, words, text), ["a word"])
    back = unpack(one.pack())
    assert lists(one) == lists(back)
    assert [] == back.words
    assert len(one.pack()) == 6 + 3 * (len(raw) + len(words) + len(text))


@given(st.binary(max_size=60))
def test_anything(data: bytes) -> None:
    """Broken bytes are said to be broken, and nothing else happens."""
    try:
        assert data == unpack(data).pack()
    except ValueError as error:
        assert "features" in str(error)


def test_a_seed_of_ones_own() -> None:
    """Who does not know the seed knows no feature."""
    mine, other = seen("hello"), features(message("hello"), SEED + 10)
    assert lists(mine) == lists(seen("hello"))
    assert all(
        set(a).isdisjoint(b) or len(set(a) & set(b)) < 3
        for a, b in zip(lists(mine), lists(other), strict=True)
    )
    assert mine.words == other.words


def test_the_text_view_sees_through_an_encoding() -> None:
    """Base64 hides a text from the raw view and not from this one."""
    plain = seen("buy cheap pills now")
    hidden = seen("YnV5IGNoZWFwIHBpbGxzIG5vdw==", more="Content-Transfer-Encoding: base64\r\n")
    assert lists(plain)[2] == lists(hidden)[2]
    assert lists(plain)[0] != lists(hidden)[0]


def test_facts_of_the_session_are_words() -> None:
    """What we know of the session counts like a header."""
    with_facts = features(message("x"), SEED, ("spf=pass",))
    assert "h:fact:spf=pass" in with_facts.words
    assert len(with_facts.views[1]) == len(seen("x").views[1]) + 1


@pytest.mark.parametrize("text", ["", "x", "\0" * 10])
def test_next_to_nothing(text: str) -> None:
    """A mail without a text has features all the same."""
    assert seen(text).words
