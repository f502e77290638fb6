"""What this room wants of a resolver: gatepost.dns.resolver.Resolver has it, and a zone in tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gatepost.dns.lookups import Records
from gatepost.dns.names import DnsError


class Dns(Protocol):
    """Answers as text."""

    async def look(self, name: str, kind: str) -> Records:
        """Return the records of a name; NxDomain, NoData or DnsFailure when there are none."""

    async def look_all(self, names: Sequence[str], kind: str) -> list[Records | DnsError]:
        """Ask all at once; an error stands in the list."""

    def peek(self, name: str, kind: str) -> Records | DnsError | None:
        """Return what is known without asking anybody; None: nothing is."""
