"""A reply goes over the wire as lines of printable ASCII that the sender cannot have shaped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.reply import MAX_LINE, Reply, visible


@pytest.mark.parametrize(
    ("reply", "wire"),
    [
        (Reply(250, "2.1.0", "Sender ok"), b"250 2.1.0 Sender ok\r\n"),
        (Reply(354, "", "Go ahead"), b"354 Go ahead\r\n"),
        (Reply(550, "5.7.1", "one\ntwo"), b"550-5.7.1 one\r\n550 5.7.1 two\r\n"),
        (Reply(550, "5.7.1", "a\r\nb\0"), b"550-5.7.1 a?\r\n550 5.7.1 b?\r\n"),
        (Reply(550, "5.7.1", "jörg"), b"550 5.7.1 j?rg\r\n"),
        (Reply(220, "", ""), b"220 \r\n"),
    ],
)
def test_table(reply: Reply, wire: bytes) -> None:
    """Examples; said twice it is the same."""
    assert wire == reply.wire()
    assert wire == reply.wire()


@given(st.text(max_size=600))
def test_no_text_breaks_the_line(text: str) -> None:
    """Every line has its code, is printable and within its bound."""
    lines = Reply(550, "5.7.1", text).wire().split(b"\r\n")
    assert lines.pop() == b""
    assert len(lines) == text.count("\n") + 1
    for number, line in enumerate(lines):
        assert line.startswith(b"550 5.7.1 " if number == len(lines) - 1 else b"550-5.7.1 ")
        assert line.decode("ascii").isprintable()
        assert len(line) <= MAX_LINE + 10


def test_values() -> None:
    """Replies are values: equal when they say the same, unchanged, classed by their code."""
    said = Reply(550, "5.1.1", "No such user")
    said.wire()
    assert said == Reply(550, "5.1.1", "No such user")
    assert hash(said) == hash(Reply(550, "5.1.1", "No such user"))
    assert said.permanent
    assert not said.positive
    assert Reply(354, "", "Go").positive
    assert not Reply(451, "4.3.0", "Later").permanent
    with pytest.raises(AttributeError):
        said.code = 250  # type: ignore[misc]
    assert replace(said, code=551).wire() == b"551 5.1.1 No such user\r\n"


def test_with_id() -> None:
    """The id stands behind the text, and what closes still closes."""
    reply = Reply(554, "5.7.1", "Refused", close=True).with_id("0DQ3N7V5K2F8T")
    assert reply == Reply(554, "5.7.1", "Refused (0DQ3N7V5K2F8T)", close=True)


def test_visible() -> None:
    """What is too long is cut, and the cut is marked."""
    assert visible("a" * MAX_LINE) == "a" * MAX_LINE
    assert visible("a" * (MAX_LINE + 1)) == "a" * (MAX_LINE - 3) + "..."
