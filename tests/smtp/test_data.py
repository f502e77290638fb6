"""Only CRLF . CRLF ends DATA, at any split of the bytes; what is wrong with a message is always seen."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.data import (
    DataReader,
    Inspector,
    normalize_pieces,
    stuff_pieces,
    unstuff,
    unstuff_pieces,
)
from tests.cost import assert_cheap, assert_linear

WIRE = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"\0", b"a", b"\r\n.\r\n", b"\xff"]), max_size=40
).map(b"".join)
ENDS = [b"\r", b"\n", b"\r\n", b"\r\r\n", b"\n\r", b"\0", b""]


def normalize(text: bytes) -> bytes:
    """Return unstuffed text with every bare CR and LF made a CRLF."""
    return b"".join(normalize_pieces([text], stuffed=False))


def judge(wire: bytes, limit: int = 1_000_000) -> tuple[bytes, bytes, str] | None:
    """Read byte by byte, as the standard says: message, rest, what is wrong; None if it has no end."""
    line, message, wrong = b"", b"", set()
    for at in range(len(wire)):
        line += wire[at : at + 1]
        if not line.endswith(b"\r\n"):
            continue
        if line == b".\r\n":
            text = message
            if b"\0" in text:
                wrong.add("nul")
            rest = text.replace(b"\r\n", b"")
            if b"\r" in rest or b"\n" in rest:
                wrong.add("bare")
            if any(len(part) >= limit for part in text.split(b"\n")):
                wrong.add("line")
            verdict = next((name for name in ("nul", "line", "bare") if name in wrong), "")
            return message, wire[at + 1 :], verdict
        message += line
        line = b""
    return None


def read(pieces: list[bytes], limit: int = 1_000_000) -> tuple[bytes, bytes, str] | None:
    """The same by the reader."""
    reader = DataReader(10_000_000, limit)
    out = b""
    for number, piece in enumerate(pieces):
        out += reader.feed(piece)
        if reader.done:
            return out, reader.rest + b"".join(pieces[number + 1 :]), reader.spoilt
    return None


def cut(wire: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at places."""
    marks = sorted({p for p in places if 0 <= p <= len(wire)} | {0, len(wire)})
    return [wire[a:b] for a, b in itertools.pairwise(marks)]


@pytest.mark.parametrize("left", ENDS)
@pytest.mark.parametrize("right", ENDS)
def test_nothing_else_ends_data(left: bytes, right: bytes) -> None:
    """T1.1: every pair of line ends on both sides of a dot, at every one and two cuts of the bytes."""
    wire = b"a" + left + b"." + right + b"MAIL FROM:<b@x>\r\n.\r\nQUIT\r\n"
    expected = judge(wire)
    if (left, right) == (b"\r\n", b"\r\n"):
        assert expected == (b"a\r\n", b"MAIL FROM:<b@x>\r\n.\r\nQUIT\r\n", "")
    elif b"\r\n" not in left or not right.startswith(b"\r\n"):
        assert expected is not None
        assert expected[1] == b"QUIT\r\n"
    for places in itertools.combinations_with_replacement(range(len(wire) + 1), 2):
        assert expected == read(cut(wire, list(places)))


@given(WIRE, st.lists(st.integers(0, 120), max_size=12), st.integers(2, 12))
def test_any_split_gives_what_the_judge_gives(wire: bytes, places: list[int], limit: int) -> None:
    """Message, rest and verdict do not depend on how the bytes are cut."""
    expected = judge(wire, limit)
    assert expected == read(cut(wire, places), limit)
    assert expected == read([wire[n : n + 1] for n in range(len(wire))], limit)


def test_many_random_streams() -> None:
    """The judge and the reader agree on 20,000 random streams cut at random places."""
    dice = random.Random(4)
    alphabet = [b"\r\n", b"\r", b"\n", b".", b"a", b"\r\n."]
    for _ in range(20_000):
        wire = b"".join(dice.choices(alphabet, k=dice.randrange(14)))
        places = [dice.randrange(len(wire) + 1) for _ in range(dice.randrange(5))]
        assert judge(wire) == read(cut(wire, places)), (wire, places)


