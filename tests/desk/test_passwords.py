"""Passwords are argon2id, long enough, and hashed only some at a time."""

import threading

import pytest

from gatepost.desk import passwords
from gatepost.desk.errors import DeskError


def test_hash() -> None:
    """Its own password matches and no other; the same one twice is kept differently."""
    kept = passwords.hashed("correct horse")

    assert kept.startswith("$argon2id$")
    assert passwords.matches(kept, "correct horse")
    assert not passwords.matches(kept, "correct hors")
    assert kept != passwords.hashed("correct horse")


def test_what_is_no_hash_matches_nothing() -> None:
    """A damaged store lets nobody in (T9.1)."""
    for kept in ("", "plain", "$argon2id$v=19$m=8,t=1,p=1$x$y", "correct horse"):
        assert not passwords.matches(kept, "correct horse")
    assert not passwords.matches(passwords.nobodys(), "correct horse")
    assert not passwords.matches(passwords.nobodys(), "x" * 1_000_000)


@pytest.mark.parametrize("text", ["short", "x" * 1001, ""])
def test_no_password(text: str) -> None:
    """Too short or too long is refused before it costs anything."""
    with pytest.raises(DeskError, match="characters"):
        passwords.hashed(text)


def test_made() -> None:
    """A password that is made is good, and never the same."""
    made = {passwords.made() for _ in range(50)}

    assert 50 == len(made)
    assert all(len(one) == 19 for one in made)


def test_only_some_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would wait too long is told so; nobody's turn is lost."""
    monkeypatch.setattr(passwords, "WAIT", 0.05)
    monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(1))
    with passwords._turns, pytest.raises(passwords.Busy):
        passwords.hashed("correct horse")
    assert passwords.hashed("correct horse")
