"""Whether others wait while one session's mail is dear to read (T6.1)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.system.talk import Talk

LONGEST = 0.1
"""Seconds that the answer to a NOOP of another session may take."""

TRIES = 4
"""How often it is tried: on a shared machine another process may have had both cores for a moment, but a loop
that our mail holds is held each time."""


def answers(port: int, work: Callable[[], object]) -> list[float]:
    """Return how long each NOOP of another session waited while work was done, in seconds; at least one."""
    took, failed = list[float](), list[BaseException]()

    def do() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    with Talk(port, seconds=60) as other:
        assert 250 == other.say("EHLO other.example")[0]
        thread = threading.Thread(target=do)
        thread.start()
        while thread.is_alive() or not took:
            before = time.monotonic()
            assert 250 == other.say("NOOP")[0]
            took.append(time.monotonic() - before)
            time.sleep(0.005)
        thread.join()
    if failed:
        raise failed[0]
    return took


def nobody_waits(port: int, work: Callable[[], object]) -> None:
    """Do work that sends a bomb, again if an answer took too long; fails if one did each time."""
    tries: list[float] = []
    while not tries or (tries[-1] >= LONGEST and len(tries) < TRIES):
        tries.append(max(answers(port, work)))
    assert tries[-1] < LONGEST, tries
