"""Memory for `gatepost check`: it reads what is remembered and forgets what would be.

A check that is only asked "what if" must not count, reserve or promote anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatepost.desk.secret import installation_secret
from gatepost.mail import train_address
from gatepost.mail.message import Message
from gatepost.plugin.training import Pupil
from gatepost.store.base import Records, State
from gatepost.store.unwritten import UnwrittenRecords


class ShadowState:
    """A State over another one that is never written."""

    def __init__(self, below: State, own: State) -> None:
        self._below = below
        self._own = own
        self._gone: set[str] = set()

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        found = await self._own.get(key)
        if found is not None or key in self._gone:
            return found
        return await self._below.get(key)

    async def put(self, key: str, value: bytes, expires: float) -> None:
        """Keep a value until this check is over."""
        await self._own.put(key, value, expires)

    async def add(self, key: str, n: int, window: float) -> int:
        """Count on top of what others have counted."""
        return await self._own.add(key, n, window) + await self._below.add(key, 0, window)

    async def sums(self, prefix: str) -> dict[str, int]:
        """Return counts on top of what others have counted."""
        found = await self._below.sums(prefix)
        for key, number in (await self._own.sums(prefix)).items():
            found[key] = found.get(key, 0) + number
        return found

    async def delete(self, key: str) -> None:
        """Forget a value until this check is over."""
        self._gone.add(key)
        await self._own.delete(key)


class ShadowRecords(UnwrittenRecords):
    """Records over others that are never written, with what this check itself wrote."""

    def __init__(self, below: Records) -> None:
        super().__init__(below)
        self._own: dict[tuple[str, str, str], Any] = {}

    async def get(self, domain: str, plugin: str, key: str) -> Any:
        """Return a record."""
        place = (domain, plugin, key)
        return self._own[place] if place in self._own else await self._below.get(domain, plugin, key)

    async def put(self, domain: str, plugin: str, key: str, value: Any) -> None:
        """Keep a record until this check is over."""
        self._own[domain, plugin, key] = value

    async def delete(self, domain: str, plugin: str, key: str) -> None:
        """Delete a record until this check is over."""
        self._own[domain, plugin, key] = None

    async def list(
        self, domain: str, plugin: str, prefix: str = "", limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """Return records whose key begins so."""
        found = dict(await self._below.list(domain, plugin, prefix, limit))
        for (of_domain, of_plugin, key), value in self._own.items():
            if (of_domain, of_plugin) == (domain, plugin) and key.startswith(prefix):
                found[key] = value
        return sorted((key, value) for key, value in found.items() if value is not None)[:limit]


class ShadowTeacher:
    """Stands for who learns from mail to a training address: it believes the same, and learns nothing."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def is_secret_of(
        self, named: train_address.Named, domain: str, generation: int, owned_since: float = 0.0
    ) -> bool:
        """Say whether an address has the secret of the person that it names."""
        return train_address.holds(
            named, installation_secret(self._data_dir), domain, generation, owned_since
        )

    async def teach(self, _pupil: Pupil, _message: Message, _apart: Any) -> str:
        """Say what is not done."""
        return "would be learnt"
