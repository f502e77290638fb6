"""What a list's answer means, when a list is off, and what several lists weigh together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.names import reverse_labels
from gatepost.dns.zone import Zone
from gatepost.mail.verdict import Reject, Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import Registry, load
from gatepost.plugin.tools import Tools
from gatepost.plugins.dnsbl import Dnsbl, client_labels
from gatepost.policy.decide import Finding, decide_recipient
from gatepost.policy.lists import Entry, Lists

SANE = "2.0.0.127.bl.test A 127.0.0.2\n2.0.0.127.other.test A 127.0.0.2\n2.0.0.127.good.test A 127.0.0.2\n"
LISTED = "1.2.0.192.bl.test A 127.0.0.2\n"


class House:
    """One process with the plugin, a zone, and a clock."""

    def __init__(self, zone: str) -> None:
        self.now = 1_000_000.0
        self.zone = Zone(zone)
        self.alerts: list[str] = []
        tools = Tools(dns=self.zone, alert=lambda _name, text: self.alerts.append(text))
        registry = Registry([("dnsbl", Dnsbl(), "built-in", "")])
        self.bench = Bench(registry, tools, lambda: self.now)

    def ask(self, *zones: Any, client: str = "192.0.2.1", **settings: Any) -> Finding:
        policy = self.bench.policy("example.org", {"dnsbl": {"mode": "on", "zones": zones, **settings}})
        (finding,) = asyncio.run(self.bench.ask(policy, Case(client=client)))
        return finding

    def refused(self, *zones: Any, **words: Any) -> bool:
        finding = self.ask(*zones, **words)
        assert "" == finding.failure
        return isinstance(finding.verdict, Reject)


def test_listed() -> None:
    """The owner reads who lists the client and with which code; the sender that it is on a block list."""
    finding = House(SANE + LISTED).ask("bl.test", "other.test")
    expected = Reject("192.0.2.1 is listed by bl.test (127.0.0.2)", "Your address is on a block list")
    assert expected == finding.verdict


def test_row_7_2_whitelist_per_plugin() -> None:
    """Row "whitelist per plugin" of 7.2: an entry for one check leads past that check, and past no other."""
    bench = Bench(load(entries=False), Tools(dns=Zone(SANE + LISTED)))
    friend = Lists([Entry(1, "allow", "ip", "192.0.2.1", plugin="dnsbl")])
    policy = bench.policy(
        "example.org",
        {
            "dnsbl": {"mode": "on", "zones": ["bl.test"], "lists": friend},
            "rdns": {"mode": "on"},
        },
    )
    findings = asyncio.run(bench.ask(policy))
    refusals = {f.plugin: f.allowed_by for f in findings if isinstance(f.verdict, Reject)}
    assert {"dnsbl": "ip 192.0.2.1", "rdns": ""} == refusals
    assert "rdns" == decide_recipient(policy, findings, None).plugin


def test_row_7_2_dnsbl() -> None:
    """Row "DNSBL" of 7.2: zones by domain, all asked, IPv6 too; codes and time-outs stand below."""
    six = f"{reverse_labels('2001:db8::1')}.bl.test A 127.0.0.2"
    house = House(f"{SANE}{LISTED}{six}")
    assert house.refused("bl.test")
    assert not house.refused("other.test")
    assert house.refused("bl.test", client="2001:db8::1")
    assert not house.refused("bl.test", client="2001:db8::2")


def test_not_listed() -> None:
    """No listing, no opinion."""
    house = House(SANE)
    assert house.ask("bl.test", "other.test").verdict is None
    assert [] == house.alerts


def test_nothing_asked_without_zones() -> None:
    """Switched on but without lists, nothing is asked."""
    house = House(SANE + LISTED)
    assert house.ask().verdict is None
    assert [] == house.zone.asked


@pytest.mark.parametrize(
    ("answer", "zone", "refused"),
    [
        ("127.0.0.2", "bl.test", True),
        ("127.0.0.11", "bl.test", True),
        ("127.1.2.3", "bl.test", True),
        ("127.0.0.1", "bl.test", False),
        ("127.0.0.2", "bl.test=127.0.0.2", True),
        ("127.0.0.3", "bl.test=127.0.0.2", False),
        ("127.0.0.4", "bl.test=127.0.0.[2..4;10]", True),
        ("127.0.0.10", "bl.test=127.0.0.[2..4;10]", True),
        ("127.0.0.5", "bl.test=127.0.0.[2..4;10]", False),
        ("127.0.5.7", "bl.test=127.0.[0..255].[0..255]", True),
        ("127.0.0.6", "bl.test&0.0.0.4", True),
        ("127.0.0.3", "bl.test&0.0.0.4", False),
        ("93.184.216.34", "bl.test", False),
        ("10.0.0.2", "bl.test&0.0.0.2", False),
    ],
)
def test_codes(answer: str, zone: str, refused: bool) -> None:
    """T9.4: only answers that a list gives for listings count; a wildcard to a web server does not."""
    assert refused is House(f"{SANE}1.2.0.192.bl.test A {answer}").refused(zone)


@pytest.mark.parametrize("code", ["127.255.255.252", "127.255.255.254", "127.255.255.255"])
@pytest.mark.parametrize("zone", ["bl.test", "bl.test&0.255.255.255", "bl.test=127.255.255.[0..255]"])
def test_refused_queries_are_no_listing(code: str, zone: str) -> None:
    """127.255.255.x says that the list does not want our queries: not answered, never listed."""
    finding = House(f"{SANE}1.2.0.192.bl.test A {code}").ask(zone)
    assert finding.verdict is None
    assert "bl.test is not sane" == finding.failure


def test_time_out_is_no_listing() -> None:
    """Nobody answers: the mail goes on and it is written down; with another list's answer it is refused."""
    house = House(SANE + "1.2.0.192.bl.test FAIL\n1.2.0.192.other.test A 127.0.0.2")
    finding = house.ask("bl.test")
    assert finding.verdict is None
    assert "nobody answers" in finding.failure
    assert house.refused("bl.test", "other.test")


