"""What is only read stays as it is."""

from __future__ import annotations

import asyncio

from gatepost.store.memory import MemoryRecords, MemoryState
from gatepost.store.unwritten import UnwrittenRecords, UnwrittenState

PLACE = ("example.org", "p", "key")


def test_state() -> None:
    """Reads go through, writes go nowhere."""

    async def run() -> None:
        below = MemoryState()
        await below.put("known", b"1", 60)
        await below.add("count", 3, 60)
        state = UnwrittenState(below)
        await state.put("new", b"2", 60)
        await state.put("known", b"2", 60)
        await state.delete("known")
        assert (b"1", None) == (await state.get("known"), await state.get("new"))
        assert (5, 3) == (await state.add("count", 2, 60), await below.add("count", 0, 60))
        assert {"count": 3} == await state.sums("c")

    asyncio.run(run())


def test_records() -> None:
    """Records and counts alike."""

    async def run() -> None:
        below = MemoryRecords()
        await below.put(*PLACE, {"a": 1})
        held = await below.reserve(*PLACE, 2, 60)
        assert held is not None
        await below.settle(held, used=True)
        records = UnwrittenRecords(below)
        await records.put(*PLACE, 2)
        await records.delete(*PLACE)
        assert {"a": 1} == await records.get(*PLACE)
        assert [("key", {"a": 1})] == await records.list("example.org", "p")
        reservation = await records.reserve(*PLACE, 2, 60)
        assert reservation is not None
        await records.settle(reservation, used=True)
        assert (1, 1) == (await below.count(*PLACE), await records.count(*PLACE))
        assert await records.reserve(*PLACE, 1, 60) is None

    asyncio.run(run())
