"""State and records in memory, for tests and for trying a check: the same promises, nothing kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from gatepost.store.base import Reservation
from gatepost.store.windows import bucket_of, sliding


class MemoryState:
    """`base.State` in a dictionary."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._values: dict[str, tuple[bytes, float]] = {}
        self._counts: dict[tuple[str, float, int], int] = {}

    async def get(self, key: str) -> bytes | None:
        """Return a value that has not expired."""
        value, expires = self._values.get(key, (None, 0.0))
        return value if expires > self._clock() else None

    async def put(self, key: str, value: bytes, expires: float) -> None:
        """Keep a value for so many seconds."""
        self._values[key] = value, self._clock() + expires

    async def add(self, key: str, n: int, window: float) -> int:
        """Count `n` more and return the count of about the last `window` seconds."""
        now = self._clock()
        bucket = bucket_of(now, window)
        running = self._counts[key, window, bucket] = self._counts.get((key, window, bucket), 0) + n
        return sliding(now, window, running, self._counts.get((key, window, bucket - 1), 0))

    async def sums(self, prefix: str) -> dict[str, int]:
        """Return the counts whose key begins so, each over all that is kept of it."""
        found: dict[str, int] = {}
        for (key, _, _), number in self._counts.items():
            if key.startswith(prefix):
                found[key] = found.get(key, 0) + number
        return found

    async def delete(self, key: str) -> None:
        """Forget a value and a count."""
        self._values.pop(key, None)
        for counted in [c for c in self._counts if c[0] == key]:
            del self._counts[counted]


class MemoryRecords:
    """`base.Records` in dictionaries."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._records: dict[tuple[str, str, str], str] = {}
        self._used: dict[tuple[str, str, str], int] = {}
        self._held: dict[int, tuple[Reservation, float]] = {}
        self._number = 0

    async def get(self, domain: str, plugin: str, key: str) -> Any:
        """Return a record, None if there is none."""
        found = self._records.get((domain, plugin, key))
        return None if found is None else json.loads(found)

    async def put(self, domain: str, plugin: str, key: str, value: Any) -> None:
        """Keep a record."""
        self._records[domain, plugin, key] = json.dumps(value, allow_nan=False)

    async def delete(self, domain: str, plugin: str, key: str) -> None:
        """Delete a record."""
        self._records.pop((domain, plugin, key), None)

    async def list(
        self, domain: str, plugin: str, prefix: str = "", limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """Return (key, value) of records whose key begins so, by key."""
        found = sorted(k for d, p, k in self._records if (d, p) == (domain, plugin) and k.startswith(prefix))
        return [(key, json.loads(self._records[domain, plugin, key])) for key in found[:limit]]

    async def reserve(
        self, domain: str, plugin: str, key: str, limit: int, lease: float
    ) -> Reservation | None:
        """Hold one of `limit` counts for `lease` seconds; None: all are used or held."""
        now = self._clock()
        held = sum(
            1
            for r, expires in self._held.values()
            if (r.domain, r.plugin, r.key) == (domain, plugin, key) and expires > now
        )
        if self._used.get((domain, plugin, key), 0) + held >= limit:
            return None
        self._number += 1
        reservation = Reservation(self._number, domain, plugin, key)
        self._held[self._number] = reservation, now + lease
        return reservation

    async def settle(self, reservation: Reservation, used: bool, record: Any = None) -> None:
        """The fate is known: the count is used for good, or given back. Twice is once."""
        settled = reservation.id in self._held
        self._held.pop(reservation.id, None)
        if used and settled:
            place = reservation.domain, reservation.plugin, reservation.key
            self._used[place] = self._used.get(place, 0) + 1
            if record is not None:
                await self.put(*place, record)

    async def count(self, domain: str, plugin: str, key: str) -> int:
        """Return how many counts are used."""
        return self._used.get((domain, plugin, key), 0)
