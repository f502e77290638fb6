"""Our resolver and the check `dnsbl` against a real rbldnsd behind a real unbound."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.names import NoData, NxDomain
from gatepost.dns.resolver import Resolver
from gatepost.mail.verdict import Reject, Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.plugins.dnsbl import Dnsbl
from gatepost.policy.decide import Finding
from tests.system.dns import Rbldnsd, Unbound


def ask(
    server: str, *zones: Any, client: str = "127.0.0.9", seconds: float = 2.0
) -> tuple[Finding, list[str]]:
    """Return what the check says of a client, and what was reported."""
    alerts: list[str] = []

    async def run() -> Finding:
        resolver = Resolver([server], seconds)
        try:
            tools = Tools(dns=resolver, alert=lambda _name, text: alerts.append(text))
            bench = Bench(Registry([("dnsbl", Dnsbl(), "built-in", "")]), tools)
            policy = bench.policy("example.org", {"dnsbl": {"mode": "on", "zones": zones}})
            (finding,) = await bench.ask(policy, Case(client=client))
            return finding
        finally:
            await resolver.close()

    return asyncio.run(run()), alerts


def test_resolver(unbound: Unbound) -> None:
    """Addresses, mail servers, names, and the kinds of nothing, from a real resolver."""

    async def run() -> None:
        resolver = Resolver([unbound.server], 2.0)
        try:
            assert ["127.0.0.2"] == await resolver.a("2.0.0.127.bl.test")
            assert [(10, "mail.good.test")] == await resolver.mx("good.test")
            assert ["Listed by bl.test, see https://bl.test/127.0.0.9"] == await resolver.txt(
                "9.0.0.127.bl.test"
            )
            assert ("mail.good.test", False) == await resolver.confirmed_host("127.0.0.5")
            with pytest.raises(NxDomain):
                await resolver.a("1.0.0.127.bl.test")
            with pytest.raises(NoData):
                await resolver.aaaa("mail.good.test")
        finally:
            await resolver.close()

    asyncio.run(run())


def test_listed_and_not(unbound: Unbound) -> None:
    """A listed client is refused, another is not."""
    finding, alerts = ask(unbound.server, "bl.test")
    assert Reject("127.0.0.9 is listed by bl.test (127.0.0.2)", Dnsbl.public) == finding.verdict
    assert 0 < finding.milliseconds < 2_000
    assert [] == alerts
    finding, _ = ask(unbound.server, "bl.test", client="127.0.0.10")
    assert finding.verdict is None
    assert "" == finding.failure


def test_ipv6(unbound: Unbound, rbldnsd: Rbldnsd) -> None:
    """IPv6 clients by their nibbles."""
    rbldnsd.list("2001:db8::77")
    try:
        finding, _ = ask(unbound.server, "bl.test", client="2001:db8::77")
        assert isinstance(finding.verdict, Reject)
        assert ask(unbound.server, "bl.test", client="2001:db8::78")[0].verdict is None
    finally:
        rbldnsd.unlist("2001:db8::77")


def test_mad_lists_are_off(unbound: Unbound) -> None:
    """T9.4: one lists everything, one refuses our queries; both are off at once and reported."""
    finding, alerts = ask(unbound.server, "sick.test", "blocked.test")
    assert isinstance(finding.verdict, Score)
    assert 0 == finding.verdict.points
    assert 2 == len(alerts)
    assert "sick.test is switched off: it lists 127.0.0.1, so it lists everything" in alerts
    assert any(
        a.startswith("blocked.test is switched off: it refuses our queries (127.255.255.254") for a in alerts
    )
    finding, alerts = ask(unbound.server, "sick.test", "blocked.test", "bl.test")
    assert Reject("127.0.0.9 is listed by bl.test (127.0.0.2)", Dnsbl.public) == finding.verdict


def test_list_that_is_not_there(unbound: Unbound) -> None:
    """A list whose servers are gone is not a listing, and neither is a resolver that is gone."""
    finding, alerts = ask(unbound.server, "gone.test")
    assert not isinstance(finding.verdict, Reject)
    assert [] == [a for a in alerts if "gone.test" not in a]
    finding, _ = ask("127.0.0.1:1", "bl.test", seconds=0.5)
    assert finding.verdict is None
    assert finding.failure
