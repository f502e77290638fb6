"""The parts of a message: where they lie, what they are, and what is odd; and bombs that do not go off."""

from __future__ import annotations

import tracemalloc
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.message import Message, find_border
from gatepost.mail.structure import MAX_DEPTH, MAX_PARTS, Part, Structure, read_structure
from tests.cost import assert_cheap

MIXED = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n"
    b'--b\r\nContent-Type: application/zip; name="a.zip"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment; filename="b.zip"\r\n\r\nUEsDBA==\r\n--b--\r\nepilogue\r\n'
)


ODD_HEADS = {"a part without an end of its header", "ambiguous header of a part", "ambiguous header"}


def check_spans(structure: Structure) -> None:
    """Each part lies in the bytes, in order, and within the part that holds it.

    A header that has no end, or lines that are no fields, may hold delimiters, too: that is told.
    """
    above: list[Part] = []
    for part in structure.parts:
        assert 0 <= part.start <= part.body <= part.end <= len(part.raw)
        del above[part.depth :]
        if above and above[-1].raw is part.raw and not ODD_HEADS & set(structure.troubles):
            holds = above[-1]
            assert holds.body <= part.start
            assert part.end <= holds.end, (holds.type, holds.end, part.type, part.end)
        above.append(part)


MIXED_HEAD = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def read(raw: bytes) -> Structure:
    border = find_border(raw)
    return read_structure(Message(raw[:border] if border >= 0 else raw, raw))


def test_parts_and_spans() -> None:
    """Byte for byte: the line end before a boundary belongs to the boundary."""
    found = read(MIXED)
    assert ["multipart/mixed", "text/plain", "application/zip"] == [part.type for part in found.parts]
    assert [] == found.troubles
    _, text, attachment = found.parts
    assert b"one" == MIXED[text.body : text.end] == text.content()
    assert MIXED[text.start : text.body].startswith(b"Content-Type: text/plain")
    assert b"PK\3\4" == attachment.content()
    assert ["b.zip", "a.zip"] == attachment.filenames
    assert "attachment" == attachment.disposition.word
    assert [0, 1, 1] == [part.depth for part in found.parts]


@pytest.mark.parametrize(
    ("raw", "types", "troubles"),
    [
        (b"Subject: x\r\n\r\nhello\r\n", ["text/plain"], []),
        (b"Subject: x\r\n\r\n", ["text/plain"], []),
        (b"Content-Type: nonsense\r\n\r\nx", ["text/plain"], ["unreadable Content-Type"]),
        (b"Content-Type: a/b\r\nContent-Type: text/html\r\n\r\nx", ["a/b"], ["several Content-Types"]),
        (b"Content-Transfer-Encoding: rot13\r\n\r\nx", ["text/plain"], ["unknown encoding"]),
        (b"Content-Type: multipart/mixed\r\n\r\nx", ["multipart/mixed"], ["no boundary"]),
        (
            MIXED.replace(b"name=", b"\r\nname="),
            ["multipart/mixed", "text/plain", "application/zip"],
            ["ambiguous header of a part"],
        ),
        (
            MIXED.replace(b"--b--\r\n", b""),
            ["multipart/mixed", "text/plain", "application/zip"],
            ["no closing boundary"],
        ),
        (
            b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n",
            ["multipart/mixed", "text/plain"],
            ["several boundaries"],
        ),
        (
            b"Content-Type: multipart/mixed; boundary=o\r\n\r\n"
            b"--o\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
            b"--o\r\n\r\nx\r\n--o--\r\n",
            ["multipart/mixed", "multipart/mixed", "text/plain"],
            ["a boundary twice", "no closing boundary"],
        ),
        (
            b"Content-Type: multipart/mixed; boundary=o\r\n\r\n"
            b"--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
            b"--i\r\n\r\nx\r\n--o--\r\n",
            ["multipart/mixed", "multipart/mixed", "text/plain"],
            ["an inner boundary was not closed"],
        ),
    ],
)  # fmt: skip
def test_what_is_odd(raw: bytes, types: list[str], troubles: list[str]) -> None:
    """Each way to fool a reader is named (T3.1)."""
    found = read(raw)
    assert (types, troubles) == ([part.type for part in found.parts], found.troubles)


def test_messages_in_messages() -> None:
    """Forwarded mail is read, and also one that is encoded, which the standard forbids."""
    inner = b"Subject: in\r\n\r\ntext\r\n"
    for encoded in (inner, b"X"):
        head = b"Content-Type: message/rfc822\r\n"
        if encoded is not inner:
            head += b"Content-Transfer-Encoding: base64\r\n"
            encoded = b64encode(inner.replace(b"\r\n", b"\n"))
        outer, text = read(head + b"\r\n" + encoded).parts
        assert ("message/rfc822", "text/plain") == (outer.type, text.type)
        assert "in" == text.headers.subject
        assert b"text" == text.content().strip()


