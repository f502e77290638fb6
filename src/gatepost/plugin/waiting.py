"""Hooks that wait: driven by hand up to the first wait, then together, each with its own limit.

A coroutine that does not wait costs no task. One that does is taken over, where it stands, by a
task; the board says who runs at each of its steps, so that the parent can name a plugin that
blocks the loop. One that does not stop when it is cancelled is left behind and holds nobody up.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Generator, Sequence
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gatepost.plugin.answers import Failure, close, failed, settled

if TYPE_CHECKING:
    from gatepost.plugin.context import Context
    from gatepost.plugin.step import Step

NOT_YET: Any = object()
LEAST = 1.0
"""Seconds that a check has, however late it is."""


class Waiting:
    """A hook that has begun and waits for something."""

    __slots__ = (
        "answer",
        "context",
        "coroutine",
        "deadline",
        "seconds",
        "started",
        "step",
        "task",
        "yielded",
    )

    def __init__(self, step: Step, coroutine: Any, context: Context[Any], yielded: Any) -> None:
        self.step = step
        self.coroutine = coroutine
        self.context = context
        self.yielded = yielded
        """What its last step waits for; NOT_YET when it has not begun."""
        self.started = perf_counter()
        self.deadline = self.started + step.plugin.timeout
        self.seconds = 0.0
        self.answer: Any = NOT_YET
        self.task: asyncio.Task[None] | None = None


def begin(step: Step, coroutine: Any, context: Context[Any]) -> Any:
    """Drive a hook's coroutine to its end or its first wait: an answer, or Waiting."""
    if step.task:
        return Waiting(step, coroutine, context, NOT_YET)
    try:
        yielded = coroutine.send(None)
    except StopIteration as stop:
        return settled(stop.value)
    if getattr(yielded, "_asyncio_future_blocking", False):
        # No task takes the mark off now, and with it another hook could not wait for this future.
        yielded._asyncio_future_blocking = False
    return Waiting(step, coroutine, context, yielded)


class Waiters:
    """Those who wait in this process."""

    __slots__ = ("_left_behind", "_running")

    def __init__(self, running: Callable[..., None]) -> None:
        self._running = running
        self._left_behind: set[asyncio.Task[None]] = set()

    async def gather(self, waiting: Sequence[Waiting], until: float = inf) -> None:
        """Let them all wait at once. Afterwards each has its `answer` and its `seconds`.

        `until` (of `perf_counter`) cuts their own limits short, but for `LEAST` seconds.
        """
        loop = asyncio.get_running_loop()
        for w in waiting:
            w.deadline = min(w.deadline, max(until, w.started + LEAST))
            w.task = loop.create_task(self._drive(w))
        pending = {w.task for w in waiting if w.task is not None}
        try:
            while pending:
                left = min(w.deadline for w in waiting if w.task in pending) - perf_counter()
                if left > 0:
                    _, pending = await asyncio.wait(pending, timeout=left)
                now = perf_counter()
                for w in waiting:
                    if w.task in pending and w.deadline <= now:
                        pending.discard(w.task)
                        w.answer = Failure(f"no answer within {w.deadline - w.started:.3g} s")
                        w.seconds = now - w.started
                        self._leave_behind(w.task)
        finally:  # cancelled ourselves: nobody wants the answers any more
            for task in pending:
                self._leave_behind(task)

    def _leave_behind(self, task: asyncio.Task[None] | None) -> None:
        assert task is not None
        self._left_behind.add(task)
        task.add_done_callback(self._left_behind.discard)
        task.cancel()

    async def _drive(self, w: Waiting) -> None:
        answer = await _drive_on(w, self._running)
        if w.answer is NOT_YET:
            w.answer = answer
            w.seconds = perf_counter() - w.started


@types.coroutine
def _drive_on(w: Waiting, running: Callable[..., None]) -> Generator[Any, Any, Any]:
    """Drive a coroutine on from where it stands to its end, whatever it does on the way."""
    coroutine, index = w.coroutine, w.step.index
    hand = w.context.hand
    yielded: Any = w.yielded
    sent: Any = None
    error: BaseException | None = None
    while True:
        if yielded is not NOT_YET:
            if hasattr(yielded, "_asyncio_future_blocking"):
                # What a task looks for in a future that it is to wait for; it takes it off at once.
                yielded._asyncio_future_blocking = True
            error = None
            try:
                sent = yield yielded
            except GeneratorExit:
                close(coroutine)
                raise
            except BaseException as thrown:  # a cancellation is the hook's to see
                error = thrown
        running(index, hand)
        try:
            yielded = coroutine.send(sent) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            return settled(stop.value)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # whatever a plugin does is only its own failure
            return failed(raised)
        finally:
            running(0)
