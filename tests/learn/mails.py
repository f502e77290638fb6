"""Small mails for the tests of this room."""

from __future__ import annotations

from gatepost.learn.features import Features, features
from gatepost.mail.message import Message, find_border

SEED = 7


def message(
    text: str, subject: str = "hello", more: str = "", author: str = "Ann <ann@example.net>"
) -> Message:
    """Return a mail."""
    head = f"From: {author}\r\nTo: bob@example.org\r\nSubject: {subject}\r\n{more}\r\n"
    raw = head.encode() + text.encode()
    return Message(raw[: find_border(raw)], raw)


def seen(text: str, subject: str = "hello", more: str = "") -> Features:
    """Return its features."""
    return features(message(text, subject, more), SEED)


def spam(number: int) -> Features:
    """Return one of many like it."""
    return seen(f"Cheap pills number {number}, buy now at http://pills{number}.example/", f"Offer {number}!")


def ham(number: int) -> Features:
    """Return one of many like it."""
    return seen(
        f"The meeting of project {number} is moved to Monday, see you there. Ann", f"Re: meeting {number}"
    )
