"""What is made of records: sorted MX, joined names, a host that is confirmed or not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from gatepost.dns.lookups import bounded
from gatepost.dns.names import DnsFailure, NoData, NxDomain
from gatepost.dns.zone import Zone


def get(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


ZONE = """
example.org A 192.0.2.1
example.org A 192.0.2.2
example.org AAAA 2001:db8::1
example.org MX 20 backup.example.net.
example.org MX 10 Mail.Example.ORG.
example.org TXT "v=spf1 -all"
null.example MX 0 .
"""


def test_records() -> None:
    """Each kind in the form that checks use."""
    zone = Zone(ZONE)
    assert ["192.0.2.1", "192.0.2.2"] == get(zone.a("Example.Org."))
    assert ["2001:db8::1"] == get(zone.aaaa("example.org"))
    assert [(10, "mail.example.org"), (20, "backup.example.net")] == get(zone.mx("example.org"))
    assert [(0, "")] == get(zone.mx("null.example"))
    assert ["v=spf1 -all"] == get(zone.txt("example.org"))


def test_many_at_once() -> None:
    """Errors stand in the list and stop nothing."""
    zone = Zone(ZONE + "fail.example FAIL")
    found = get(zone.a_all(["example.org", "null.example", "nosuch.example", "fail.example", "bad..name"]))
    assert ["192.0.2.1", "192.0.2.2"] == found[0]
    assert [NoData, NxDomain, DnsFailure, NxDomain] == [type(one) for one in found[1:]]


PTR = "1.2.0.192.in-addr.arpa PTR"
SIX = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mail.example.net"


@pytest.mark.parametrize(
    ("zone", "ip", "expected"),
    [
        (f"{PTR} Mail.Example.net.\nmail.example.net A 192.0.2.1", "192.0.2.1", ("mail.example.net", True)),
        (f"{PTR} mail.example.net\nmail.example.net A 192.0.2.9", "192.0.2.1", ("mail.example.net", False)),
        (f"{PTR} mail.example.net", "192.0.2.1", ("mail.example.net", False)),
        (f"{PTR} mail.example.net\nmail.example.net FAIL", "192.0.2.1", ("mail.example.net", False)),
        (f"{PTR} a.example\n{PTR} b.example\nb.example A 192.0.2.1", "192.0.2.1", ("b.example", True)),
        ("", "192.0.2.1", (None, False)),
        (f"{PTR} .", "192.0.2.1", (None, False)),
        (f"{SIX}\nmail.example.net AAAA 2001:DB8:0::1", "2001:db8::1", ("mail.example.net", True)),
        (f"{SIX}\nmail.example.net A 192.0.2.1", "2001:db8::1", ("mail.example.net", False)),
    ],
)
def test_confirmed_host(zone: str, ip: str, expected: tuple[str | None, bool]) -> None:
    """The PTR name is confirmed when it leads back to the client; of several, one that does is taken."""
    assert expected == get(Zone(zone).confirmed_host(ip))


def test_host_that_nobody_can_say() -> None:
    """No answer about the PTR is not the same as no PTR."""
    with pytest.raises(DnsFailure):
        get(Zone("1.2.0.192.in-addr.arpa FAIL").confirmed_host("192.0.2.1"))


def test_client_with_ten_thousand_names() -> None:
    """T9.4: only so many of a client's names are looked at, and only so many records taken."""
    zone = Zone("\n".join(f"{PTR} h{n}.example" for n in range(10_000)))
    assert ("h0.example", False) == get(zone.confirmed_host("192.0.2.1"))
    assert 1 + 10 == len(zone.asked)
    assert 100 == len(bounded([str(n) for n in range(10_000)]))


def test_all_hosts() -> None:
    """All PTR names of a client, those that lead back first; near ones and silent ones are told apart."""
    zone = Zone(
        "1.2.0.192.in-addr.arpa PTR b.example\n1.2.0.192.in-addr.arpa PTR a.example\n"
        "1.2.0.192.in-addr.arpa PTR c.example\n"
        "a.example A 192.0.2.1\nb.example A 192.0.2.9\nc.example FAIL"
    )
    found = get(zone.hosts("192.0.2.1"))
    assert (("a.example", True), ("b.example", False), ("c.example", False)) == found.names
    assert (True, True) == (found.near, found.unsure)
    assert ((), False, False) == get(Zone().hosts("192.0.2.1"))
