"""What our own code costs, measured so that a busy machine is not taken for slow code.

The CPU time of this process, not the clock: what others do meanwhile does not count. It is noisy all the same
(cold caches, the other half of a core), and noise only ever adds, so the least of several tries counts. The
first one within its limit is the last: good code runs once, and code that is too slow is so every time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 8
"""At most so many measurements before a limit is missed; noise comes in bursts."""
ROUNDS = 3
"""At least so many when two costs are compared: a lucky one of the two must not decide."""


def seconds(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> float:
    """Return the CPU time of one call; what earlier tests left to be collected is not its cost."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        before = time.process_time()
        work(*args, **kwargs)
        return time.process_time() - before
    finally:
        if collecting:
            gc.enable()


def quickest(limit: float, measure: Callable[[], T], cost: Callable[[T], float]) -> T:
    """Return the cheapest of some measurements; the first that costs less than the limit ends it."""
    best = measure()
    for _ in range(1, TRIES):
        if cost(best) < limit:
            break
        best = min(best, measure(), key=cost)
    return best


def assert_cheap(limit: float, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Fail when no call takes less CPU time than this, in seconds.

    What remembers its answers must be made anew by the work itself, or only its first call is measured.
    """
    took = quickest(limit, lambda: seconds(work, *args, **kwargs), float)
    assert took < limit, f"{took:.6f} s of CPU at best, {limit} s is the limit"


def assert_dearer_by(
    most: float, small: Callable[[], float], large: Callable[[], float], *, floor: float = 0.0
) -> None:
    """Fail when the large one takes more than `most` times the small one and the floor; both measure.

    The floor is for what is not the code's: the clock's own step, a page of memory seen first.
    """
    once, more = float("inf"), float("inf")
    for done in range(1, TRIES + 1):
        once, more = min(once, small()), min(more, large())
        if done >= ROUNDS and more < most * once + floor:
            return
    raise AssertionError(f"{once:.6f} s and {more:.6f} s of CPU: over {most:.2f} times + {floor}")


def assert_linear(
    make: Callable[[int], T], work: Callable[[T], object], size: int, *, times: int = 4, floor: float = 0.001
) -> None:
    """Fail when the work on so many times the size is nearer to that number's square than to that number.

    What is made for a size is made anew for each try, and making it is not measured.
    """

    # Half-way between linear and quadratic, as factors go: 2.8 for 2, 8 for 4, 22.6 for 8.
    assert_dearer_by(
        times**1.5,
        lambda: seconds(work, make(size)),
        lambda: seconds(work, make(times * size)),
        floor=floor,
    )
