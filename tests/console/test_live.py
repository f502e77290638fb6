"""The live journal: new rows come by themselves, streams are bounded, and all end when they should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gatepost.console import live
from gatepost.console.live import Live, event
from gatepost.store.base import OutcomeRow
from gatepost.store.journal_search import Question


def row(seq: int) -> OutcomeRow:
    """Return some row."""
    return OutcomeRow(
        seq, f"I{seq}.1", 0.0, "a.example", "u@a.example", "", "192.0.2.1", "accepted", "", "", 250, 0, 0,
        "", "", None, 0.0,
    )  # fmt: skip


class Journal:
    """A journal that grows by one row at each look."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def look(self, asked: Question) -> tuple[int, list[OutcomeRow]]:
        """Give one more row."""
        self.asked.append(asked)
        newest = 10 + len(self.asked)
        return newest, [row(n) for n in range(newest, asked.behind or newest - 1, -1)]


def shown(rows: list[OutcomeRow]) -> str:
    """Write rows."""
    return "".join(f"<tr>{one.id}\n" for one in rows)


def run(scenario: Callable[[Live], Any], monkeypatch: pytest.MonkeyPatch) -> Live:
    """Run it with looks that follow each other at once."""
    monkeypatch.setattr(live, "LOOK", 0.0)
    made = Live()
    asyncio.run(scenario(made))
    return made


def test_rows_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is new, each once, and the cursor goes along."""
    journal = Journal()

    async def scenario(streams: Live) -> None:
        stream = streams.stream("ann", Question(["a.example"]), journal.look, shown, lambda: True)
        got = [await anext(stream) for _ in range(3)]
        assert [b": here\n\n", b"id: 12\ndata: <tr>I12.1\n\n", b"id: 13\ndata: <tr>I13.1\n\n"] == got
        assert not streams._closed.is_set()
        await stream.aclose()

    made = run(scenario, monkeypatch)
    assert [None, 11, 12] == [one.behind for one in journal.asked]
    assert {tuple(one.domains or ()) for one in journal.asked} == {("a.example",)}
    assert {} == made._open


def test_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing ends every stream at once, however long the next look would be; none begins afterwards."""

    async def scenario(streams: Live) -> None:
        monkeypatch.setattr(live, "LOOK", 3600.0)
        stream = streams.stream("ann", Question(), Journal().look, shown, lambda: True)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        streams.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(waiting, 5)
        assert not streams.room("eve")

    assert {} == run(scenario, monkeypatch)._open


def test_a_session_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream does not outlive the session, or the rights, that it began with."""
    monkeypatch.setattr(live, "STILL_THERE", 3)
    left = [True, False]

    async def scenario(streams: Live) -> None:
        stream = streams.stream("ann", Question(), lambda _: (0, []), shown, lambda: left.pop(0))
        assert [b": here\n\n", b": still here\n\n"] == [one async for one in stream]

    run(scenario, monkeypatch)
    assert [] == left


def test_bounded() -> None:
    """One person's streams, and all streams, have a limit."""
    streams = Live()
    streams._open["ann"] = live.MOST_EACH
    assert (False, True) == (streams.room("ann"), streams.room("eve"))
    streams._open["many"] = live.MOST
    assert not streams.room("eve")


def test_event() -> None:
    """No line break of a text ends the event or begins a field of its own."""
    assert b"id: 3\ndata: a\ndata: event: x\ndata: b\n\n" == event(
        "a\n\revent: x\n\n b".replace(" b", "b"), 3
    )
