"""Each bound of the reader: at the limit nothing is said, one more is told (T6.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gatepost.auth.author import MAX_FROM, authors
from gatepost.mail.form import Bounds, oddities, troubles
from gatepost.mail.message import MAX_HEAD, MAX_LINES, MAX_WORDS, Message, decode_words, find_border
from gatepost.mail.parameters import MAX_PARAMETERS, MAX_TEXT, MAX_VALUE, read_value
from gatepost.mail.structure import (
    MAX_BOUNDARY,
    MAX_DEPTH,
    MAX_PART_HEAD,
    MAX_PART_HEADS,
    MAX_PARTS,
    Structure,
    read_structure,
)
from gatepost.mail.text import MAX_LINKS, links, texts
from gatepost.mail.text import MAX_TEXT as MAX_DECODED
from tests.mail.bombs import NOW

MOST_ADDRESSES = 300
BOUNDS = Bounds(MAX_LINES, MOST_ADDRESSES, 1e12, 1e12)
MOST_PARAMETERS = 500
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def message(raw: bytes) -> Message:
    border = find_border(raw)
    return Message(raw[:border] if border >= 0 else raw, raw)


def structure(raw: bytes) -> Structure:
    return read_structure(message(raw))


def over(raw: bytes) -> list[str]:
    """Return what a reader says of bounds."""
    one = message(raw)
    found = read_structure(one)
    odd = [*oddities(one, NOW, BOUNDS), *troubles(one, found.troubles, found.parameters, MOST_PARAMETERS)]
    return [oddity.text for oddity in odd if oddity.kind == "over_budget"]


def header_bytes(count: int) -> bytes:
    return b"X: ".ljust(count - 4, b"a") + b"\r\n\r\n"


def part_head(size: int) -> bytes:
    return MIXED + b"--b\r\n" + b"X: ".ljust(size - 4, b"a") + b"\r\n\r\ntext\r\n--b--\r\n"


def part_heads(size: int) -> bytes:
    """Return parts whose header blocks have so many bytes together."""
    each = 10_000
    sizes = [each] * (size // each)
    heads = [b"X: ".ljust(n - 4, b"a") + b"\r\n\r\n" for n in [*sizes, size - sum(sizes)]]
    return MIXED + b"".join(b"--b\r\n" + one + b"text\r\n" for one in heads) + b"--b--\r\n"


def nested(depth: int) -> bytes:
    opened = (
        b"Content-Type: multipart/mixed; boundary=x%03d\r\n\r\n--x%03d\r\n" % (n, n) for n in range(depth)
    )
    closed = (b"--x%03d--\r\n" % n for n in reversed(range(depth)))
    return b"".join(opened) + b"\r\ntext\r\n" + b"".join(closed)


def parameters(count: int) -> bytes:
    return b"Content-Type: text/plain" + b"; a=b" * count + b"\r\n\r\nx"


def all_parameters(count: int) -> bytes:
    """Return parts with so many parameters together; the boundary is one of them."""
    whole, rest = divmod(count - 1, 50)
    kinds = [b"Content-Type: text/plain" + b"; a=b" * n + b"\r\n\r\nx\r\n" for n in [*[50] * whole, rest]]
    return MIXED + b"".join(b"--b\r\n" + one for one in kinds) + b"--b--\r\n"


def value(length: int) -> bytes:
    return b"Content-Type: text/plain;".ljust(length + len("Content-Type: "), b"a") + b"\r\n\r\nx"


BUDGETS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "header bytes": (header_bytes, MAX_HEAD),
    "header lines": (lambda n: b"X: y\r\n" * (n - 1) + b"\r\n", MAX_LINES),
    "addresses": (lambda n: b"To: " + b",".join([b"a@b.example"] * n) + b"\r\n\r\n", MOST_ADDRESSES),
    "parameters of a field": (parameters, MAX_PARAMETERS),
    "parameters of all parts": (all_parameters, MOST_PARAMETERS),
    "characters of a parameter": (
        lambda n: b"Content-Type: text/plain; name=" + b"a" * n + b"\r\n\r\nx",
        MAX_TEXT,
    ),
    "characters of a structured field": (value, MAX_VALUE),
    "parts": (lambda n: MIXED + b"--b\r\n\r\nx\r\n" * (n - 1) + b"--b--\r\n", MAX_PARTS - 1),
    "depth": (nested, MAX_DEPTH),
    "header bytes of a part": (part_head, MAX_PART_HEAD),
    "header bytes of all parts": (part_heads, MAX_PART_HEADS),
}
"""What is counted -> a message with so many of it, and how many there may be."""


@pytest.mark.parametrize("name", BUDGETS)
def test_at_the_limit_and_one_more(name: str) -> None:
    """At the limit all was read; behind it the message is over budget, and one reason says why."""
    make, limit = BUDGETS[name]
    assert [] == over(make(limit))
    assert 1 == len(over(make(limit + 1)))


def test_words() -> None:
    """Encoded words are decoded up to a bound of characters; what lies behind is not looked at."""
    word = "=?utf-8?q?b?="
    at_limit = "x" * (MAX_WORDS - len(word)) + word
    assert decode_words(at_limit).endswith("xb")
    assert MAX_WORDS == len(decode_words("x" + at_limit))
    assert not decode_words("x" + at_limit).endswith("xb")


def test_boundary() -> None:
    """A boundary longer than any real one is cut like any parameter, and that is told."""

    def boundary(length: int) -> list[str]:
        name = b"b" * length
        return over(
            b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n\r\nx\r\n--%s--\r\n"
            % (name, name, name)
        )

    assert [] == boundary(MAX_BOUNDARY)
    assert 1 == len(boundary(MAX_BOUNDARY + 1))


def test_decoded_bytes() -> None:
    """No more text is decoded than there is room for, in one part or in many."""

    def decoded(*sizes: int) -> int:
        each = (b"--b\r\nContent-Type: text/plain\r\n\r\n" + b"x" * size + b"\r\n" for size in sizes)
        return sum(len(text) for _, text in texts(structure(MIXED + b"".join(each) + b"--b--\r\n")))

    assert MAX_DECODED == decoded(MAX_DECODED) == decoded(MAX_DECODED - 7, 7)
    assert MAX_DECODED == decoded(MAX_DECODED + 1) == decoded(MAX_DECODED - 7, 8)
    (only,) = structure(b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AAAA" * 100).parts
    assert (300, 299) == (len(only.content(300)), len(only.content(299)))


def test_links() -> None:
    """A thousand links are kept, the first ones."""

    def found(count: int) -> list[str]:
        text = b" ".join(b"http://h%d.example/" % n for n in range(count))
        return links(structure(b"Content-Type: text/plain\r\n\r\n" + text))

    assert MAX_LINKS == len(found(MAX_LINKS)) == len(found(MAX_LINKS + 1))
    assert found(MAX_LINKS) == found(MAX_LINKS + 1)


def test_from() -> None:
    """A From that is longer than is read has no certain author."""

    def ambiguous(length: int) -> str:
        said = b"From: " + b"x" * (length - 14) + b" <a@b.example>\r\n\r\n"
        return authors(Message(said)).ambiguous

    assert not ambiguous(MAX_FROM)
    assert "From is too long" == ambiguous(MAX_FROM + 1)


def test_sections() -> None:
    """Sections of a parameter (RFC 2231) are counted like parameters, and joined up to the same length."""
    most = read_value("a/b" + "".join(f"; name*{n}=x" for n in range(MAX_PARAMETERS)))
    assert (False, "x" * MAX_PARAMETERS) == (most.over_budget, most.get("name"))
    assert read_value("a/b" + "; name*0=x" * (MAX_PARAMETERS + 1)).over_budget
    halves = "a/b; name*0=" + "x" * (MAX_TEXT // 2) + "; name*1=" + "x" * (MAX_TEXT // 2)
    assert (False, MAX_TEXT) == (read_value(halves).over_budget, len(read_value(halves).get("name")))
    assert read_value(halves + "x").over_budget
