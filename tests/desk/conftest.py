"""A desk over real stores in a directory of its own, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.desk import domains
from gatepost.desk.desk import Desk

NOW = 1_795_000_000.0


class Clock:
    """The time is what the test says."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The desk's clock."""
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """A desk with the domain example.org, whose mail goes to a Maildir."""
    made = Desk(
        tmp_path / "data",
        "ann",
        plugin_folder=tmp_path / "plugins",
        doors=[("127.0.0.1", 2525)],
        dns_servers=["127.0.0.1:1"],
        dns_timeout=0.2,
        hostname="mx.example.org",
        clock=clock,
    )
    with made:
        domains.add(made, "example.org", [f"maildir://{tmp_path}/mail/%u"])
        yield made
