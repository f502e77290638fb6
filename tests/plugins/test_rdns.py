"""No name, a name that does not lead back, names of lines and of machines that send no mail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Finding

REGISTRY = load(entries=False)
PTR = "7.100.51.198.in-addr.arpa PTR "
GOOD = f"{PTR}mail.example.net\nmail.example.net A 198.51.100.7"


def ask(zone: str, client: str = "198.51.100.7", **settings: Any) -> Finding:
    """Return what the check finds."""
    bench = Bench(REGISTRY, Tools(dns=Zone(zone)))
    policy = bench.policy("example.org", {"rdns": {"mode": "on", **settings}})
    case = Case(client=client)
    session = case.session()
    session.forget_host()
    findings = asyncio.run(bench.ask(policy, case, session))
    (finding,) = [f for f in findings if f.plugin == "rdns"]
    return finding


def said(zone: str, **words: Any) -> tuple[str, str] | None:
    """Return kind (or points) and reason."""
    finding = ask(zone, **words)
    assert "" == finding.failure
    verdict = finding.verdict
    if isinstance(verdict, Score):
        return f"{verdict.points:g}", verdict.reason
    assert verdict is None or isinstance(verdict, Reject | Defer)
    return None if verdict is None else (type(verdict).__name__, verdict.reason)


def test_good() -> None:
    """A name that leads back says nothing against a client."""
    assert said(GOOD) is None


def test_row_7_2_reverse_dns() -> None:
    """Row "reverse DNS" of 7.2: no PTR, and no forward confirmation, each a setting of its own."""
    assert ("Reject", "Missing reverse DNS for 198.51.100.7") == said("")
    unconfirmed = f"{PTR}mail.example.net\nmail.example.net A 203.0.113.9"
    why = "mail.example.net does not lead back to 198.51.100.7"
    assert ("1", why) == said(unconfirmed)
    assert ("Reject", why) == said(unconfirmed, unconfirmed="refuse")
    assert ("0", "Missing reverse DNS for 198.51.100.7") == said("", missing="ignore", unconfirmed="refuse")


def test_row_7_5_hosts_named_mysql() -> None:
    """Row "hosts named mysql.example.org" of 7.5: role names give points, or are refused."""
    zone = f"{PTR}mysql.example.org\nmysql.example.org A 198.51.100.7"
    why = "mysql.example.org is the name of no mail server (mysql)"
    assert ("2", why) == said(zone)
    assert ("Reject", why) == said(zone, role="refuse")
    assert said(zone, role_names=["www"]) is None


def test_lines() -> None:
    """Names of lines give points; what is found adds up, and a refusal among it wins."""
    zone = f"{PTR}db.dsl.example.net"
    verdict = said(zone)
    assert verdict is not None
    assert "5" == verdict[0]
    assert 2 == verdict[1].count("; ")
    refused = said(zone, dynamic="refuse", role="defer")
    assert refused is not None
    assert "Reject" == refused[0]
    deferred = said(zone, role="defer")
    assert deferred is not None
    assert "Defer" == deferred[0]


def test_code() -> None:
    """RFC 7372, 3.3: a client without reverse DNS is refused with 5.7.25."""
    verdict = ask("").verdict
    assert isinstance(verdict, Reject)
    assert (550, "5.7.25") == (verdict.code, verdict.enhanced)


def test_neighbour() -> None:
    """mx0 whose address is named mx1: confirmed unless the owner is strict (qpsmtpd's fcrdns)."""
    zone = f"{PTR}mx1.example.net\nmx1.example.net A 198.51.100.8"
    assert said(zone) is None
    assert said(zone, neighbour_confirms=False) is not None


def test_one_of_several_names() -> None:
    """Of several names one that leads back is enough."""
    assert said(f"{PTR}other.example.net\n{GOOD}") is None


@pytest.mark.parametrize(
    "zone", ["7.100.51.198.in-addr.arpa FAIL", f"{PTR}mail.example.net\nmail.example.net FAIL"]
)
def test_silence_is_no_finding(zone: str) -> None:
    """DNS that does not answer, for the address or for the name, is never "missing" nor "unconfirmed"."""
    finding = ask(zone, missing="refuse", unconfirmed="refuse")
    assert finding.verdict is None
    assert finding.failure


def test_ipv6() -> None:
    """An IPv6 client is looked up under ip6.arpa."""
    reverse = "1.0.0.0." + "0.0.0.0." * 5 + "8.b.d.0.1.0.0.2.ip6.arpa"
    client = "2001:db8::1"
    assert said(f"{reverse} PTR mx.example.net\nmx.example.net AAAA 2001:db8::1", client=client) is None
    assert ("Reject", f"Missing reverse DNS for {client}") == said("", client=client)


def test_bad_settings() -> None:
    """A role is a word in lower-case letters."""
    with pytest.raises(ValueError, match="not a word"):
        ask("", role_names=["my sql"])
