"""The questions that checks ask, the same for the real resolver and for a zone in tests.

Whoever can answer `look` (name and type in, records or DnsError out) gets the rest from here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from gatepost.dns.names import MAX_ANSWERS, DnsError, DnsFailure, neighbours, reverse_name, same_address

Records = tuple[str, ...]
MAX_PTR = 10
"""PTR names of one address that are looked at (RFC 7208, 5.5 has the same bound)."""


class Hosts(NamedTuple):
    """What the names of a client's address are."""

    names: tuple[tuple[str, bool], ...] = ()
    """(PTR name, it leads back to the client), those that do first, otherwise as DNS gave them."""
    near: bool = False
    """A name leads to a neighbour of the client (`names.neighbours`)."""
    unsure: bool = False
    """Nobody answered about a name's addresses."""


class Lookups(ABC):
    """Answers as text; `NxDomain`, `NoData` or `DnsFailure` when there are none."""

    @abstractmethod
    async def look(self, name: str, kind: str) -> Records:
        """Return the records of a name; MX as `10 mail.example.org`."""

    @abstractmethod
    async def look_all(self, names: Sequence[str], kind: str) -> list[Records | DnsError]:
        """Ask all at once; an error stands in the list and stops nothing."""

    def peek(self, name: str, kind: str) -> Records | DnsError | None:
        """Return what is known without asking anybody, of a name in lower case without the last dot.

        None: nothing is. What `look` raises stands there as a value.
        """
        return None

    async def a(self, name: str) -> list[str]:
        """Return IPv4 addresses."""
        return list(await self.look(name, "A"))

    async def a_all(self, names: Sequence[str]) -> list[list[str] | DnsError]:
        """Return the IPv4 addresses of many names, all asked at once."""
        found = await self.look_all(names, "A")
        return [one if isinstance(one, DnsError) else list(one) for one in found]

    async def aaaa(self, name: str) -> list[str]:
        """Return IPv6 addresses."""
        return list(await self.look(name, "AAAA"))

    async def mx(self, name: str) -> list[tuple[int, str]]:
        """Return (preference, host), best first; a null MX (RFC 7505) is `(0, "")`."""
        found: list[tuple[int, str]] = []
        for record in await self.look(name, "MX"):
            preference, _, host = record.partition(" ")
            found.append((int(preference), host.rstrip(".").lower()))
        return sorted(found)

    async def txt(self, name: str) -> list[str]:
        """Return texts, the strings of each record joined."""
        return list(await self.look(name, "TXT"))

    async def ptr(self, ip: str) -> list[str]:
        """Return the names of an address."""
        return [name.rstrip(".").lower() for name in await self.look(reverse_name(ip), "PTR")]

    async def hosts(self, ip: str) -> Hosts:
        """Return all PTR names of a client with whether each leads back to it (iprev, RFC 8601, 3).

        DnsFailure only when nothing can be said of the PTR itself; a name that cannot be
        confirmed now is not confirmed, and `unsure` says so.
        """
        try:
            names = await self.ptr(ip)
        except DnsFailure:
            raise
        except DnsError:
            return Hosts()
        names = [name for name in dict.fromkeys(names[:MAX_PTR]) if name]
        found = await self.look_all(names, "AAAA" if ":" in ip else "A")
        known = [() if isinstance(addresses, DnsError) else addresses for addresses in found]
        pairs = [
            (name, any(same_address(ip, a) for a in own)) for name, own in zip(names, known, strict=True)
        ]
        return Hosts(
            tuple(sorted(pairs, key=lambda pair: not pair[1])),
            near=any(neighbours(ip, a) for own in known for a in own),
            unsure=any(isinstance(addresses, DnsFailure) for addresses in found),
        )

    async def confirmed_host(self, ip: str) -> tuple[str | None, bool]:
        """Return the best PTR name of a client, and True when that name leads back to the client."""
        names = (await self.hosts(ip)).names
        return names[0] if names else (None, False)


def bounded(records: Sequence[str]) -> Records:
    """Return at most MAX_ANSWERS records."""
    return tuple(records[:MAX_ANSWERS])
