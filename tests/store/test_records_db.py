"""Records in SQLite: the contract, durability, and counts that hold across processes."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gatepost.store.base import StoreError
from gatepost.store.records_db import RecordsStore
from tests.store.conftest import Clock
from tests.store.contract import RECORDS


@pytest.mark.parametrize("promise", RECORDS)
def test_contract(
    promise: Callable[[RecordsStore, Clock], Awaitable[None]], tmp_path: Path, clock: Clock
) -> None:
    """Each promise of the contract."""
    asyncio.run(promise(RecordsStore(tmp_path / "records.db", clock=clock), clock))  # type: ignore[arg-type]


def test_the_last_one_lets_one_in(tmp_path: Path) -> None:
    """Eight processes want one of three counts at the same moment: three get one."""
    path = tmp_path / "records.db"
    RecordsStore(path).close()
    read, write = os.pipe()
    children = []
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            try:
                store = RecordsStore(path)
                held = asyncio.run(store.reserve("a.example", "p", "k", 3, 60))
                os.write(write, b"1" if held is not None else b"0")
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    os.close(write)
    assert sorted(os.read(read, 100)) == sorted(b"11100000")


def test_kept(tmp_path: Path) -> None:
    """What was kept is there for the next process; what is not JSON is refused."""
    path = tmp_path / "records.db"

    async def use() -> None:
        await RecordsStore(path).put("a.example", "p", "k", [1])
        assert await RecordsStore(path).get("a.example", "p", "k") == [1]
        with pytest.raises(StoreError, match="JSON"):
            await RecordsStore(path).put("a.example", "p", "k", {1})

    asyncio.run(use())


def test_uses_of_entries(tmp_path: Path, clock: Clock) -> None:
    """Counted in memory, written together, added up over processes."""
    one, two = (RecordsStore(tmp_path / "records.db", clock=clock) for _ in range(2))
    one.count_use(7)
    one.count_use(7)
    assert two.uses([7]) == {}
    one.flush()
    one.flush()
    clock.now += 5
    two.count_use(7)
    two.count_use(8)
    two.close()
    assert one.uses([7, 8, 9]) == {7: (3, clock.now), 8: (1, clock.now)}


def test_forget(tmp_path: Path) -> None:
    """A record goes with what was counted and held under its key; others stay."""

    async def use() -> None:
        store = RecordsStore(tmp_path / "records.db")
        for key in ("a", "b"):
            held = await store.reserve("d.example", "p", key, 9, 60)
            assert held is not None
            await store.settle(held, used=True, record=1)
            await store.reserve("d.example", "p", key, 2, 60)
        await store.forget("d.example", "p", "a")
        assert [("b", 1)] == await store.list("d.example", "p")
        assert [0, 1] == [await store.count("d.example", "p", key) for key in ("a", "b")]
        assert [True, False] == [
            await store.reserve("d.example", "p", key, 2, 60) is not None for key in ("a", "b")
        ]

    asyncio.run(use())


def test_copy(tmp_path: Path) -> None:
    """A copy has the records."""
    store = RecordsStore(tmp_path / "records.db")
    asyncio.run(store.put("a.example", "p", "k", 1))
    store.copy_to(tmp_path / "copy.db")
    assert asyncio.run(RecordsStore(tmp_path / "copy.db").get("a.example", "p", "k")) == 1


def test_domains(tmp_path: Path) -> None:
    """Domains are found by what a check keeps for them, and one is forgotten with its counts."""
    store = RecordsStore(tmp_path / "records.db")

    async def fill() -> None:
        for domain, plugin, key in (
            ("a.example", "x", "closed ann"),
            ("b.example", "x", "open ann"),
            ("c.example", "y", "closed ann"),
            ("d.example", "x", "closed"),
            ("e.example", "x", "closed zoe"),
        ):
            await store.put(domain, plugin, key, 1)
        for domain in ("a.example", "e.example"):
            held = await store.reserve(domain, "x", "n", 3, 60)
            assert held is not None
            await store.settle(held, used=True)
            assert await store.reserve(domain, "x", "n", 3, 60) is not None

    asyncio.run(fill())
    assert ["a.example", "e.example"] == store.domains_with("x", "closed ")
    assert ["a.example", "b.example", "d.example", "e.example"] == store.domains_with("x")
    assert [] == store.domains_with("z")
    assert 1 == store.forget_domain("a.example")
    assert ["e.example"] == store.domains_with("x", "closed ")
    assert (0, 1) == tuple(asyncio.run(store.count(name, "x", "n")) for name in ("a.example", "e.example"))
