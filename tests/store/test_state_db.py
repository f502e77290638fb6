"""State in SQLite: the contract, several processes, and databases that fail."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gatepost.store import state_db
from gatepost.store.base import StoreError
from gatepost.store.state_db import StateStore
from tests.store.conftest import Clock
from tests.store.contract import STATE


@pytest.mark.parametrize("promise", STATE)
def test_contract(
    promise: Callable[[StateStore, Clock], Awaitable[None]], tmp_path: Path, clock: Clock
) -> None:
    """Each promise of the contract."""
    asyncio.run(promise(StateStore(tmp_path / "state.db", clock=clock), clock))  # type: ignore[arg-type]


@pytest.mark.parametrize("promise", STATE)
def test_contract_with_a_flush_each_time(
    promise: Callable[[StateStore, Clock], Awaitable[None]], tmp_path: Path, clock: Clock
) -> None:
    """The same when every change is written and read back."""

    class Eager(StateStore):
        async def put(self, key: str, value: bytes, expires: float) -> None:
            await super().put(key, value, expires)
            self.flush()
            self._values.clear()

        async def add(self, key: str, n: int, window: float) -> int:
            count = await super().add(key, n, window)
            self.flush()
            self._counts.clear()
            return count

    asyncio.run(promise(Eager(tmp_path / "state.db", clock=clock), clock))  # type: ignore[arg-type]


def test_never_suspends(tmp_path: Path) -> None:
    """A coroutine of the store ends at once: it can be driven without a loop."""
    store = StateStore(tmp_path / "state.db")
    for call in (store.put("k", b"v", 60), store.get("k"), store.add("c", 1, 60), store.delete("k")):
        with pytest.raises(StopIteration):
            call.send(None)


def test_two_processes(tmp_path: Path, clock: Clock) -> None:
    """Values and counts of one are seen by the other after both have flushed."""
    one, two = (StateStore(tmp_path / "state.db", clock=clock) for _ in range(2))

    async def use() -> None:
        clock.now = 1_000_000.0 * 60
        await one.put("k", b"one", 60)
        await one.add("c", 3, 60)
        assert await two.add("c", 4, 60) == 4
        one.flush()
        two.flush()
        assert await two.get("k") == b"one"
        assert await two.add("c", 1, 60) == 8
        two.flush()
        one.flush()
        assert await one.add("c", 0, 60) == 8
        await two.put("k", b"two", 60)
        two.flush()
        one.flush()
        assert await one.get("k") == b"two"
        await one.delete("k")
        one.flush()
        two.flush()
        assert await two.get("k") is None

    asyncio.run(use())


def test_absent_until_another_writes(tmp_path: Path, clock: Clock) -> None:
    """That there is no value is remembered too, until another process has written one."""
    one, other = (StateStore(tmp_path / "state.db", clock=clock) for _ in range(2))
    assert [None, None] == [asyncio.run(one.get("k")), asyncio.run(one.get("k"))]
    asyncio.run(other.put("k", b"v", 60))
    other.flush()
    one.flush()
    assert b"v" == asyncio.run(one.get("k"))
    asyncio.run(one.delete("k"))
    assert asyncio.run(one.get("k")) is None
    asyncio.run(one.put("k", b"w", 60))
    assert b"w" == asyncio.run(one.get("k"))


def test_kept_over_a_restart(tmp_path: Path, clock: Clock) -> None:
    """What was flushed is there after a restart, also counts of the piece before."""

    async def use() -> None:
        clock.now = 1_000_000.0 * 60
        store = StateStore(tmp_path / "state.db", clock=clock)
        await store.put("k", b"v", 1000)
        await store.add("c", 6, 60)
        store.close()
        clock.now += 90
        store = StateStore(tmp_path / "state.db", clock=clock)
        assert await store.get("k") == b"v"
        assert await store.add("c", 0, 60) == 3

    asyncio.run(use())


def test_locked(tmp_path: Path, clock: Clock) -> None:
    """While the file is locked counting goes on in memory; afterwards nothing is missing."""
    path = tmp_path / "state.db"
    store = StateStore(path, clock=clock, wait=0.01)

    async def use() -> None:
        clock.now = 1_000_000.0 * 60
        await store.add("c", 1, 60)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.flush()
        assert "locked" in store.trouble
        assert await store.add("c", 1, 60) == 2
        await store.put("k", b"v", 60)
        assert await store.get("k") == b"v"
        other.execute("ROLLBACK")
        store.flush()
        assert store.trouble == ""
        assert await StateStore(path, clock=clock).add("c", 0, 60) == 2

    asyncio.run(use())


def test_damaged_at_start(tmp_path: Path) -> None:
    """The file is put aside and a new one begun."""
    path = tmp_path / "state.db"
    path.write_bytes(b"x" * 9000)
    store = StateStore(path)
    asyncio.run(store.put("k", b"v", 60))
    store.close()
    assert path.with_name("state.db.damaged").exists()
    assert asyncio.run(StateStore(path).get("k")) == b"v"


def test_unreadable(tmp_path: Path) -> None:
    """What cannot be read is an error of ours, and the check that asked follows its on_failure."""
    store = StateStore(tmp_path / "state.db")
    store._db.close()
    with pytest.raises(StoreError):
        asyncio.run(store.get("k"))
    with pytest.raises(StoreError):
        asyncio.run(store.add("k", 1, 60))
    store.flush()
    assert store.trouble


def test_bounded(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million keys do not fill the memory; when nothing can be written, what is too much is counted."""
    monkeypatch.setattr(state_db, "MAX_KEYS", 20)
    store = StateStore(tmp_path / "state.db", clock=clock, wait=0.01)

    async def use() -> None:
        for n in range(200):
            await store.put(f"k{n}", b"v", 60)
            await store.add(f"c{n}", 1, 60)
            await store.get(f"k{n // 2}")
        held = [len(store._values), len(store._dirty), len(store._counts), len(store._more)]
        assert max(held) <= 21
        assert await store.get("k3") == b"v"
        assert store.lost == 0
        other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for n in range(100):
            await store.put(f"x{n}", b"v", 60)
        assert store.lost > 0
        other.execute("ROLLBACK")

    asyncio.run(use())


