"""Patterns that people write, matched in time that is linear in the text, whatever the pattern.

The one place that knows the engine: RE2 (no look-around, no back-references, so no pattern can
be slow on purpose). Literal patterns are looked up, not matched. Memory and number are bounded;
what cannot be is a `PatternError` that names the pattern.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import re2

How = Literal["whole", "part", "regex"]
"""The whole text; anywhere in it; a regular expression. Never with regard to case."""

MAX_PATTERN = 200
"""Characters of one pattern."""
MAX_PATTERNS = 1_000
ONE_BYTES = 1 << 16
"""Memory of one compiled pattern; RE2 refuses what needs more (`(a{500}){500}`)."""
ALL_BYTES = 1 << 18
"""Memory of all patterns of one set together. Measured: the worst that fits takes 25 ms for 320 octets."""
SET_BYTES = (ALL_BYTES, 4 * ALL_BYTES, 16 * ALL_BYTES)
"""What the one look at all of them may use, with what it learns on the way: the first that is enough."""


class PatternError(ValueError):
    """A pattern cannot be used; the text names it and says why."""


class Pattern(NamedTuple):
    """One pattern with how it is meant."""

    text: str
    how: How = "part"


class PatternSet:
    """Patterns in order. Made once, asked for each mail."""

    __slots__ = ("_numbers", "_set", "_whole")

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        """`PatternError` says which pattern is wrong."""
        self._whole: dict[str, int] = {}
        self._numbers: list[int] = []
        listed = list(patterns)
        if len(listed) > MAX_PATTERNS:
            raise PatternError(f"{len(listed)} patterns, more than {MAX_PATTERNS}")
        for n, pattern in enumerate(listed):
            check(pattern)
            if pattern.how == "whole":
                self._whole.setdefault(pattern.text.lower(), n)
            else:
                self._numbers.append(n)
        self._set = _together([_source(listed[n]) for n in self._numbers]) if self._numbers else None

    def first(self, text: str) -> int | None:
        """Return the number of the first pattern that matches, None where none does."""
        whole = self._whole.get(text.lower()) if self._whole else None
        found = self._set.Match(text) if self._set is not None else None
        if not found:
            return whole
        first = self._numbers[min(found)]
        return first if whole is None or first < whole else whole


def check(pattern: Pattern) -> None:
    """`PatternError` where a pattern cannot be used: bad syntax, too long, or it matches everything."""
    text = pattern.text
    if not text or len(text) > MAX_PATTERN or not text.isprintable():
        raise PatternError(f"pattern {text[:40]!r}: 1 to {MAX_PATTERN} printable characters are wanted")
    if pattern.how == "regex" and _compile(text, ONE_BYTES, f"pattern {text!r}").search("") is not None:
        raise PatternError(f"pattern {text!r} matches everything, also nothing at all")


def _source(pattern: Pattern) -> str:
    if pattern.how == "regex":
        return pattern.text
    quoted = re2.escape(pattern.text)
    return rf"\A(?:{quoted})\z" if pattern.how == "whole" else quoted


def _options(memory: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.never_capture = True
    options.max_mem = memory
    return options


def _compile(source: str, memory: int, what: str) -> Any:
    try:
        return re2.compile(source, _options(memory))
    except re2.error as error:
        said = error.args[0]
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise PatternError(f"{what}: {reason.removesuffix(' - compile failed')}") from None


def _together(sources: list[str]) -> Any:
    """Return the engine's object for many patterns: one look says which of them match.

    It has no slow way to fall back to, so it is made only where it has memory for its quick one.
    """
    _compile("|".join(f"(?:{source})" for source in sources), ALL_BYTES, "the patterns together")
    for memory in SET_BYTES:
        made = re2.Set.SearchSet(_options(memory))
        try:
            for source in sources:
                made.Add(source)
            made.Compile()
        except re2.error:
            continue
        return made
    raise PatternError("the patterns together: they need too much memory")