def test_hanging_list() -> None:
    """A list that never answers is cut off at the plugin's time limit."""
    house = House(SANE + "1.2.0.192.bl.test HANG")
    Dnsbl.timeout, before = 0.05, Dnsbl.timeout
    try:
        finding = house.ask("bl.test")
    finally:
        Dnsbl.timeout = before
    assert finding.verdict is None
    assert "no answer within 0.05 s" == finding.failure


@pytest.mark.parametrize(
    ("zones", "threshold", "refused"),
    [
        (["bl.test*2", "other.test"], 3, True),
        (["bl.test*2", "other.test"], 3.5, False),
        (["bl.test", "other.test"], 2, True),
        (["bl.test", "good.test*-2"], 1, False),
        (["bl.test*4", "good.test*-2"], 2, True),
        (["bl.test*0.5"], 1, False),
        ([{"zone": "bl.test", "weight": 3, "codes": ["127.0.0.2", "127.0.0.9"]}], 3, True),
        ([{"zone": "bl.test", "mask": "0.0.0.2"}], 1, True),
    ],
)
def test_weights(zones: list[Any], threshold: float, refused: bool) -> None:
    """Weights are summed; a list of good senders weighs against."""
    listed = LISTED + "1.2.0.192.other.test A 127.0.0.2\n1.2.0.192.good.test A 127.0.0.2"
    assert refused is House(SANE + listed).refused(*zones, threshold=threshold)


def test_silent_list_that_could_not_matter() -> None:
    """When the lists that answered decide whatever the silent one would say, that is an answer."""
    zone = SANE + LISTED + "1.2.0.192.other.test FAIL\n1.2.0.192.good.test FAIL"
    assert House(zone).refused("bl.test*3", "other.test")
    assert not House(zone).refused("bl.test", "other.test", threshold=5)
    finding = House(zone).ask("bl.test", "good.test*-1")
    assert "nobody answers" in finding.failure  # the good list might have saved him


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        ("*.bl.test A 127.0.0.2", "it lists 127.0.0.1, so it lists everything"),
        ("*.bl.test A 93.184.216.34", "it lists 127.0.0.1, so it lists everything"),
        (LISTED, "it does not list 127.0.0.2, so it lists nothing"),
        ("2.0.0.127.bl.test A 93.184.216.34\n" + LISTED, "it does not list 127.0.0.2, so it lists nothing"),
        ("*.bl.test A 127.255.255.254", "it refuses our queries (127.255.255.254, 127.255.255.254)"),
    ],
)
def test_list_that_went_mad(zone: str, why: str) -> None:
    """T9.4: such a list is off within one look, and it is said once."""
    house = House(zone)
    for _ in range(3):
        finding = house.ask("bl.test")
        assert Score(0, f"bl.test is switched off: {why}") == finding.verdict
    assert [f"bl.test is switched off: {why}"] == house.alerts


def test_looked_at_every_half_hour() -> None:
    """A list that goes mad later is off half an hour later at most, and on again when it is well."""
    house = House(SANE + LISTED)
    assert house.refused("bl.test")
    probes = [name for name, _ in house.zone.asked if name.startswith("2.0.0.127.")]
    assert 1 == len(probes)
    house.zone.add("1.0.0.127.bl.test", "A", "127.0.0.2")
    house.now += 1_700
    assert house.refused("bl.test")
    house.now += 200
    assert not house.refused("bl.test")
    house.zone.remove("1.0.0.127.bl.test")
    house.now += 1_900
    assert house.refused("bl.test")
    assert [
        "bl.test is switched off: it lists 127.0.0.1, so it lists everything",
        "bl.test is well again",
    ] == house.alerts


