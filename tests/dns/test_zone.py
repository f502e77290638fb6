"""The fake keeps the promises of the resolver, and can be broken on purpose."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.dns.names import DnsFailure, NoData, NxDomain
from gatepost.dns.zone import Zone


def test_three_kinds_of_nothing() -> None:
    """No name, no record, no answer; a name above a name is there (RFC 8020)."""
    zone = Zone("a.b.example A 192.0.2.1  # a comment\n\nfail.example FAIL")
    for name, kind in (("nosuch.example", NxDomain), ("b.example", NoData), ("fail.example", DnsFailure)):
        with pytest.raises(kind):
            asyncio.run(zone.a(name))
    with pytest.raises(NoData):
        asyncio.run(zone.mx("a.b.example"))


def test_wildcard() -> None:
    """`*` answers for every name below that is not there itself."""
    zone = Zone("*.bl.test A 127.0.0.2\nx.bl.test A 127.0.0.3")
    assert ["127.0.0.2"] == asyncio.run(zone.a("1.2.3.bl.test"))
    assert ["127.0.0.3"] == asyncio.run(zone.a("x.bl.test"))


def test_hang() -> None:
    """An answer that never comes."""

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await Zone("slow.example HANG").a("slow.example")

    asyncio.run(run())


def test_changes() -> None:
    """Records come and go; what was asked is written down."""
    zone = Zone()
    zone.add("Example.Org.", "A", "192.0.2.1")
    assert ["192.0.2.1"] == asyncio.run(zone.a("example.org"))
    zone.remove("example.org")
    with pytest.raises(NxDomain):
        asyncio.run(zone.a("example.org"))
    assert [("example.org", "A")] * 2 == zone.asked
    with pytest.raises(ValueError, match="record type 'SOA'"):
        zone.add("example.org", "SOA", "x")
