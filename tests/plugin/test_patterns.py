"""Patterns match as they are meant, are refused by name, and stay linear whatever they are."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.plugin.patterns import MAX_PATTERNS, Pattern, PatternError, PatternSet
from tests.cost import assert_cheap, assert_linear


def first(text: str, *patterns: tuple[str, str]) -> int | None:
    return PatternSet(Pattern(p, how) for p, how in patterns).first(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "how", "text", "matches"),
    [
        ("|", "part", "a|b", True),
        ("|", "part", "ab", False),
        ("a.c", "part", "abc", False),
        ("A.C", "part", "xa.cx", True),
        ("info", "whole", "INFO", True),
        ("info", "whole", "info2", False),
        ("info", "whole", "info\n", False),
        ("[0-9]@", "regex", "ann7@example.org", True),
        ("[0-9]@", "regex", "7ann@example.org", False),
        ("^([^a-zA-Z])", "regex", "7ann", True),
        ("^([^a-zA-Z])", "regex", "ann7", False),
        ("^ann|bob$", "regex", "xbob", True),
        ("ünï", "part", "XÜNÏX", True),
    ],
)
def test_kinds(pattern: str, how: str, text: str, matches: bool) -> None:
    """Whole, part, regex; upper and lower case are the same."""
    assert (0 if matches else None) == first(text, (pattern, how))


def test_the_first_decides() -> None:
    """Of several that match the first in order is told, whatever kinds they are."""
    rules = [("x", "whole"), ("ann", "part"), ("ann", "whole"), ("a", "regex")]
    assert 1 == first("ann", *rules)
    assert 0 == first("ann", *rules[2:])
    assert 1 == first("anna", *rules[2:])
    assert 0 == first("x", *rules)
    assert first("bob", *rules) is None
    assert PatternSet([]).first("ann") is None


@pytest.mark.parametrize(
    ("pattern", "how", "said"),
    [
        ("(ann", "regex", r"pattern '\(ann': missing \)"),
        ("(?=ann)", "regex", r"pattern '\(\?=ann\)': invalid perl operator"),
        (r"(a)\1", "regex", "invalid escape sequence"),
        ("a{2000}", "regex", r"pattern 'a\{2000\}': invalid repetition size"),
        (".{1000}.{1000}", "regex", "pattern too large"),
        ("|", "regex", r"pattern '\|' matches everything"),
        ("a*", "regex", r"pattern 'a\*' matches everything"),
        ("", "part", "pattern ''"),
        ("a" * 201, "part", "1 to 200"),
        ("a\nb", "part", "printable"),
    ],
)
def test_bad_patterns_are_named(pattern: str, how: str, said: str) -> None:
    """A pattern that cannot be used is an error that names it and says why."""
    with pytest.raises(PatternError, match=said):
        PatternSet([Pattern(pattern, how)])  # type: ignore[arg-type]


def test_number_and_memory_are_bounded() -> None:
    """Too many, or too much together, is an error and no memory."""
    with pytest.raises(PatternError, match="more than 1000"):
        PatternSet(Pattern(f"a{n}") for n in range(MAX_PATTERNS + 1))
    with pytest.raises(PatternError, match="the patterns together"):
        PatternSet(Pattern(f"a.{{30,60}}b{n}", "regex") for n in range(500))
    full = PatternSet(Pattern(f"user{n}", "whole") for n in range(MAX_PATTERNS))
    assert 999 == full.first("user999")


@pytest.mark.parametrize(
    "evil", ["(a+)+$", "(a|a)*b", "(x+x+)+y", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_evil_patterns_stay_linear(evil: str) -> None:
    """What takes a backtracking engine for ever takes this one no time; twice the text, twice the time."""
    try:
        patterns = PatternSet([Pattern(evil, "regex")])
    except PatternError:
        pytest.fail(f"{evil} should compile")
    assert_cheap(0.01, patterns.first, "a" * 320 + "!")
    assert_linear(lambda size: "a" * size + "!", patterns.first, 100_000)


@given(st.text(max_size=30), st.sampled_from(["part", "whole", "regex"]), st.text(max_size=60))
def test_only_its_own_errors(pattern: str, how: str, text: str) -> None:
    """Whatever a person writes, it is matched or is a PatternError; text means itself."""
    try:
        patterns = PatternSet([Pattern(pattern, how)])  # type: ignore[arg-type]
    except PatternError:
        return
    found = patterns.first(text)
    if how == "part" and pattern.isascii() and text.isascii():
        assert (pattern.lower() in text.lower()) is (found == 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b1", "[0-9]@", "^[^a-z]", "a.*b", "b$", "x{2,5}", "Ä", "@", "."]),
            st.sampled_from(["part", "whole", "regex"]),
        ),
        max_size=12,
    ),
    st.text("aAbB019@x.Äé\u212a", max_size=30),
)
def test_together_as_one_by_one(written: list[tuple[str, str]], text: str) -> None:
    """A set says what its first pattern that matches, asked alone, would say."""
    patterns = [Pattern(pattern, how) for pattern, how in written]  # type: ignore[arg-type]
    alone = (n for n, pattern in enumerate(patterns) if PatternSet([pattern]).first(text) is not None)
    assert next(alone, None) == PatternSet(patterns).first(text)


def test_little_memory_hides_no_match() -> None:
    """What is learnt of a text is forgotten where memory is short, and the answer is the same."""
    dice = random.Random(7)
    makes: tuple[Callable[[int], str], ...] = (
        lambda n: f"a.{{10,20}}b{n}",
        lambda n: f".*a.*b.*0.*1{n}",
        lambda n: f"[ab01]{{{n % 9 + 1}}}x.{{{n % 30}}}b$",
        lambda n: f"b.{{{n % 25}}}0.{{{n % 13}}}1",
    )
    for count in (2, 5, 20, 60):
        written = [Pattern(dice.choice(makes)(dice.randrange(60)), "regex") for _ in range(count)]
        together, alone = PatternSet(written), [PatternSet([one]) for one in written]
        for size in (20, 60, 320, 3000):
            text = "".join(dice.choices("ab01x", k=size))
            assert next((n for n, one in enumerate(alone) if one.first(text) is not None), None) == (
                together.first(text)
            )


def test_as_many_as_fit_are_asked_together() -> None:
    """The largest sets that are let in have memory for the look at all of them."""
    makes: tuple[Callable[[int], str], ...] = (
        lambda n: f"a.{{10,20}}b{n}",
        lambda n: f"(a|b)(a|b|0){{1,{20 + n}}}x",
        lambda n: f".*a.*b.*0.*1{n}",
        lambda n: f"[ab]..{n % 7}.*x[^a]{{3,12}}",
    )
    for make in makes:
        most, count = None, 1
        while count <= MAX_PATTERNS:
            try:
                most = PatternSet(Pattern(make(n), "regex") for n in range(count))
            except PatternError as error:
                assert "too large" in str(error)
                break
            count = count * 5 // 4 + 1
        assert most is not None
        assert_cheap(0.05, most.first, "ab01" * 80)
