"""The mark on released mail holds for one mail, one recipient and a while, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.spool.release import HEADER, body_hash, check_release, release_header

SECRET = b"s" * 32
MAIL = b"Subject: x\r\n\r\nHello\r\n.\r\nworld\r\n"
TO = "ann@example.org"


def made(secret: bytes = SECRET, to: str = TO, mail: bytes = MAIL, expires: int = 2000) -> str:
    header = release_header(secret, "0DQ3N7V5K2F8T.1", to, body_hash([mail]), expires).decode()
    assert all(len(line) <= 998 for line in header.split("\r\n"))
    assert header.endswith("\r\n")
    name, _, value = header.partition(":")
    assert HEADER == name
    return value.replace("\r\n", "")


def test_holds() -> None:
    """Same secret, recipient and body, in time."""
    found = check_release(SECRET, made(), TO, body_hash([MAIL]), 1999)
    assert found is not None
    assert ("0DQ3N7V5K2F8T.1", TO, 2000) == (found.id, found.recipient, found.expires)


def test_does_not_hold() -> None:
    """Another secret, recipient, body, or too late."""
    assert check_release(b"t" * 32, made(), TO, body_hash([MAIL]), 1999) is None
    assert check_release(SECRET, made(), "bob@example.org", body_hash([MAIL]), 1999) is None
    assert check_release(SECRET, made(), TO, body_hash([MAIL + b"spam\r\n"]), 1999) is None
    assert check_release(SECRET, made(), TO, body_hash([MAIL]), 2000) is None


@pytest.mark.parametrize("value", ["", "v=1", "v=1; x=9" * 1000, "s=\u00e9", "v=1;v=1", "x=" + "9" * 50])
def test_rubbish(value: str) -> None:
    """What is no mark does not hold, and raises nothing."""
    assert check_release(SECRET, value, TO, "", 0) is None


@given(st.text(max_size=300))
def test_any_text(value: str) -> None:
    """No text of a stranger holds or raises."""
    assert check_release(SECRET, value, TO, "", 0) is None


@given(st.integers(0, 200), st.sampled_from(["\x00", "A", "=", ";", "v", " "]))
def test_changed_by_one(place: int, letter: str) -> None:
    """Changing one character breaks it (or changes nothing that counts)."""
    value = made()
    place %= len(value)
    changed = value[:place] + letter + value[place + 1 :]
    found = check_release(SECRET, changed, TO, body_hash([MAIL]), 1999)
    assert found is None or found == check_release(SECRET, value, TO, body_hash([MAIL]), 1999)


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b".", b"\r\n\r\n"]), max_size=30),
    st.integers(0, 60),
)
def test_any_split(parts: list[bytes], place: int) -> None:
    """The hash does not depend on how the bytes were cut, nor on empty lines at the end."""
    mail = b"Subject: x\r\n\r\n" + b"".join(parts)
    place = min(place, len(mail))
    expected = body_hash([mail])
    assert expected == body_hash([mail[:place], mail[place:]])
    assert expected == body_hash([bytes([b]) for b in mail])
    assert expected == body_hash([mail, b"\r\n\r\n"])