def test_purge(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has expired leaves the file, a few rows at a time."""
    monkeypatch.setattr(state_db, "PURGE_ROWS", 10)
    store = StateStore(tmp_path / "state.db", clock=clock)

    async def use() -> None:
        for n in range(35):
            await store.put(f"k{n:02}", b"v", 60 if n % 2 else 6000)
            await store.add(f"c{n:02}", 1, 60)
        store.flush()
        clock.now += 600
        for _ in range(8):
            store.flush()
            clock.now += state_db.PURGE_EVERY

    asyncio.run(use())
    db = store._db
    assert db.execute("SELECT count(*) FROM value").fetchone() == (18,)
    assert db.execute("SELECT count(*) FROM count").fetchone() == (0,)


def test_grouped(tmp_path: Path, clock: Clock) -> None:
    """Ten thousand first-seen triplets and their counts are one transaction; a look at a count is none."""
    state = StateStore(tmp_path / "state.db", clock=clock)
    said: list[str] = []
    state._db.set_trace_callback(said.append)

    async def storm() -> None:
        for n in range(10_000):
            await state.put(f"triplet {n}", b"1", 60)
            await state.add("first", 1, 60)

    asyncio.run(storm())
    assert not [line for line in said if line.startswith(("BEGIN", "COMMIT", "INSERT"))]
    state.flush()
    assert 1 == sum(line.startswith("BEGIN") for line in said)
    assert 10_000 == asyncio.run(state.add("first", 0, 60))
    said.clear()
    state.flush()
    assert not [line for line in said if line.startswith(("BEGIN", "INSERT"))]


def test_purge_after_an_attack(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an attack left behind goes in steps that follow at once, while most of what is seen is old."""
    monkeypatch.setattr(state_db, "PURGE_ROWS", 10)
    monkeypatch.setattr(state_db, "PURGE_MORE", 3)
    state = StateStore(tmp_path / "state.db", clock=clock)

    async def attack() -> None:
        for n in range(100):
            await state.put(f"triplet {n:03}", b"1", 60)

    def left() -> int:
        return int(state._db.execute("SELECT count(*) FROM value").fetchone()[0])

    asyncio.run(attack())
    state.flush()
    clock.now += 61 + state_db.PURGE_EVERY
    state.flush()
    assert 70 == left()
    clock.now += state_db.PURGE_EVERY
    state.flush()
    assert 40 == left()


def test_forget(tmp_path: Path, clock: Clock) -> None:
    """All of one owner in all checks, also what another process wrote; names that hold its name stay."""
    one, two = (StateStore(tmp_path / "state.db", clock=clock) for _ in range(2))

    async def both(store: StateStore, owner: str) -> tuple[bytes | None, int]:
        return await store.get(f"greylist\x1f{owner}\x1fa\x1fb"), await store.add(
            f"x\x1f{owner}\x1fn", 0, 99.0
        )

    async def story() -> None:
        owners = ("example.org", "an.example.org", "example.org.uk", "*")
        for owner in owners:
            await one.put(f"greylist\x1f{owner}\x1fa\x1fb", b"1", 99.0)
            await one.put(f"other\x1f{owner}\x1fexample.org\x1f", b"1", 99.0)
            await one.add(f"x\x1f{owner}\x1fn", 3, 99.0)
        one.flush()
        two.flush()
        assert (b"1", 3) == await both(two, "example.org")
        assert 3 == two.forget("example.org")
        one.flush()
        for store in (one, two):
            assert (None, 0) == await both(store, "example.org")
            for owner in owners[1:]:
                assert (b"1", 3) == await both(store, owner)
                assert b"1" == await store.get(f"other\x1f{owner}\x1fexample.org\x1f")

    asyncio.run(story())
