"""A desk opens what is used and nothing else, and closes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.desk.desk import Desk
from gatepost.store.base import StoreError


def test_opens_what_is_used(tmp_path: Path) -> None:
    """Looking at the policy makes no journal and no archive."""
    with Desk(tmp_path, "ann") as desk:
        assert desk.policy.version() == 0
        assert {p.name.partition("-")[0] for p in tmp_path.iterdir()} == {"policy.db"}
        policy = desk.policy
    with pytest.raises((StoreError, Exception), match="closed"):
        policy.version()


def test_places(tmp_path: Path) -> None:
    """Queue and archive lie where the server has them."""
    with Desk(tmp_path, "ann") as desk:
        assert desk.queue.directory == tmp_path / "spool"
        assert desk.archive.directory == tmp_path / "archive"
