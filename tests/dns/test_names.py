"""Names that addresses have in DNS, and what can be no name."""

import pytest

from gatepost.dns.names import (
    DnsError,
    DnsFailure,
    NoData,
    NxDomain,
    clean,
    neighbours,
    reverse_labels,
    reverse_name,
    same_address,
)
from tests.cost import assert_cheap


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("_dmarc.example.org", "_dmarc.example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_clean(name: str, expected: str) -> None:
    """One spelling, so that the cache has one entry."""
    assert expected == clean(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..b",
        ".a",
        "a" * 64 + ".example",
        "a." * 127 + "ab",
        "a b.example",
        "b\u00fccher.example",
        "a\r\n.b",
        "a\0b",
    ],
)
def test_no_name(name: str) -> None:
    """What cannot be asked does not exist; it is never sent."""
    with pytest.raises(NxDomain):
        clean(name)


@pytest.mark.parametrize(
    ("ip", "labels", "name"),
    [
        ("192.0.2.1", "1.2.0.192", "1.2.0.192.in-addr.arpa"),
        ("::ffff:192.0.2.1", "1.2.0.192", "1.2.0.192.in-addr.arpa"),
        (
            "2001:db8::567:89ab",
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2",
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        ),
        (
            "fe80::1%eth0",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa",
        ),
    ],
)
def test_reverse(ip: str, labels: str, name: str) -> None:
    """RFC 5782, 2.1 and 2.4; RFC 3596, 2.5 has the same IPv6 address as example."""
    assert labels == reverse_labels(ip)
    assert name == reverse_name(ip)


def test_same_address() -> None:
    """Spellings of one address; what is none is equal to nothing."""
    assert same_address("2001:DB8::1", "2001:db8:0:0::1")
    assert not same_address("192.0.2.1", "192.0.2.2")
    assert not same_address("192.0.2.1", "localhost")


def test_three_kinds_of_nothing() -> None:
    """They are apart, and all of one family."""
    kinds = (NxDomain, NoData, DnsFailure)
    assert all(issubclass(kind, DnsError) for kind in kinds)
    assert not any(issubclass(a, b) for a in kinds for b in kinds if a is not b)


def test_linear() -> None:
    """A name of any length and make is judged at once."""
    for piece in ("a", "a.", ".", "-", "_"):
        assert_cheap(0.005, refuse, piece * 100_000)


def refuse(name: str) -> None:
    """It can be no name."""
    with pytest.raises(NxDomain):
        clean(name)


def test_neighbours() -> None:
    """One IPv4 /24 or one IPv6 /64; what is no address has none."""
    assert neighbours("192.0.2.1", "192.0.2.200")
    assert not neighbours("192.0.2.1", "192.0.3.1")
    assert neighbours("2001:db8::1", "2001:db8::ffff")
    assert not neighbours("2001:db8::1", "2001:db8:0:1::1")
    assert not neighbours("192.0.2.1", "2001:db8::1")
    assert not neighbours("192.0.2.1", "unknown")
