"""The signed id: holds for one id, domain and recipient, and is found in whatever text it stands."""

from __future__ import annotations

import pytest

from gatepost.mail.message import Message
from gatepost.mail.stamp import EVERYBODY, Stamp, holds, in_text, key_of, key_of_id, make, read
from tests.cost import assert_cheap

SECRET = b"s" * 32
ID = "0DQ3N7V5K2F8T.1"
VALUE = make(SECRET, ID, "example.org", "Ann@example.org")


def test_holds() -> None:
    """For its domain and recipient, in any case; for nothing else."""
    found = read(VALUE)
    assert found is not None
    assert ID == found.id
    assert holds(found, SECRET, "example.org", ["bob@example.org", "ann@example.org"])
    assert not holds(found, SECRET, "example.net", ["ann@example.org"])
    assert not holds(found, SECRET, "example.org", ["bob@example.org"])
    assert not holds(found._replace(id="0DQ3N7V5K2F8T.2"), SECRET, "example.org", ["ann@example.org"])
    assert not holds(found, b"t" * 32, "example.org", ["ann@example.org"])
    several = read(make(SECRET, ID, "example.org", EVERYBODY))
    assert several is not None
    assert holds(several, SECRET, "example.org", [])
    assert not holds(several, SECRET, "example.net", [])


@pytest.mark.parametrize(
    "value", ["", ID, f"{ID};", f"{ID}; s=short", f"{VALUE}x", f"{ID}/..; s=" + "a" * 22, "x" * 10_000]
)
def test_what_is_none(value: str) -> None:
    """A value that is cut, longer or otherwise."""
    assert read(value) is None


@pytest.mark.parametrize("before", ["", "> ", "> > ", "\t", "| "])
def test_in_text(before: str) -> None:
    """A program that forwards all headers puts it on a line of its own."""
    text = f"see\r\n{before}From: x\r\n{before}x-gatepost-id: {VALUE}\r\n{before}\r\nhello"
    assert [read(VALUE)] == in_text(text)
    assert [] == in_text(f"not at the start X-Gatepost-Id: {VALUE}")


def test_in_text_is_bounded_and_linear() -> None:
    """Five at most, and a hostile text takes no time."""
    assert 5 == len(in_text(f"X-Gatepost-Id: {VALUE}\n" * 50))
    for hostile in ("> " * 100_000, "X-Gatepost-Id:" + " " * 200_000, "X-Gatepost-Id: A\n" * 20_000):
        assert [] == in_text(hostile)
        assert_cheap(0.5, in_text, hostile)


def test_key_of() -> None:
    """The Message-ID makes a message the same one; without one its bytes do."""
    with_id = Message(b"Message-ID: <1@x>\r\n\r\n", b"Message-ID: <1@x>\r\n\r\nhello")
    other = Message(b"Subject: a\r\nMessage-ID:  <1@x>\r\n\r\n", b"...")
    assert key_of(with_id) == key_of(other) == key_of_id("<1@x>")
    assert key_of(Message(b"\r\n", b"\r\na")) != key_of(Message(b"\r\n", b"\r\nb"))
    assert isinstance(read(VALUE), Stamp)
