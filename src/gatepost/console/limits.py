"""How often strangers may ask: counted by network, in memory, for pages that want no session.

A window begins with the first request and ends by itself; what is remembered is bounded, the oldest goes
first. The console is one process, so it counts all.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from fastapi import HTTPException, Request

from gatepost.desk.sessions import network_of

MOST_KNOWN = 20_000
"""Networks that are counted at once."""


class Limits:
    """Counts for the whole console."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, what: str, network: str, seconds: float) -> None:
        """Count one."""
        with self._lock:
            begun, number = self._window(what, network, seconds)
            self._counts[what, network] = begun, number + 1
            if len(self._counts) > MOST_KNOWN:
                self._counts.popitem(last=False)

    def wait(self, what: str, network: str, most: int, seconds: float) -> float:
        """Return after how many seconds one more may come; 0: now."""
        with self._lock:
            begun, number = self._window(what, network, seconds)
            return 0.0 if number < most else begun + seconds - self._clock()

    def _window(self, what: str, network: str, seconds: float) -> tuple[float, int]:
        now = self._clock()
        begun, number = self._counts.get((what, network), (now, 0))
        return (begun, number) if begun <= now < begun + seconds else (now, 0)


def limit(request: Request, what: str, most: int, seconds: float, *, count: bool = True) -> None:
    """Answer 429 to a network that asks too often; `count`: this request is one of those."""
    limits, network = _of(request)
    wait = limits.wait(what, network, most, seconds)
    if wait > 0:
        raise HTTPException(429, headers={"Retry-After": str(int(wait) + 1)})
    if count:
        limits.count(what, network, seconds)


def note(request: Request, what: str, seconds: float) -> None:
    """Count a request that turned out to be one of those that are limited."""
    limits, network = _of(request)
    limits.count(what, network, seconds)


def _of(request: Request) -> tuple[Limits, str]:
    limits: Limits = request.app.state.limits
    return limits, network_of(request.client.host if request.client else "")
