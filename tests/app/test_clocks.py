"""What is done in a rhythm goes on through any fault, which is said once and, where it ends, said too."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from gatepost.app.clocks import every
from gatepost.store.base import StoreError
from gatepost.telemetry.log import Log, read_logfmt


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Give a pipe for the log."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def run(
    acts: list[Exception | None], pipe: tuple[int, int], *, at_once: bool = False
) -> list[dict[str, str]]:
    """Do one after the other; return what was logged."""
    left = iter(acts)

    def _work() -> None:
        act = next(left, "end")
        if act == "end":
            raise asyncio.CancelledError
        if isinstance(act, Exception):
            raise act

    async def main() -> None:
        with suppress(asyncio.CancelledError):
            await every(0.0, _work, Log(pipe[1], "logfmt", "info"), at_once=at_once)

    asyncio.run(main())
    os.write(pipe[1], b"end=1\n")
    lines = os.read(pipe[0], 65_536).decode().splitlines()
    return [read_logfmt(line) for line in lines[:-1]]


@pytest.mark.parametrize("error", [OSError(28, "No space"), StoreError("locked")])
def test_trouble_is_said_once(error: Exception, pipe: tuple[int, int]) -> None:
    """Three times the same trouble is one line, and one when it is over."""
    said = run([None, error, error, error, None, None], pipe)
    assert ["trouble", "trouble_over"] == [line["event"] for line in said]
    assert {"work"} == {line["doing"] for line in said}
    assert str(error) == said[0]["why"]


def test_another_trouble_is_said_again(pipe: tuple[int, int]) -> None:
    """A fault of another kind is news."""
    said = run([OSError(28, "No space"), OSError(5, "I/O"), OSError(28, "No space")], pipe, at_once=True)
    assert ["trouble"] * 3 == [line["event"] for line in said]


def test_our_own_bug_says_where(pipe: tuple[int, int]) -> None:
    """What nobody expected is a bug, with the place in the code; the clock goes on."""
    said = run([ValueError("oops"), None], pipe)
    assert "bug" == said[0]["event"]
    assert "ValueError('oops')" == said[0]["why"]
    assert "test_clocks.py" in said[0]["trace"]
    assert "trouble_over" == said[1]["event"]