def test_a_message_in_a_message_ends() -> None:
    """At the delimiter of what holds it, and not at the end of a multipart that it holds itself."""
    inner = b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\ntext\r\n--i--\r\nepilogue"
    raw = (
        MIXED_HEAD + b"--b\r\nContent-Type: message/rfc822\r\n\r\n%s\r\n--b\r\n\r\nlast\r\n--b--\r\n" % inner
    )
    outer, message, mixed, text, last = read(raw).parts
    assert inner == message.content()
    assert (b"text", b"last") == (text.content(), last.content())
    assert mixed.end < message.end < last.start < outer.end < len(raw)


def test_an_empty_part_ends_in_what_holds_it() -> None:
    """The empty line behind its header is the line end of the boundary, too."""
    outer, empty = read(MIXED_HEAD + b"--b\r\nContent-Type: text/html\r\n\r\n--b--\r\n").parts
    assert b"" == empty.content()
    assert empty.body == empty.end == outer.end


def nested(depth: int, name: bytes = b"b") -> bytes:
    """Return multiparts in each other; named with a dash, their boundaries are one, two, three ... dashes."""
    names = [b"-" * (n + 1) if name == b"-" else name + b"%d" % n for n in range(depth)]
    return b"".join(b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n--%s\r\n' % (n, n) for n in names)


MIB = 1 << 20
BOMBS = {
    "empty parts": lambda: MIXED_HEAD + b"--b\r\n\r\n" * 3_000_000,
    "parts without a border": lambda: MIXED_HEAD + b"--b\r\nX: y\r\n" * 2_000_000,
    "long heads at depth": lambda: nested(29) + (b"--b28\r\nX: " + b"a" * 16_300 + b"\r\n\r\n") * 1_000,
    "nested multiparts": lambda: nested(10_000),
    "nested messages": lambda: b"Content-Type: message/rfc822\r\n\r\n" * 50_000,
    "dashes": lambda: MIXED_HEAD + b"--" * (12 * MIB),
    "dashes at depth": lambda: nested(29, b"-") + b"\r\n" + b"-" * (25 * MIB),
    "lines of dashes": lambda: MIXED_HEAD + b"--y\r\n" * (5 * MIB),
    "lines of dashes at depth": lambda: nested(29) + b"\r\n" + b"--y\r\n" * (5 * MIB),
    "beginnings of boundaries": lambda: nested(29) + b"\r\n" + b"--b\r\n" * (5 * MIB),
    "boundaries begin alike": lambda: nested(29, b"p" * 40) + (b"\r\n--" + b"p" * 40) * 600_000,
    "empty lines at depth": lambda: nested(29) + b"\n" * (25 * MIB),
    "parameters": lambda: b"Content-Type: text/plain" + b"; a*0=b" * 100_000 + b"\r\n\r\nx",
    "boundaries that never come": lambda: (
        MIXED_HEAD
        + b"".join(b"--b\r\nContent-Type: multipart/mixed; boundary=x%d\r\n\r\n" % n for n in range(1_200))
        + b"--b\r\n\r\n"
        + b"--x\r\n" * (5 * MIB)
    ),
    "one line": lambda: MIXED_HEAD + b"x" * (25 * MIB),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    """T6.1: as large as we let mail be, each under a second of CPU and 50 MB."""
    raw = BOMBS[name]()
    found = read(raw)
    assert_cheap(1, read, raw)
    tracemalloc.start()
    read(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000
    assert len(found.parts) <= MAX_PARTS
    assert max(part.depth for part in found.parts) <= MAX_DEPTH + 1


def test_bounds_are_told() -> None:
    """At the limit nothing is said, one more is told (T6.2)."""
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"

    def parts(count: int) -> Structure:
        return read(head + b"--b\r\n\r\nx\r\n" * count + b"--b--\r\n")

    assert ([], MAX_PARTS - 1) == (parts(MAX_PARTS - 2).troubles, len(parts(MAX_PARTS - 2).parts))
    assert ["too many parts"] == [t for t in parts(MAX_PARTS).troubles if t != "no closing boundary"]
    assert "too deep" not in read(nested(MAX_DEPTH)).troubles
    assert "too deep" in read(nested(MAX_DEPTH + 1)).troubles


PIECES = st.sampled_from(
    [b"--b\r\n", b"--b--\r\n", b"--c\r\n", b"\r\n", b"\n", b"x",
     b"Content-Type: multipart/mixed; boundary=c\r\n",
     b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"\0", b"--", b": "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40))
def test_anything(pieces: list[bytes]) -> None:
    """Whatever comes: spans lie within the bytes, in order, and every part can be read."""
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(pieces)
    found = read(raw)
    check_spans(found)
    for part in found.parts:
        assert len(part.content(100)) <= 100
        part.text(100)