def test_never_looked_at() -> None:
    """While nobody can say whether a list is sane, it refuses nobody; the look is repeated in a minute."""
    house = House(LISTED + "2.0.0.127.bl.test FAIL")
    assert "bl.test is not sane" == house.ask("bl.test").failure
    house.zone.remove("2.0.0.127.bl.test")
    house.zone.add("2.0.0.127.bl.test", "A", "127.0.0.2")
    assert "bl.test is not sane" == house.ask("bl.test").failure
    house.now += 61
    assert house.refused("bl.test")


def test_look_that_fails_keeps_what_is_known() -> None:
    """A sane list stays on, and a mad one off, when a look is not answered."""
    house = House(SANE + LISTED)
    assert house.refused("bl.test")
    house.zone.remove("2.0.0.127.bl.test")
    house.zone.add("2.0.0.127.bl.test", "FAIL")
    house.now += 2_000
    assert house.refused("bl.test")


def test_ipv6() -> None:
    """IPv6 clients are asked for by their 32 nibbles (RFC 5782, 2.4); a list of IPv6 only is sane too."""
    name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    assert name == client_labels("2001:db8::1")
    assert "1.2.0.192" == client_labels("::ffff:192.0.2.1")
    assert "" == client_labels("unix")
    test_point = "2.0.0.0.0.0.f.7." + "f.f.f.f." + "0." * 20
    house = House(f"{name}.six.test A 127.0.0.2\n{test_point}six.test A 127.0.0.2")
    assert house.refused("six.test", client="2001:db8::1")
    assert not house.refused("six.test", client="2001:db8::2")


def test_client_without_address() -> None:
    """A client on a socket has no address, so nothing is asked."""
    house = House(SANE)
    assert house.ask("bl.test", client="unix").verdict is None
    assert [] == house.zone.asked


def test_all_zones_at_once() -> None:
    """The client under all lists, and the looks at them, are one batch."""
    batches: list[list[str]] = []
    house = House(SANE)
    ask = house.zone.a_all

    async def a_all(names: list[str]) -> Any:
        batches.append(list(names))
        return await ask(names)

    house.zone.a_all = a_all  # type: ignore[assignment, method-assign]
    house.ask("bl.test", "other.test", "good.test")
    assert [3 + 3 * 4] == [len(batch) for batch in batches]
    house.ask("bl.test", "other.test", "good.test")
    assert [15, 3] == [len(batch) for batch in batches]


def test_one_answer_for_two_domains() -> None:
    """Domains with equal lists share the answer; a domain that has it off lets the client in."""
    bench = Bench(load(entries=False), Tools(dns=Zone(SANE + LISTED)))
    case = Case()
    session, transaction = case.session(), case.transaction()
    said = []
    for domain, switch in (
        ("a.example", {"mode": "on", "zones": ["bl.test"]}),
        ("b.example", {"mode": "on", "zones": ["bl.test"]}),
        ("c.example", {"mode": "off", "zones": ["bl.test"]}),
    ):
        policy = bench.policy(domain, {"dnsbl": switch})
        findings = asyncio.run(bench.ask(policy, case, session, transaction))
        said.append([(type(f.verdict), f.remembered) for f in findings if f.plugin == "dnsbl"])
    assert [[(Reject, False)], [(Reject, True)], []] == said


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        (["bl test"], "is not zone[=codes][&mask][*weight]"),
        ([""], "is not zone[=codes][&mask][*weight]"),
        (["-bl.test"], "is not a domain name"),
        (["bl..test"], "is not a domain name"),
        (["../../etc/passwd"], "is not a domain name"),
        (["bl.test=10.0.0.2"], "is not an answer such as 127.0.0.2"),
        (["bl.test=127.0.0"], "is not an answer such as 127.0.0.2"),
        (["bl.test=127.0.0.[9..2]"], "is not a range of numbers"),
        (["bl.test=127.0.0.256"], "is not a range of numbers"),
        (["bl.test=127.0.0.[]"], "is not an answer such as"),
        (["bl.test&1"], "Expected 4 octets"),
        (["bl.test*heavy"], "valid number"),
        (["bl.test*inf"], "finite number"),
        ([{"zone": "bl.test", "wieght": 2}], "Extra inputs are not permitted"),
        ([f"z{n}.test" for n in range(51)], "at most 50 items"),
        ("bl.test", "valid tuple"),
        ([5], "valid dictionary"),
    ],
)
def test_bad_zones(zones: Any, message: str) -> None:
    """A mistake is named when it is set, not when a mail comes."""
    bench = Bench(load(entries=False))
    with pytest.raises(ValueError, match=r"dnsbl\.zones") as caught:
        bench.policy("example.org", {"dnsbl": {"zones": zones}})
    assert message in str(caught.value)
