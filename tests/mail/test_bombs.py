"""No message costs more than a second and 50 MB, whatever was done to it; twice the bytes, twice the time."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

import pytest

from tests.cost import assert_linear, quickest
from tests.mail.bombs import (
    BOMBS,
    HTML,
    addresses,
    encoded_words,
    many_links,
    measured,
    nested,
    parts,
    read_whole,
    sections,
    sections_of_parts,
    to_lines,
    zeros,
)

HARMLESS = {
    "5,000 ( in To": "one address as far as anybody counts; nothing recurses",
    "5,000 ( in From": "the same, and the author is `ambiguous`",
    "base64 of 30 MB": "as much as is looked at is decoded, which is no fault of the mail",
    "soft line ends": "the same",
    "uuencode of 25 MB": "the same",
    "base64 messages in each other": "thirteen parts",
    "HTML nested 1,000,000": "no tree is built",
    "HTML attributes": "a tag longer than 4,000 characters is text",
    "entities": "text",
    "300,000 links": "a thousand of them are looked at",
    "links that never end": "text",
    "words of one letter": "text",
    "one word": "text",
}
"""Bombs that no bound is needed for -> why."""

FAMILIES: dict[str, tuple[Callable[[int], bytes], int]] = {
    "encoded words": (encoded_words, 3_000),
    "encoded words far past the bound": (encoded_words, 500_000),
    "sections": (sections, 300),
    "sections far past the bound": (sections, 300_000),
    "addresses": (addresses, 1_500),
    "To lines": (to_lines, 400),
    "To lines far past the bound": (to_lines, 300_000),
    "parts": (parts, 450),
    "parts far past the bound": (parts, 1_000_000),
    "parameters of parts": (lambda n: sections_of_parts(n, 90), 400),
    "multiparts": (lambda n: nested(b"multipart", n), 400),
    "messages": (lambda n: nested(b"message", n), 20_000),
    "base64": (zeros, 8 << 20),
    "links": (many_links, 400),
    "links far past the bound": (many_links, 100_000),
    "tags": (lambda n: HTML + b"<p>" * n, 40_000),
    "half tags": (lambda n: HTML + b"<p " * n, 40_000),
    "comments in From": (lambda n: b"From: " + b"(" * n + b"ann@example.org\r\n\r\nx", 20_000),
}  # fmt: skip
"""Something in growing numbers, below a bound or above it."""


@pytest.mark.parametrize("name", BOMBS)
def test_cost(name: str) -> None:
    """T6.1: in a process of its own, under a second of CPU and 50 MB; and who is too much is told so."""
    cost = quickest(1, lambda: measured(name), itemgetter("seconds"))
    assert cost["seconds"] < 1
    assert cost["memory"] < 50_000_000
    assert ("over_budget" not in cost["found"]["odd"]) == (name in HARMLESS)


def test_the_cost_is_measured() -> None:
    """What is read is the bomb, and memory is seen: 30 MB of base64 leave their mark, if a small one."""
    cost = measured("base64 of 30 MB")
    assert cost["size"] > 40_000_000
    assert 262_144 == cost["found"]["text"]
    assert 262_144 < cost["memory"]


@pytest.mark.parametrize("name", FAMILIES)
def test_twice_the_bytes_take_twice_the_time(name: str) -> None:
    """Nothing is looked at again for each of its kind: below the bounds and above them."""
    make, count = FAMILIES[name]
    read_whole(make(10))  # what is imported and compiled once
    assert_linear(make, read_whole, count, times=2)
