"""The keeper sends digests when a quarter of an hour begins, and a look that fails is not the last one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gatepost.app import digests
from gatepost.app.digests import Digests
from gatepost.config import load as load_config
from gatepost.config.desks import desk_from
from gatepost.desk import domains, recipients
from gatepost.plugin.registry import load
from gatepost.telemetry.log import Log
from tests.desk.test_archive import keep
from tests.desk.test_digest_post import SEVEN


class House:
    """A domain whose digest is due at seven, and the keeper's part that sends it."""

    def __init__(self, folder: Path) -> None:
        self.now = SEVEN + 3600
        self.version = 1
        said = {"hostname": "mx.test", "data_dir": str(folder / "data")}
        self.config = load_config(None, {}, overrides=said, search=())
        self.log = folder / "log"
        log = Log(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        self.digests = Digests(self.config, load(None), log, lambda: self.version, lambda: self.now)
        self.desk = desk_from(self.config, "test", clock=lambda: self.now)
        domains.add(self.desk, "example.org", ["maildir:///nowhere/%u"])
        recipients.add(self.desk, "example.org", ["ann"])

    def switch_on(self) -> None:
        """Let ann get one each day."""
        domains.set_values(self.desk, "example.org", {"digest": "daily", "digest.mailboxes": True})


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return one."""
    return House(tmp_path)


def test_look(house: House) -> None:
    """Nothing where nobody wants any; then one at the next moment, written down in the log."""
    assert 0 == house.digests.look()
    house.switch_on()
    assert 0 == house.digests.look()
    keep(house.desk)
    house.now += 86_400
    assert [1, 0] == [house.digests.look(), house.digests.look()]
    assert 1 == len(house.desk.queue)
    assert "digest domain=example.org to=ann@example.org mails=1" in house.log.read_text()


def test_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at once, in each quarter, at each version, and again after a fault, which is said once."""
    monkeypatch.setattr(digests, "LOOK", 0.01)
    monkeypatch.setattr(digests, "AGAIN", 0.01)
    looks: list[float] = []

    def look() -> int:
        looks.append(house.now)
        if 3 < len(looks) < 7:
            raise OSError(28, "No space left on device")
        return 0

    monkeypatch.setattr(house.digests, "look", look)

    async def until(number: int) -> None:
        while len(looks) < number:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert number == len(looks)

    async def go() -> None:
        running = asyncio.ensure_future(house.digests.run())
        async with asyncio.timeout(60):
            await until(1)
            house.now += 900
            await until(2)
            house.version += 1
            await until(3)
            house.now += 900
            await until(7)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(go())
    said = house.log.read_text()
    assert (1, 1) == (said.count("No space left"), said.count("they are sent again"))


def test_without_the_extra(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Babel is missing, who wants digests is told what to install; nobody else is."""
    monkeypatch.setitem(__import__("sys").modules, "gatepost.console.digest_mail", None)
    monkeypatch.delattr("gatepost.console.digest_mail", raising=False)
    assert 0 == house.digests.look()
    house.switch_on()
    with pytest.raises(RuntimeError, match=r"pip install 'gatepost\[console\]'"):
        house.digests.look()
