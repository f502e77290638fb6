"""Which domain a domain pretends to be, and what a display name says: for checks on impersonation. Pure.

Two names look alike when their letters do (Unicode's confusables, and pairs such as `rn` for `m`), when one
letter is left out, added, changed or swapped, or when the own name stands in front of a foreign one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

import idna

from gatepost.mail.domains import registrable

SHORT = 5
"""Letters below which one of them makes another word: `hp` and `hq`."""
OTHER_ENDING = "has another ending"
MAX_NAME = 200
"""Characters of a display name that are looked at."""

_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def alike(name: str, known: Iterable[str]) -> tuple[str, str]:
    """Return (known name, how) for the first that `name` looks like without being it; ("", "") for none.

    Names are registered parts in A-labels and lower case.
    """
    label, _, ending = name.partition(".")
    shape = skeleton(label)
    for other in known:
        if other == name:
            return "", ""
        theirs, _, end = other.partition(".")
        if label == theirs:
            continue  # another ending is another business far too often
        if shape == skeleton(theirs):
            return other, "looks the same"
        if ending == end and min(len(label), len(theirs)) >= SHORT and one_edit(label, theirs):
            return other, "is one letter away"
    return "", ""


def wears(name: str, own: str) -> str:
    """Return how a host name wears our own name without being ours, "" where it does not.

    `example.org.evil.test` has it in front, `example.com` has another ending.
    """
    if name == own or name.endswith(f".{own}"):
        return ""
    if f".{name}.".find(f".{own}.") >= 0:
        return "has it in front"
    label, theirs = registrable(own).partition(".")[0], registrable(name).partition(".")[0]
    return OTHER_ENDING if label == theirs and len(label) >= SHORT else ""


@lru_cache(maxsize=4096)
def skeleton(label: str) -> str:
    """Return what a label looks like: two that look the same have the same skeleton."""
    if label.startswith("xn--"):
        try:
            label = idna.decode(label)
        except (UnicodeError, ValueError):
            return label
    if not label.isascii():
        label = "".join(c if c.isascii() else _ascii(c) for c in _bare(label))
    for pair, one in _PAIRS:
        label = label.replace(pair, one)
    return label


def one_edit(a: str, b: str) -> bool:
    """Return True when one letter left out, added, changed, or two neighbours swapped make `b` of `a`."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) != len(b):
        shorter, longer = sorted((a, b), key=len)
        return shorter[start:] == longer[start + 1 :]
    swapped = a[start : start + 2] == b[start : start + 2][::-1]
    return a[start + 1 :] == b[start + 1 :] or (swapped and a[start + 2 :] == b[start + 2 :])


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a person's name in an order of their own, so that `Miller, Ann` is `Ann Miller`.

    Accents and case do not count; letters that only look Latin are taken for it.
    """
    plain = "".join(c if c.isascii() else _ascii(c) for c in _bare(name[:MAX_NAME]))
    return tuple(sorted({word for word in _WORD.findall(plain.casefold()) if len(word) > 1}))


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@cache
def _ascii(char: str) -> str:
    """Return the Latin letter that a character looks like, itself where there is none."""
    from confusable_homoglyphs import confusables  # a table of 9,600 characters: only where it is needed

    for known in confusables.confusables_data.get(char, ()):
        if known["c"].isascii() and known["c"].isalnum():
            return str(known["c"]).lower()
    return char
