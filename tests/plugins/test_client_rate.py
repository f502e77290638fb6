"""Counts of each client within a window; 421, 450 and 452 as Postfix' users know them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Defer
from gatepost.plugin import client_net
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome

REGISTRY = load(entries=False)


class Counter:
    """State that counts, with a clock that the test turns."""

    def __init__(self) -> None:
        self.now = 0.0
        self.times: dict[str, list[float]] = {}

    async def add(self, key: str, n: int, window: float) -> int:
        times = self.times.setdefault(key, [])
        times += [self.now] * n
        return sum(1 for t in times if t > self.now - window)


class Gate:
    """A gateway with client_rate under some settings."""

    def __init__(self, **settings: Any) -> None:
        self.state = Counter()
        self.bench = Bench(REGISTRY, Tools(state=self.state))
        self.pipeline = self.bench.pipeline
        self.pipeline.configure_gateway(self.bench.policy("*", {"client_rate": settings}))
        self.recipient = Recipient(parse_address("x@example.org"), parse_address("x@example.org"))

    def connect(self, client: str = "192.0.2.1") -> Any:
        return self.pipeline.gateway_connect(Case(client=client).session())

    def mail(self, client: str = "192.0.2.1") -> Any:
        case = Case(client=client)
        return self.pipeline.gateway_mail(case.session(), case.transaction())

    def rcpt(self, client: str = "192.0.2.1") -> Any:
        case = Case(client=client)
        return self.pipeline.gateway_rcpt(case.session(), case.transaction(), self.recipient)

    def unknown(self, client: str = "192.0.2.1", enhanced: str = "5.1.1") -> None:
        case = Case(client=client)
        outcome = Outcome(Fate.REJECT, "recipients", code=550, enhanced=enhanced)
        later = self.pipeline.run_done(case.session(), case.transaction(), self.recipient, outcome)
        if later is not None:
            asyncio.run(later)


@pytest.mark.parametrize(
    ("setting", "what", "code", "enhanced"),
    [
        ("connections", "connect", 421, "4.7.0"),
        ("messages", "mail", 450, "4.7.1"),
        ("recipients", "rcpt", 452, "4.5.3"),
    ],
)
def test_limits(setting: str, what: str, code: int, enhanced: str) -> None:
    """So many go, the next is put off, another client is not, and after the window it goes again."""
    gate = Gate(**{setting: 3})
    act = getattr(gate, what)
    assert [None, None, None] == [act() for _ in range(3)]
    verdict = act()
    assert isinstance(verdict, Defer)
    assert (code, enhanced) == (verdict.code, verdict.enhanced)
    assert act("192.0.2.2") is None
    gate.state.now = 61
    assert act() is None


def test_unknown_recipients() -> None:
    """Who tries names from a dictionary is put off, at RCPT and when he comes again."""
    gate = Gate(unknown_recipients=3)
    for _ in range(2):
        gate.unknown()
    gate.unknown(enhanced="5.7.1")
    assert gate.rcpt() is None
    gate.unknown()
    for _ in range(3):  # asking does not count
        verdict = gate.rcpt()
        assert isinstance(verdict, Defer)
        assert 450 == verdict.code
    verdict = gate.connect()
    assert isinstance(verdict, Defer)
    assert 421 == verdict.code
    assert gate.rcpt("192.0.2.2") is None
    gate.state.now = 61
    assert gate.rcpt() is None


def test_no_limits_by_default() -> None:
    """Nothing is counted, and nothing asked, where no limit is set."""
    gate = Gate()
    for act in (gate.connect, gate.mail, gate.rcpt, gate.unknown):
        for _ in range(100):
            assert act() is None
    assert {} == gate.state.times


def test_only_what_has_a_limit_is_counted() -> None:
    """A limit on messages counts no connections and no recipients."""
    gate = Gate(messages=5)
    for act in (gate.connect, gate.mail, gate.rcpt, gate.unknown):
        act()
    assert ["client_rate\x1f*\x1fmessages 192.0.2.1"] == list(gate.state.times)


def test_exempt() -> None:
    """Our own networks are never counted."""
    gate = Gate(connections=1, messages=1, recipients=1, unknown_recipients=1, exempt=["192.0.2.0/28"])
    for act in (gate.connect, gate.mail, gate.rcpt, gate.unknown):
        for _ in range(3):
            assert act() is None
    assert {} == gate.state.times
    gate.connect("192.0.2.16")
    assert gate.connect("192.0.2.16") is not None


def test_one_client() -> None:
    """IPv6 customers get a /64, so that is one client."""
    assert "192.0.2.1" == client_net("192.0.2.1")
    assert "2001:db8:1:2::/64" == client_net("2001:db8:1:2:3:4:5:6")
    assert client_net("2001:db8:1:2::1") == client_net("2001:db8:1:2:ffff::1%eth0")
    assert client_net("2001:db8:1:2::1") != client_net("2001:db8:1:3::1")
    gate = Gate(connections=1)
    gate.connect("2001:db8::1")
    assert gate.connect("2001:db8::2") is not None


def test_off() -> None:
    """Off for all domains is off."""
    gate = Gate(connections=1, mode="off")
    assert [None] * 5 == [gate.connect() for _ in range(5)]


def test_watch() -> None:
    """On watch it counts and puts nobody off."""
    gate = Gate(connections=1, mode="watch")
    assert [None] * 5 == [gate.connect() for _ in range(5)]
    assert 1 == len(gate.state.times)


def test_bad_network() -> None:
    """A network with host bits is a mistake that is named."""
    with pytest.raises(ValueError, match=r"client_rate\.exempt: .*has host bits set"):
        Gate(exempt=["192.0.2.1/24"])
