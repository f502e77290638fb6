"""What is wrong with a configuration, so that it can be put right without reading the code.

Every fault names where it stands, the key, the reason, and the word that was probably meant. All faults
of a configuration come at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple


class Problem(NamedTuple):
    """One fault."""

    where: str
    """A file, an environment variable, or `command line`."""
    key: str
    """`smtp.listen`, or "" where the file as a whole is meant."""
    reason: str
    suggestion: str = ""
    """The word that was probably meant."""
    fatal: bool = True
    """False: worth knowing, and no reason not to start."""

    def __str__(self) -> str:
        parts = [part for part in (self.where, self.key, self.reason) if part]
        meant = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return ": ".join(parts) + meant


class ConfigError(Exception):
    """The configuration cannot be used; its text has one line for each fault."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class BadValue(ValueError):
    """A value is not what its key takes; the text is the reason, for people."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.suggestion = suggestion


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, "" if none is near."""
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.7)
    return found[0] if found else ""


def nearest_key(key: str, known: Sequence[str]) -> str:
    """Return the key that was probably meant: misspelt in its place, or put in the wrong section."""
    section, _, name = key.rpartition(".")
    inside = {k.rpartition(".")[2]: k for k in known if k.rpartition(".")[0] == section}
    if near := nearest(name, inside):
        return inside[near]
    if elsewhere := [k for k in known if k.rpartition(".")[2] == name.lower()]:
        return elsewhere[0]
    return nearest(key, known)
