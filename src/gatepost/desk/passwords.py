"""Passwords: argon2id, a few at once.

One hash takes 64 MiB and a tenth of a second on purpose; so only some run at a time, and who would have
to wait long is told to come back. Otherwise guessing would be a way to take the machine's memory.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from gatepost.desk.errors import DeskError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")
AT_ONCE = 2
WAIT = 5.0
"""Seconds that a sign-in waits for its turn."""
SHORTEST, LONGEST = 10, 1_000
"""Characters."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of passwords that are made: nothing that looks like something else."""

_turns = threading.BoundedSemaphore(AT_ONCE)


class Busy(DeskError):
    """Too many sign in at once."""


def hashed(password: str) -> str:
    """Return what is kept of a password; DeskError where it is no good one."""
    if len(password) < SHORTEST:
        raise DeskError(f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise DeskError(f"a password has at most {LONGEST} characters")
    return _in_turn(lambda: _hasher().hash(password))


def matches(kept: str, password: str) -> bool:
    """Return whether it is this password; a hash that cannot be read matches nothing."""
    from argon2.exceptions import InvalidHashError, VerificationError

    def look() -> bool:
        try:
            return _hasher().verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    return len(password) <= LONGEST and _in_turn(look)


def made() -> str:
    """Return a new password for somebody: four groups of four, some 78 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


@cache
def nobodys() -> str:
    """Return a hash that nothing matches: a name that is not there takes as long as one that is."""
    return hashed(secrets.token_urlsafe(24))


def _in_turn(work: Callable[[], T]) -> T:
    if not _turns.acquire(timeout=WAIT):
        raise Busy("too many people sign in now; try again in a moment")
    try:
        return work()
    finally:
        _turns.release()


@cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ImportError as error:
        raise DeskError("argon2-cffi is missing: pip install 'gatepost[console]'") from error
    return PasswordHasher()
