"""What every store of state and records promises: one suite, run on memory and on SQLite."""

import pytest

from gatepost.store.base import Records, State
from tests.store.conftest import Clock


async def state_values(state: State, clock: Clock) -> None:
    """A value is there until it expires or is deleted."""
    assert await state.get("k") is None
    await state.put("k", b"one", 60)
    assert await state.get("k") == b"one"
    await state.put("k", b"two", 60)
    assert await state.get("k") == b"two"
    clock.now += 61
    assert await state.get("k") is None
    await state.put("k", b"three", 60)
    await state.delete("k")
    assert await state.get("k") is None


async def state_counts(state: State, clock: Clock) -> None:
    """Counts within a window: all of a burst, less and less of what slides out of it."""
    clock.now = 1_000_000.0 * 60
    assert [await state.add("k", 1, 60) for _ in range(3)] == [1, 2, 3]
    assert await state.add("k", 5, 60) == 8
    assert await state.add("other", 1, 60) == 1
    assert await state.add("k", 1, 600) == 1, "another window is another count"
    clock.now += 59
    assert await state.add("k", 0, 60) == 8
    clock.now += 31  # half of the next piece: half of what was before still counts
    assert await state.add("k", 0, 60) == 4
    assert await state.add("k", 2, 60) == 6
    clock.now += 120
    assert await state.add("k", 1, 60) == 1


async def state_sums(state: State, clock: Clock) -> None:
    """Counts by the beginning of their key, over all windows; what slid out of a window still counts here."""
    clock.now = 1_000_000.0 * 60
    await state.add("bill 1", 2, 60)
    clock.now += 61
    await state.add("bill 1", 3, 60)
    await state.add("bill 2", 1, 600)
    await state.add("bil", 9, 60)
    assert await state.sums("bill ") == {"bill 1": 5, "bill 2": 1}
    assert await state.sums("nothing") == {}


async def records(records: Records, _clock: Clock) -> None:
    """Records are per domain and check, listed by prefix."""
    assert await records.get("a.example", "p", "k") is None
    value = {"n": 1, "text": "ü'; DROP TABLE record", "list": [1, None, True]}
    await records.put("a.example", "p", "k1", value)
    await records.put("a.example", "p", "k2", 2)
    await records.put("a.example", "p", "l", 3)
    await records.put("a.example", "q", "k1", 4)
    await records.put("b.example", "p", "k1", 5)
    assert await records.get("a.example", "p", "k1") == value
    assert await records.list("a.example", "p") == [("k1", value), ("k2", 2), ("l", 3)]
    assert await records.list("a.example", "p", "k") == [("k1", value), ("k2", 2)]
    assert await records.list("a.example", "p", "k", 1) == [("k1", value)]
    assert await records.list("a.example", "p", "%") == []
    await records.delete("a.example", "p", "k1")
    assert await records.get("a.example", "p", "k1") is None
    assert await records.get("b.example", "p", "k1") == 5
    await records.put("b.example", "p", "k1", 6)
    assert await records.get("b.example", "p", "k1") == 6


async def reservations(records: Records, clock: Clock) -> None:
    """Never more than the limit; what is not used is given back; who dies gives back in time."""
    place = ("a.example", "counted_address", "word.2.ann")
    one = await records.reserve(*place, 2, 60)
    two = await records.reserve(*place, 2, 60)
    assert one is not None
    assert two is not None
    assert await records.reserve(*place, 2, 60) is None
    assert await records.reserve("b.example", *place[1:], 2, 60) is not None
    await records.settle(one, used=False)
    three = await records.reserve(*place, 2, 60)
    assert three is not None
    await records.settle(two, used=True)
    await records.settle(two, used=True)
    assert await records.count(*place) == 1, "settled twice is used once"
    assert await records.reserve(*place, 2, 60) is None
    clock.now += 61
    four = await records.reserve(*place, 2, 60)
    assert four is not None, "a lease ends"
    await records.settle(three, used=True, record={"made": 1})
    assert await records.get(*place) == {"made": 1}, "kept with the count that is used"
    await records.delete(*place)
    assert await records.count(*place) == 2, "a mail that was accepted late counts all the same"
    await records.settle(four, used=False, record={"never": "kept"})
    assert await records.get(*place) is None
    assert await records.reserve(*place, 2, 60) is None
    assert await records.reserve(*place, 0, 60) is None


STATE = [pytest.param(promise, id=promise.__name__) for promise in (state_values, state_counts, state_sums)]
RECORDS = [pytest.param(promise, id=promise.__name__) for promise in (records, reservations)]