@pytest.mark.parametrize(
    ("wire", "message", "rest"),
    [
        (b".\r\n", b"", b""),
        (b"\r\n.\r\n", b"\r\n", b""),
        (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n"),
        (b"..\r\n.\r\n", b"..\r\n", b""),
        (b".a\r\n.\r\n", b".a\r\n", b""),
        (b"..\r\n\r\n.\r\n", b"..\r\n\r\n", b""),
    ],
)
def test_table(wire: bytes, message: bytes, rest: bytes) -> None:
    """Examples that a person can read."""
    assert (message, rest, "") == read([wire])


def test_too_big_gives_nothing_back_but_reads_to_the_end() -> None:
    """Past the limit the bytes are dropped, and the end is still found."""
    reader = DataReader(5)
    assert reader.feed(b"abcd\r\n") == b""
    assert reader.too_big
    assert reader.feed(b"more\r\n.\r\nQUIT\r\n") == b""
    assert reader.done
    assert reader.rest == b"QUIT\r\n"
    exact = DataReader(6)
    assert exact.feed(b"abcd\r\n.\r\n") == b"abcd\r\n"
    assert not exact.too_big


def test_feeding_behind_the_end_is_our_mistake() -> None:
    """A reader that is done takes nothing more."""
    reader = DataReader(5)
    reader.feed(b".\r\n")
    with pytest.raises(RuntimeError):
        reader.feed(b"x")


@pytest.mark.parametrize("length", [99, 100, 101])
def test_line_limit(length: int) -> None:
    """A line of the limit, CRLF included, is let pass; one octet more is not."""
    for size in (1, 7, 1000):
        wire = b"b\r\n" + b"a" * (length - 2) + b"\r\nc\r\n.\r\n"
        result = read([wire[n : n + size] for n in range(0, len(wire), size)], 100)
        assert result is not None
        assert result[2] == ("line" if length > 100 else "")


@given(st.lists(st.integers(0, 9), max_size=20), st.lists(st.integers(0, 150), max_size=9))
def test_line_limit_at_any_split(lengths: list[int], places: list[int]) -> None:
    """The longest line is measured right however it comes."""
    text = b"".join(b"a" * n + b"\r\n" for n in lengths)
    inspector = Inspector(8)
    for piece in cut(text, places):
        inspector.look(piece)
    assert inspector.long == any(n + 2 > 8 for n in lengths)


@given(WIRE, st.lists(st.integers(0, 120), max_size=9))
def test_stuffing_and_back(text: bytes, places: list[int]) -> None:
    """Dots doubled and undone again give the same bytes, in pieces as in one."""
    pieces = cut(text, places)
    stuffed = list(stuff_pieces(pieces))
    assert text == unstuff(stuffed)
    assert text == b"".join(unstuff_pieces(cut(b"".join(stuffed), places)))
    assert text == b"".join(unstuff_pieces(stuffed))
    assert b"\r\n.\r\n" not in b"\r\n" + b"".join(stuffed)


@given(WIRE)
def test_unstuffing_takes_one_dot_of_each_line(wire: bytes) -> None:
    """Only a dot behind a CRLF, or the very first, is taken."""
    lines = wire.split(b"\r\n")
    expected = b"\r\n".join(line.removeprefix(b".") for line in lines)
    assert expected == unstuff([wire])


@given(WIRE, st.lists(st.integers(0, 120), max_size=9))
def test_normalizing_makes_every_line_end_crlf(text: bytes, places: list[int]) -> None:
    """No bare CR or LF is left, no line is lost, and clean text stays as it is."""
    clean = b"".join(normalize_pieces(cut(text, places), stuffed=False))
    assert clean == normalize(text)
    rest = clean.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    marks = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert marks == clean.replace(b"\r\n", b"\n")
    assert clean == normalize(clean)


@given(WIRE, st.lists(st.integers(0, 120), max_size=9))
def test_normalizing_never_makes_an_end(wire: bytes, places: list[int]) -> None:
    """What was no end of data on its way in is none on its way out (T1.2): dots are made anew."""
    result = judge(wire + b"\r\n.\r\n")
    assert result is not None
    message = result[0]
    out = b"".join(normalize_pieces(cut(message, places), stuffed=True))
    assert b"\r\n.\r\n" not in b"\r\n" + out
    assert unstuff([out]) == normalize(unstuff([message]))


@pytest.mark.parametrize("unit", [b"\r\n", b"\r", b".", b"\r\n.a", b"a", b"\n", b"x" * 76 + b"\r\n"])
def test_twice_the_bytes_take_twice_the_time(unit: bytes) -> None:
    """Work is linear, whatever the bytes are."""

    def feed(wire: bytes) -> None:
        reader = DataReader(1 << 30)
        for at in range(0, len(wire), 16_384):
            reader.feed(wire[at : at + 16_384])

    assert_linear(lambda size: unit * (size // len(unit)), feed, 400_000)


def test_long_lines_are_measured_in_linear_time() -> None:
    """The search for a line that is too long never goes back far."""
    for unit in (b"a" * 1000 + b"\n", b"\n", b"a" * 70_000 + b"\n"):
        text = unit * (2_000_000 // len(unit))
        assert_cheap(2, long_in, text)
        assert long_in(text) == (len(unit) > 65_536)


def long_in(text: bytes) -> bool:
    """Say whether a line is too long in a text that comes in pieces."""
    inspector = Inspector(65_536)
    for at in range(0, len(text), 100_000):
        inspector.look(text[at : at + 100_000])
    return inspector.long
