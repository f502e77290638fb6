"""The keeper listens to silence again and again, and a fault is said once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gatepost.app import silences
from gatepost.app.silences import Silences
from gatepost.config import load as load_config
from gatepost.config.desks import desk_from
from gatepost.desk import domains, training
from gatepost.plugin.registry import load
from gatepost.telemetry.log import Log
from tests.desk.conftest import NOW
from tests.desk.test_silence import deliver, set_up
from tests.plugins.test_classifier import ham_mail


class House:
    """A domain that learns from silence."""

    def __init__(self, folder: Path) -> None:
        said = {"hostname": "mx.test", "data_dir": str(folder / "data")}
        self.config = load_config(None, {}, overrides=said, search=())
        self.log = folder / "log"
        log = Log(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        self.silences = Silences(self.config, load(None), log, lambda: NOW)
        self.desk = desk_from(self.config, "test", clock=lambda: NOW)
        domains.add(self.desk, "example.org", ["maildir:///nowhere/%u"])


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return one."""
    return House(tmp_path)


def test_look(house: House) -> None:
    """Nothing where nothing was delivered; else a day at a time, written down."""
    assert 0 == house.silences.look()
    set_up(house.desk)
    deliver(house.desk, ham_mail(50), 1)
    counts = [house.silences.look() for _ in range(15)]
    assert 1 == sum(counts)
    assert "silence domains=1 learnt=1" in house.log.read_text()
    assert (2, 2) == training.counts(house.desk, "example.org")


def test_what_is_old_goes(house: House) -> None:
    """Features of delivered mail after 14 days."""
    deliver(house.desk, ham_mail(50), 1, at=NOW - 15 * 86_400)
    deliver(house.desk, ham_mail(51), 2, at=NOW - 13 * 86_400)
    house.silences.look()
    kept = house.desk.delivered
    assert kept.find("example.org", "ID1.1") is None
    assert kept.find("example.org", "ID2.1") is not None


def test_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is said once and is not the end."""
    monkeypatch.setattr(silences, "LOOK", 0.01)
    looks = 0

    def look() -> int:
        nonlocal looks
        looks += 1
        if looks < 4:
            raise OSError(28, "No space left on device")
        return 0

    monkeypatch.setattr(house.silences, "look", look)

    async def some() -> None:
        task = asyncio.create_task(house.silences.run())
        while looks < 6:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(some(), 60))
    said = house.log.read_text()
    assert (1, 1) == (said.count("No space left"), said.count("it is listened to again"))
