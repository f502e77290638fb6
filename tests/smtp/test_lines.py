"""Only CRLF ends a line; a bare LF spoils the whole line, once; the answers do not depend on the cuts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.errors import BareNewline, LineTooLong
from gatepost.smtp.lines import LineBuffer
from tests.cost import assert_cheap, assert_linear

PIECES = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b"bc", b"d" * 9]), max_size=30)


def drain(lines: LineBuffer) -> list[bytes | str]:
    """Take everything there is."""
    out: list[bytes | str] = []
    while True:
        try:
            line = lines.take()
        except BareNewline:
            out.append("bare")
        except LineTooLong:
            return [*out, "long"]
        else:
            if line is None:
                return out
            out.append(line)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"\r\n\r\n", [b"", b""]),
        (b"a\r", []),
        (b"a\rb\r\n", [b"a\rb"]),
        (b"a\nb\r\nc\r\n", ["bare", b"c"]),
        (b"\n", ["bare"]),
        (b"a\nb\nc\r\nd\r\n", ["bare", b"d"]),
        (b"a\r\n\nb\r\nc\r\n", [b"a", "bare", b"c"]),
        (b"a\n\r\nb\r\n", ["bare", b"b"]),
        (b"a\nb\r", ["bare"]),
        (b"x" * 18 + b"\r\n", [b"x" * 18]),
        (b"x" * 19 + b"\r\n", ["long"]),
        (b"x" * 20, ["long"]),
        (b"a\n" + b"x" * 30, ["bare", "long"]),
    ],
)
def test_table(wire: bytes, expected: list[bytes | str]) -> None:
    """Lines of at most 20 octets, CRLF included; whole and byte by byte."""
    whole = LineBuffer(20)
    whole.add(wire)
    assert expected == drain(whole)
    single = LineBuffer(20)
    out: list[bytes | str] = []
    for octet in wire:
        single.add(bytes([octet]))
        out += drain(single)
        if out[-1:] == ["long"]:
            break
    assert expected == out


@given(PIECES)
def test_any_split(pieces: list[bytes]) -> None:
    """However the bytes are cut, the lines are the same; what waits is counted right."""
    wire = b"".join(pieces)
    whole = LineBuffer(1000)
    whole.add(wire)
    expected = drain(whole)
    cut = LineBuffer(1000)
    late = LineBuffer(1000)
    out: list[bytes | str] = []
    for piece in pieces:
        cut.add(piece)
        late.add(piece)
        out += drain(cut)
    assert expected == out
    assert late.size == len(wire)
    assert expected == drain(late)
    assert whole.size == cut.size == late.size


@given(PIECES)
def test_lines_are_what_stands_between_crlf(pieces: list[bytes]) -> None:
    """Without a bare LF it is a split at CRLF, and no byte is lost."""
    wire = b"".join(pieces)
    if b"\n" in wire.replace(b"\r\n", b""):
        return
    lines = LineBuffer(1000)
    lines.add(wire)
    *expected, rest = wire.split(b"\r\n")
    assert expected == drain(lines)
    assert lines.take_all() == rest
    assert lines.size == 0


def test_taking_bytes() -> None:
    """Messages and chunks are taken without looking at lines, and what follows is lines again."""
    lines = LineBuffer(100)
    lines.add(b"BDAT\r\nab")
    lines.add(b"cdQUIT\r\n")
    assert lines.take() == b"BDAT"
    assert lines.take_some(3) == b"abc"
    assert lines.take_some(1) == b"d"
    assert lines.take_some(0) == b""
    assert lines.take() == b"QUIT"
    assert lines.take_some(5) == b""
    lines.add(b"abc")
    lines.add(b"def")
    assert lines.take_all() == b"abcdef"
    lines.put_back(b"f\r\n")
    assert lines.take() == b"f"
    lines.add(b"a\nb")
    lines.clear()
    assert lines.size == 0
    lines.add(b"c\r\n")
    with pytest.raises(BareNewline):
        bare = LineBuffer(9)
        bare.add(b"c\n")
        bare.take()
    assert lines.take() == b"c"


def test_adding_is_cheap() -> None:
    """A hundred thousand small pieces while nobody takes: no work is done twice."""

    def add(number: int) -> None:
        lines = LineBuffer(2048)
        for _ in range(number):
            lines.add(b"N")
            assert lines.size

    assert_linear(int, add, 50_000)


def test_many_lines_in_one_piece_are_cheap() -> None:
    """Each line is looked for where the last one ended."""

    def take() -> None:
        lines = LineBuffer(2048)
        lines.add(b"NOOP\r\n" * 200_000)
        assert len(drain(lines)) == 200_000

    assert_cheap(2, take)
