"""DNS answers from a table instead of the network: for tests and `gatepost plugin try`.

`Zone("example.org. MX 10 mail.example.org")`, one record a line; `name FAIL` is a name whose
servers do not answer, `name HANG` one whose answer never comes, `*.name TYPE value` holds for
every name below.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gatepost.dns.lookups import Lookups, Records, bounded
from gatepost.dns.names import DnsError, DnsFailure, NoData, NxDomain, clean

TYPES = frozenset({"A", "AAAA", "MX", "TXT", "PTR"})


class Zone(Lookups):
    """A fake resolver with the promises of the real one."""

    def __init__(self, text: str = "") -> None:
        self._records: dict[str, dict[str, list[str]]] = {}
        self.asked: list[tuple[str, str]] = []
        """Each look-up as (name, type), in order."""
        for line in text.splitlines():
            line = line.partition("#")[0].strip()
            if line:
                self.add(*line.split(None, 2))

    def add(self, name: str, kind: str, value: str = "") -> None:
        """Add a record."""
        if kind not in TYPES and kind not in ("FAIL", "HANG"):
            raise ValueError(f"record type {kind!r}: only {', '.join(sorted(TYPES))}, FAIL and HANG")
        owner = self._records.setdefault(name.lower().removesuffix("."), {})
        owner.setdefault(kind, []).append(value.strip('"') if kind == "TXT" else value)

    def remove(self, name: str) -> None:
        """Take a name out."""
        self._records.pop(name.lower().removesuffix("."), None)

    async def look(self, name: str, kind: str) -> Records:
        """Return the records of a name."""
        name = clean(name)
        self.asked.append((name, kind))
        owner = self._records.get(name)
        if owner is None:
            labels = name.split(".")
            parents = (".".join(("*", *labels[n:])) for n in range(1, len(labels)))
            owner = next((self._records[p] for p in parents if p in self._records), None)
        if owner is None:
            if any(known.endswith("." + name) for known in self._records):
                raise NoData(f"{name} is an empty non-terminal (RFC 8020)")
            raise NxDomain(f"{name} does not exist")
        if "HANG" in owner:
            await asyncio.Event().wait()
        if "FAIL" in owner:
            raise DnsFailure(f"{name} {kind}: nobody answers")
        records = owner.get(kind)
        if not records:
            raise NoData(f"{name} has no {kind}")
        return bounded(records)

    async def look_all(self, names: Sequence[str], kind: str) -> list[Records | DnsError]:
        """Ask all."""
        found: list[Records | DnsError] = []
        for name in names:
            try:
                found.append(await self.look(name, kind))
            except DnsError as error:
                found.append(error)
        return found
