"""Names that pretend to be other names, and names of people in all the ways they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.lookalike import alike, one_edit, skeleton, wears, words_of

KNOWN = ["example.org", "paypal.com", "hp.com", "b\u00fccher.example"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.org", ("", "")),
        ("examp1e.org", ("example.org", "looks the same")),
        ("exarnple.org", ("example.org", "looks the same")),
        ("exarnple.test", ("example.org", "looks the same")),
        ("exampie.org", ("example.org", "looks the same")),
        ("xn--pypal-4ve.com", ("paypal.com", "looks the same")),
        ("xn--xample-2of.org", ("example.org", "looks the same")),
        ("exampl.org", ("example.org", "is one letter away")),
        ("examples.org", ("example.org", "is one letter away")),
        ("exanple.org", ("example.org", "is one letter away")),
        ("exmaple.org", ("example.org", "is one letter away")),
        ("ex-ample.org", ("example.org", "is one letter away")),
        ("exmapel.org", ("", "")),
        ("examples.net", ("", "")),
        ("example.net", ("", "")),
        ("hq.com", ("", "")),
        ("xn--.com", ("", "")),
        ("other.example", ("", "")),
    ],
)
def test_alike(name: str, expected: tuple[str, str]) -> None:
    """Letters that look alike, one letter; short names and other endings are other people's."""
    assert expected == alike(name, KNOWN)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("example.org", ""),
        ("mail.example.org", ""),
        ("example.org.evil.test", "has it in front"),
        ("login.example.org.evil.test", "has it in front"),
        ("example.com", "has another ending"),
        ("mail.example.co.uk", "has another ending"),
        ("notexample.org", ""),
        ("evil.test", ""),
    ],
)
def test_wears(name: str, how: str) -> None:
    """The own name on somebody else."""
    assert how == wears(name, "example.org")


def test_short_names_have_other_endings() -> None:
    """`hp.com` and `hp.de` may well be two."""
    assert "" == wears("hp.de", "hp.com")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("abc", "abd", True),
        ("abc", "ab", True),
        ("abc", "xabc", True),
        ("abc", "acb", True),
        ("abc", "abc", False),
        ("abc", "cba", False),
        ("abcd", "ab", False),
        ("", "a", True),
        ("abcd", "abdce", False),
    ],
)
def test_one_edit(a: str, b: str, same: bool) -> None:
    """Left out, added, changed, swapped; in either direction."""
    assert same is one_edit(a, b) is one_edit(b, a)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_edit_by_hand(a: str, b: str) -> None:
    """As tried letter by letter."""
    letters = "abc"
    made = {a[:n] + a[n + 1 :] for n in range(len(a))}
    made |= {a[:n] + x + a[n:] for n in range(len(a) + 1) for x in letters}
    made |= {a[:n] + x + a[n + 1 :] for n in range(len(a)) for x in letters}
    made |= {a[:n] + a[n + 1] + a[n] + a[n + 2 :] for n in range(len(a) - 1)}
    assert one_edit(a, b) is (b in made - {a})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ann Miller", "Miller, Ann", True),
        ("Ann Miller", "ANN MILLER", True),
        ("Ann Miller", "Ann M. Miller", True),
        ("Ann Miller", "\u0410nn \u041ciller", True),
        ("Jos\u00e9 O'Neill", "Jose O\u2019Neill", False),
        ("Jos\u00e9 O'Neill", "jose o'neill", True),
        ("Ann Miller", "Ann Meyer", False),
        ("Ann Miller", "Ann Miller (work)", False),
    ],
)
def test_words(one: str, other: str, same: bool) -> None:
    """A person's name whatever the order, case, accents and alphabets."""
    assert same is (words_of(one) == words_of(other))


@given(st.text(max_size=300))
def test_anything(text: str) -> None:
    """Never an error."""
    words_of(text)
    alike(text, KNOWN)
    skeleton(text)
