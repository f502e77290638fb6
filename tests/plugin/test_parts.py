"""The form of a message's parts: the same in this process and in another, and worked out once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.plugin.parts import LONG, Shape, in_worker, once


def test_in_worker() -> None:
    """Plain values, for a process that sends them back."""
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    assert (["no closing boundary"], 1, False) == in_worker(head, head + b"--b\r\n\r\nx")
    assert ([], 0, True) == in_worker(b"X: y\r\n\r\n", b"X: y\r\n\r\n\r\n")
    assert LONG > len(head)


def test_once() -> None:
    """Who asks while another's work is under way gets that answer; later it is known."""
    facts: dict[type, Any] = {}
    calls: list[int] = []

    async def work() -> Shape:
        calls.append(1)
        await asyncio.sleep(0.01)
        return Shape(("x",), 1)

    async def both() -> list[Shape]:
        return list(await asyncio.gather(*(once(facts, Shape, work) for _ in range(3))))

    assert [Shape(("x",), 1)] * 3 == asyncio.run(both())
    assert Shape(("x",), 1) == asyncio.run(once(facts, Shape, work))
    assert [1] == calls


def test_who_gives_up_is_taken_over_from() -> None:
    """One that is cancelled or fails leaves nothing behind; the next tries for itself."""
    facts: dict[type, Any] = {}

    async def for_ever() -> Shape:
        await asyncio.Event().wait()
        raise AssertionError

    async def fails() -> Shape:
        raise OSError("no")

    async def works() -> Shape:
        return Shape((), 7)

    async def play() -> Shape:
        first = asyncio.create_task(once(facts, Shape, for_ever))
        await asyncio.sleep(0)
        second = asyncio.create_task(once(facts, Shape, works))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    with pytest.raises(OSError, match="no"):
        asyncio.run(once(facts, Shape, fails))
    assert {} == facts
    assert 7 == asyncio.run(play()).parameters
