"""The live journal: new rows to whoever watches, as server-sent events.

A watcher's stream looks into the journal once a second and sends the newest rows that its filter lets
through, so on a busy machine it skips rather than falls behind. The streams of a process are counted;
all of them end at once when it stops, when the session ends, or when the browser goes away.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from gatepost.store.base import OutcomeRow
from gatepost.store.journal_search import Question

LOOK = 1.0
"""Seconds between two looks."""
AT_ONCE = 20
"""Rows of one look; older ones are left to the next load of the page."""
MOST = 64
"""Streams of this process."""
MOST_EACH = 6
"""Streams of one person: a browser opens no more than six connections to us."""
STILL_THERE = 15
"""Looks after which a silent stream says that it lives, and the session is looked at again."""

Look = Callable[[Question], tuple[int, list[OutcomeRow]]]
"""Question -> the newest `seq` of all, and the rows, the newest first."""


class Live:
    """The streams of one console."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._closed = asyncio.Event()

    def close(self) -> None:
        """End all streams, and take no more; from the loop's own thread."""
        self._closed.set()

    def room(self, name: str) -> bool:
        """Return whether one more stream may begin."""
        return not self._closed.is_set() and self._open.total() < MOST and self._open[name] < MOST_EACH

    async def stream(
        self,
        name: str,
        asked: Question,
        look: Look,
        shown: Callable[[list[OutcomeRow]], str],
        known: Callable[[], bool],
    ) -> AsyncGenerator[bytes, None]:
        """Yield events. `look` and `known` (is the session still one?) may block: they run in a thread."""
        self._open[name] += 1
        try:
            seen, _ = await run_in_threadpool(look, replace(asked, limit=1))
            yield b": here\n\n"
            silent = 0
            while not await self._over():
                silent += 1
                if silent % STILL_THERE == 0:
                    if not await run_in_threadpool(known):
                        return
                    yield b": still here\n\n"
                newest, rows = await run_in_threadpool(look, replace(asked, behind=seen, limit=AT_ONCE))
                seen = max(seen, newest)
                if rows:
                    yield event(shown(rows), seen)
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    async def _over(self) -> bool:
        """Wait for the next look; return whether the end came instead."""
        try:
            await asyncio.wait_for(self._closed.wait(), LOOK)
        except TimeoutError:
            return False
        return True


def event(text: str, number: int) -> bytes:
    """Return a message event; no line of the text ends it early."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines() if line.strip())
    return f"id: {number}\n{lines}\n".encode()


def live_of(request: Request) -> Live:
    """Return the streams of the app that answers."""
    found: Live = request.app.state.live
    return found
