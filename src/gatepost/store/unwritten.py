"""State and records that are read and never written: for a check that is asked while no sender waits.

What it would count or promote says something of a sender who came, and none did. Nothing is held in
memory, so that one may live as long as a process.
"""

from __future__ import annotations

from typing import Any

from gatepost.store.base import Records, Reservation, State


class UnwrittenState:
    """`base.State` over another one."""

    def __init__(self, below: State) -> None:
        self._below = below

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        return await self._below.get(key)

    async def put(self, key: str, value: bytes, expires: float) -> None:
        """Keep nothing."""

    async def add(self, key: str, n: int, window: float) -> int:
        """Return what the count would be."""
        return n + await self._below.add(key, 0, window)

    async def sums(self, prefix: str) -> dict[str, int]:
        """Return the counts whose key begins so."""
        return await self._below.sums(prefix)

    async def delete(self, key: str) -> None:
        """Forget nothing."""


class UnwrittenRecords:
    """`base.Records` over others."""

    def __init__(self, below: Records) -> None:
        self._below = below

    async def get(self, domain: str, plugin: str, key: str) -> Any:
        """Return a record."""
        return await self._below.get(domain, plugin, key)

    async def put(self, domain: str, plugin: str, key: str, value: Any) -> None:
        """Keep nothing."""

    async def delete(self, domain: str, plugin: str, key: str) -> None:
        """Delete nothing."""

    async def list(
        self, domain: str, plugin: str, prefix: str = "", limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """Return records whose key begins so."""
        return await self._below.list(domain, plugin, prefix, limit)

    async def reserve(
        self, domain: str, plugin: str, key: str, limit: int, lease: float
    ) -> Reservation | None:
        """Say whether a count is free; nothing is held."""
        if await self._below.count(domain, plugin, key) >= limit:
            return None
        return Reservation(0, domain, plugin, key)

    async def settle(self, reservation: Reservation, used: bool, record: Any = None) -> None:
        """Nothing was held."""

    async def count(self, domain: str, plugin: str, key: str) -> int:
        """Return how many counts are used."""
        return await self._below.count(domain, plugin, key)
