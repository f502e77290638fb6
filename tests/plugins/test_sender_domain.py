"""Senders to whom nobody can answer; what DNS did not say is "later"."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.plugins.sender_domain import is_bogus

REGISTRY = load(entries=False)
MX = "example.net MX 10 mail.example.net\n"
UNREACHABLE = "the sender's domain example.net has a mail server at {}, where nobody can be reached"


def verdict(zone: str, sender: str = "eve@example.net", **settings: Any) -> Any:
    """Return what the check says of a sender."""
    bench = Bench(REGISTRY, Tools(dns=Zone(zone)))
    policy = bench.policy("example.org", {"sender_domain": {"mode": "on", **settings}})
    findings = asyncio.run(bench.ask(policy, Case(sender=sender)))
    (finding,) = [f for f in findings if f.plugin == "sender_domain"]
    assert "" == finding.failure
    return finding.verdict


@pytest.mark.parametrize(
    "zone",
    [
        f"{MX}mail.example.net A 198.51.100.1",
        f"{MX}mail.example.net AAAA 2001:db8::1",
        "example.net A 198.51.100.1",
        "example.net AAAA 2001:db8::1",
        f"{MX}mail.example.net A 127.0.0.1\nexample.net MX 20 b.example.net\nb.example.net A 198.51.100.1",
        f"{MX}mail.example.net FAIL\nexample.net MX 20 b.example.net\nb.example.net A 198.51.100.1",
    ],
)
def test_good(zone: str) -> None:
    """One mail server with an address is enough: MX, else A or AAAA (RFC 5321, 5.1)."""
    assert verdict(zone) is None


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("", "the sender's domain example.net does not exist"),
        ("example.net TXT hello", "the sender's domain example.net has neither MX nor A nor AAAA"),
        (MX, "the sender's domain example.net has mail servers without address"),
        (f"{MX}mail.example.net A 127.0.0.1", UNREACHABLE.format("127.0.0.1")),
        ("example.net A 10.1.2.3", UNREACHABLE.format("10.1.2.3")),
    ],
)
def test_row_7_2_resolvable_from_hosts(zone: str, reason: str) -> None:
    """Row "resolvable-from hosts" of 7.2: neither MX nor A nor AAAA, or only bogus ones, is refused."""
    said = verdict(zone)
    assert isinstance(said, Reject)
    assert (reason, 550, "5.1.8") == (said.reason, said.code, said.enhanced)


@pytest.mark.parametrize("zone", ["example.net FAIL", f"{MX}mail.example.net FAIL"])
def test_servfail_is_later(zone: str) -> None:
    """Row "resolvable-from hosts" of 7.2: 4xx on SERVFAIL; or points, or nothing, as the owner wants."""
    said = verdict(zone)
    assert isinstance(said, Defer)
    assert (451, "4.4.3") == (said.code, said.enhanced)
    assert isinstance(verdict(zone, unanswered="ignore"), Score)


def test_null_mx() -> None:
    """RFC 7505, 4.2: a domain that takes no mail sends none either; 550 5.7.27."""
    said = verdict("example.net MX 0 .\nexample.net A 198.51.100.1")
    assert isinstance(said, Reject)
    assert (550, "5.7.27") == (said.code, said.enhanced)
    assert verdict("example.net MX 0 .", null_mx=3).points == 3


@pytest.mark.parametrize("sender", ["root@localhost", "eve@host", "eve@pc.local", "eve@x.invalid"])
def test_bogus_forms(sender: str) -> None:
    """The old check `sender`: no dot, and names that lead to nobody; nothing is asked."""
    said = verdict("localhost A 198.51.100.1", sender)
    assert isinstance(said, Reject)
    assert f"Sender seems bogus: {sender}" == said.reason


def test_null_sender_and_literal() -> None:
    """Bounces are let alone; an address literal is legal and only gives points."""
    assert verdict("", "") is None
    said = verdict("", "eve@[192.0.2.1]")
    assert isinstance(said, Score)
    assert 2.0 == said.points


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("0.0.0.0", True),
        ("192.168.1.1", True),
        ("172.31.0.1", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::", True),
        ("fe80::1", True),
        ("::ffff:127.0.0.1", True),
        ("nonsense", True),
        ("172.32.0.1", False),
        ("198.51.100.1", False),
        ("::ffff:198.51.100.1", False),
        ("2001:db8::1", False),
    ],
)
def test_bogus_addresses(address: str, expected: bool) -> None:
    """Addresses at which nobody in the world is reached."""
    assert expected is is_bogus(address)
