"""State and records in memory keep the promises of every store."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gatepost.store.memory import MemoryRecords, MemoryState
from tests.store.conftest import Clock
from tests.store.contract import RECORDS, STATE


@pytest.mark.parametrize("promise", STATE)
def test_state(promise: Callable[[MemoryState, Clock], Awaitable[None]], clock: Clock) -> None:
    """Each promise of the contract."""
    asyncio.run(promise(MemoryState(clock), clock))  # type: ignore[arg-type]


@pytest.mark.parametrize("promise", RECORDS)
def test_records(promise: Callable[[MemoryRecords, Clock], Awaitable[None]], clock: Clock) -> None:
    """Each promise of the contract."""
    asyncio.run(promise(MemoryRecords(clock), clock))  # type: ignore[arg-type]


def test_delete_forgets_counts_too(clock: Clock) -> None:
    """A key that is deleted starts anew."""
    state = MemoryState(clock)

    async def use() -> int:
        await state.add("k", 5, 60)
        await state.delete("k")
        return await state.add("k", 1, 60)

    assert asyncio.run(use()) == 1
