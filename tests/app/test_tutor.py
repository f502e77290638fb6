"""Errands are done by the check that they are for; what fails waits, and holds up nobody else's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gatepost.app import tutor as module
from gatepost.app.tutor import Tutor
from gatepost.plugin.base import Plugin, PluginSettings
from gatepost.plugin.lesson import Lesson
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.policy.snapshot import PolicyUnavailable, Snapshot
from gatepost.store.errands import Errands
from gatepost.store.policy_db import PolicyStore


class Settings(PluginSettings):
    """One of the tests."""

    learn: bool = True
    """Learn."""

    @property
    def wants_lessons(self) -> bool:
        return self.learn


class Scholar(Plugin):
    """Learns, or fails as the test says."""

    settings = Settings

    def __init__(self) -> None:
        self.taught: list[tuple[str, bytes, bool]] = []
        self.fails: dict[str, BaseException] = {}
        self.asked = 0

    def rcpt(self, _ctx: Any) -> None:
        """Say nothing."""

    async def teach(self, lesson: Lesson[Settings]) -> None:
        """Write down, or fail."""
        self.asked += 1
        if lesson.domain in self.fails:
            raise self.fails[lesson.domain]
        self.taught.append((lesson.domain, lesson.raw, lesson.spam))


class House:
    """Two domains and somebody who learns."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_795_000_000.0
        self.scholar = Scholar()
        registry = Registry([("scholar", self.scholar, "test", "")])
        self.store = PolicyStore(folder / "policy.db")
        for name in ("a.test", "b.test"):
            self.store.add_domain(name, "smtp://127.0.0.1:1", {"scholar.mode": "on"})
        self.errands = Errands(folder / "learn", lambda: self.now)
        self.said: list[dict[str, Any]] = []
        self.registry = registry
        self.snapshot = Snapshot(1, self.store, registry.defaults())
        self.tutor = Tutor(
            self.errands, registry, Tools(), lambda: self.snapshot, lambda: self.now, self._log
        )

    def _log(self, event: str, level: str, **more: Any) -> None:
        self.said.append({"event": event, "level": level, **more})

    def round(self) -> int:
        """Do what is due."""
        return asyncio.run(self.tutor.round())


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Give one."""
    return House(tmp_path)


def test_done(house: House) -> None:
    """Each once, in order."""
    for n in range(3):
        house.errands.put("a.test", "scholar", b"%d" % n, spam=n != 1)
    assert 3 == house.round()
    assert [("a.test", b"0", True), ("a.test", b"1", False), ("a.test", b"2", True)] == house.scholar.taught
    assert (0, []) == (house.round(), house.errands.paths())


def test_failed(house: House) -> None:
    """It waits with what went wrong; the same filter is left alone in this round, others are not."""
    house.scholar.fails["a.test"] = OSError(111, "Connection refused")
    for domain in ("a.test", "a.test", "b.test"):
        house.errands.put(domain, "scholar", domain.encode(), spam=True)
    assert 1 == house.round()
    assert 2 == house.scholar.asked
    first, second = house.errands.of_domain("a.test")
    assert (1, 0) == (first.tries, second.tries)
    assert "Connection refused" in first.last
    assert ("not_taught", "warning", "a.test") == tuple(
        house.said[0][k] for k in ("event", "level", "domain")
    )
    assert 0 == house.round()
    assert 3 == house.scholar.asked, "the second one, then it is tired again"
    house.scholar.fails.clear()
    house.now += 60
    assert 2 == house.round()
    assert [] == house.errands.paths()


def test_given_up(house: House) -> None:
    """After three days; a week later it is forgotten."""
    house.scholar.fails["a.test"] = OSError("no")
    house.errands.put("a.test", "scholar", b"x", spam=True)
    house.now += 3 * 86_400
    house.round()
    (one,) = house.errands.of_domain("a.test")
    assert one.given_up
    assert house.said[-1]["given_up"]
    house.round()
    assert 1 == house.scholar.asked
    house.now += 8 * 86_400
    house.round()
    assert [] == house.errands.paths()


def test_nobody_wants_it_any_more(house: House) -> None:
    """The domain is gone, the check off, told not to learn, or gone."""
    house.store.add_domain("off.test", "smtp://127.0.0.1:1", {"scholar.mode": "off"})
    house.store.add_domain("no.test", "smtp://127.0.0.1:1", {"scholar.mode": "on", "scholar.learn": False})
    house.snapshot = Snapshot(2, house.store, house.registry.defaults())
    for domain in ("gone.test", "off.test", "no.test"):
        house.errands.put(domain, "scholar", b"x", spam=True)
    house.errands.put("a.test", "gone", b"x", spam=True)
    house.round()
    assert (0, []) == (house.scholar.asked, house.errands.paths())


def test_a_slow_one_and_no_policy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time limit; and what cannot be read now is no reason to forget."""
    monkeypatch.setattr(module, "SECONDS", 0.05)

    async def slow(_lesson: Any) -> None:
        await asyncio.sleep(5)

    monkeypatch.setattr(house.scholar, "teach", slow)
    house.errands.put("a.test", "scholar", b"x", spam=True)
    house.round()
    assert "no answer within 0.05 s" == house.errands.of_domain("a.test")[0].last
    house.now += 60

    def unread(_domain: str) -> None:
        raise PolicyUnavailable("damaged")

    class Unread:
        policy_for = staticmethod(unread)

    house.snapshot = Unread()  # type: ignore[assignment]
    house.round()
    assert "the policy cannot be read: damaged" == house.errands.of_domain("a.test")[0].last


def test_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on behind a fault of the disk."""
    monkeypatch.setattr(module, "ROUND", 0.01)
    real = house.errands.paths
    count = 0

    def broken() -> list[Path]:
        nonlocal count
        count += 1
        if count == 1:
            raise OSError("the disk")
        return real()

    monkeypatch.setattr(house.errands, "paths", broken)
    house.errands.put("a.test", "scholar", b"x", spam=True)

    async def until_done() -> None:
        task = asyncio.create_task(house.tutor.run())
        while not house.scholar.taught:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(until_done(), 60))
    assert "the disk" == house.said[0]["why"]
