"""The keeper's watch: an alarm begins, is told once, ends, is told to be over; and outlives the keeper."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gatepost.app import alarms as watch
from gatepost.app.alarm_ways import Undelivered
from gatepost.app.alarms import Alarms
from gatepost.config import load as load_config
from gatepost.desk import alarm_book, troubles
from gatepost.desk.alarm_words import Notice
from gatepost.desk.alarms import Trouble
from gatepost.plugin.registry import load
from gatepost.telemetry.conditions import Conditions
from gatepost.telemetry.log import Log

CLAMD = "127.0.0.1:3310"


class Told:
    """Stands for the ways: who was told what, or that nobody can be."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.down = ""

    async def send(self, way: str, notices: Sequence[Notice], _now: float) -> None:
        """Take it."""
        if self.down:
            raise Undelivered(self.down)
        self.said += [(way, one.what, one.alarm.key if one.alarm else "") for one in notices]


class House:
    """A keeper's watch over a folder where the test is the worker."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_795_000_000.0
        self.folder = folder
        said = {
            "hostname": "mx.test",
            "data_dir": str(folder / "data"),
            "plugins.folder": str(folder / "plugins"),
            "archive.min_free": "0",
            "alarms.webhook": "http://x.example/",
            "alarms.after": "30",
            "alarms.repeat": "7200",
        }
        self.config = load_config(None, {}, overrides=said, search=())
        self.run = folder / "data" / "run"
        self.run.mkdir(parents=True)
        self.log = folder / "log"
        self.told = Told()
        self.seen = Conditions()
        self.keeper = self.new_keeper()

    def new_keeper(self) -> Alarms:
        """Return the watch of a keeper that just came."""
        log = Log(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        registry = load(self.config.plugins.folder)
        return Alarms(self.config, registry, self.told, log, lambda: self.now)  # type: ignore[arg-type]

    def look(self, seconds: float = 0.0) -> list[tuple[str, str, str]]:
        """Let time pass, look, tell; return what was told."""
        self.now += seconds
        self.seen.write(self.run / "conditions-w0.json", self.now)
        self.keeper.take(self.keeper.look())
        before = len(self.told.said)
        asyncio.run(self.keeper.tell("webhook"))
        return self.told.said[before:]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return one."""
    made = House(tmp_path)
    yield made
    made.keeper.close()


def test_from_the_beginning_to_the_end(house: House) -> None:
    """Told once when it has lasted, again after the time to repeat, and once that it is over."""
    assert [] == house.look()
    house.seen.ill("scanner", CLAMD, "refused", house.now)
    assert [] == house.look(10)
    assert [("webhook", "begin", f"scanner:{CLAMD}")] == house.look(30)
    house.seen.ill("scanner", CLAMD, "refused", house.now)
    assert [] == house.look(3600)
    assert [("webhook", "again", f"scanner:{CLAMD}")] == house.look(3600)
    house.seen.well("scanner", CLAMD, house.now + 5)
    assert [("webhook", "over", f"scanner:{CLAMD}")] == house.look(10)
    assert [] == house.look(86_400)
    log = house.log.read_text()
    assert 1 == log.count("event=alarm ")
    assert 1 == log.count("event=alarm_over ")


def test_outlives_the_keeper_and_the_worker(house: House) -> None:
    """A keeper that just came tells it no second time; a worker that just came is no end of it."""
    house.seen.ill("scanner", CLAMD, "refused", house.now)
    assert 1 == len(house.look(40))
    house.keeper.close()
    house.keeper = house.new_keeper()
    assert [] == house.look(5)
    house.seen.reset()
    assert [] == house.look(5)
    house.seen.well("scanner", CLAMD, house.now)
    assert ["over"] == [what for _, what, _ in house.look(5)]


def test_nobody_can_be_told(house: House) -> None:
    """It is known to the console, told when the way works, and said once in the log."""
    house.told.down = "the webhook answered 500"
    house.seen.ill("scanner", CLAMD, "refused", house.now)
    for _ in range(3):
        assert [] == house.look(40)
    assert {"webhook": "the webhook answered 500"} == alarm_book.ways_that_fail(house.keeper._open())
    assert 1 == house.log.read_text().count("event=alarm_not_told")
    house.told.down = ""
    assert ["begin"] == [what for _, what, _ in house.look(5)]
    assert {} == alarm_book.ways_that_fail(house.keeper._open())


def test_a_plugin_that_does_not_load(house: House) -> None:
    """Is an alarm until it loads at HUP."""
    plugins = house.folder / "plugins"
    plugins.mkdir()
    (plugins / "broken.py").write_text("raise ValueError('no')\n")
    house.keeper.reload()
    assert [("webhook", "begin", "check:broken")] == house.look()
    (plugins / "broken.py").unlink()
    house.keeper.reload()
    assert [("webhook", "over", "check:broken")] == house.look(5)


def test_slow_looks_are_rare(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What costs more is looked at once a minute."""
    looks: list[int] = []

    def held(*_: object) -> list[Trouble]:
        looks.append(1)
        return []

    monkeypatch.setattr(troubles, "held", held)
    for _ in range(30):
        house.look(4)
    assert 2 == len(looks)


def test_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that fails is said once and is not the last; a way that hangs holds up no look."""
    for name in ("LOOK", "SEND", "RETRY"):
        monkeypatch.setattr(watch, name, 0.01)
    house.seen.ill("scanner", CLAMD, "refused", house.now)
    house.seen.write(house.run / "conditions-w0.json", house.now)
    house.now += 40
    looks: list[int] = []
    real = house.keeper.look

    def look() -> watch.Look:
        looks.append(1)
        if len(looks) < 4:
            raise OSError(28, "No space left on device")
        return real()

    monkeypatch.setattr(house.keeper, "look", look)
    hangs = asyncio.Event()

    async def send(*_: object) -> None:
        hangs.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(house.told, "send", send)

    async def go() -> None:
        running = asyncio.ensure_future(house.keeper.run())
        await asyncio.wait_for(hangs.wait(), 30)
        before = len(looks)
        while len(looks) < before + 3:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(go(), 60))
    log = house.log.read_text()
    assert 1 == log.count("No space left on device")
    assert 1 == log.count("the watch goes on")
