"""Signals as things to read: a socket that wakes the parent and says which came.

The handlers themselves do nothing, so nothing ever runs at an odd moment (no re-entrance, no partial
state); the numbers wait in order until the parent's turn comes.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any


class Signals:
    """Catches the given signals while the `with` lasts; what was there before comes back behind it."""

    __slots__ = ("_before", "_numbers", "_wake", "_waker")

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._numbers = tuple(numbers)
        self._before: dict[signal.Signals, Any] = {}
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)

    def __enter__(self) -> Signals:
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, lambda *_: None) for number in self._numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._wake.close()
        self._waker.close()

    @property
    def fd(self) -> int:
        """Readable when a signal came."""
        return self._wake.fileno()

    @property
    def fds(self) -> tuple[int, int]:
        """Both ends, for a child to close: what it wrote there would be read as the parent's signal."""
        return self._wake.fileno(), self._waker.fileno()

    def read(self) -> list[int]:
        """Return what came since the last look, oldest first."""
        try:
            return list(self._wake.recv(4096))
        except BlockingIOError:
            return []
