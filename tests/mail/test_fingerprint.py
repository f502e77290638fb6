"""A message that comes again is known again; another one is another one."""

from __future__ import annotations

import pytest

from gatepost.mail.fingerprint import BEGINNING, END, SIZE, fingerprint
from gatepost.mail.message import Message, find_border
from tests.cost import assert_cheap

MAIL = b"From: <ann@example.net>\r\nSubject: hi\r\n\r\nhello\r\n"
TRACE = b"Received: from a.example\r\n\tby b.example; Tue\r\nReturn-Path: <x@example.net>\r\n"
LONG = MAIL + b"x" * (2 * BEGINNING)


def of(raw: bytes, *, body: bool = True) -> bytes:
    head = raw[: find_border(raw)]
    return fingerprint(Message(head, raw if body else None))


def test_the_same() -> None:
    """Whatever way it took, a message has one fingerprint."""
    assert of(MAIL) == of(TRACE + MAIL) == of(TRACE + TRACE + MAIL)
    assert SIZE == len(of(MAIL))
    assert of(LONG) == of(TRACE + LONG)
    assert of(MAIL, body=False) == of(TRACE + MAIL, body=False)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"hi", b"ho"),
        MAIL.replace(b"hello", b"hullo"),
        MAIL + b"\r\n",
        b"X: y\r\n" + MAIL,
        MAIL.replace(b"hi", b"hi\r\n Received: x"),
        b"From: <ann@example.net>\r\n\r\n",
    ],
)
def test_another(other: bytes) -> None:
    """One byte more or less in what is not a trace is another message."""
    assert of(MAIL) != of(other)


def test_long() -> None:
    """Of a long message beginning, end and length count, so that 50 MB cost no more than one."""
    assert of(LONG) != of(LONG + b"x")
    assert of(LONG) != of(LONG[:-1] + b"y")
    middle = len(MAIL) + BEGINNING + END
    assert of(LONG) == of(LONG[:middle] + b"y" + LONG[middle + 1 :])
    raw = MAIL + b"x" * (50 << 20)
    border = find_border(raw)
    assert_cheap(0.05, lambda: fingerprint(Message(raw[:border], raw)))
