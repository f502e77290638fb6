"""Databases in a temporary folder, and a clock that tests turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.store.policy_db import PolicyStore

HOSTILE = [
    "x'; DROP TABLE domain; --",
    'a"b',
    "a\\b",
    "%_%",
    "../../etc/passwd",
    "\u202egro.elpmaxe",
    "naïve🦊",
    "NULL",
]
"""What senders write, to be kept and found like anything else."""


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[PolicyStore]:
    """A policy with the domain example.org."""
    made = PolicyStore(tmp_path / "policy.db", clock=clock)
    made.add_domain("example.org", "smtp://127.0.0.1:2600", by="ann")
    yield made
    made.close()
