"""Links to listed domains: what is asked, what an answer means, what a sick list means."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from gatepost.mail.message import Message, find_border
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Reject, Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.plugins.uribl import MAX_NAMES, Uribl
from gatepost.policy.decide import Finding

SANE = "test.uri.test A 127.0.0.2\n2.0.0.127.bits.test A 127.0.0.14\n2.0.0.127.bl.test A 127.0.0.2\n"
LISTED = "evil.example.uri.test A 127.0.1.2\nevil.co.uk.bits.test A 127.0.0.8\n"
ADDRESS = "9.2.0.192.bl.test A 127.0.0.2\n"


class House:
    """One process with the plugin, a zone and a clock."""

    def __init__(self, zone: str = SANE + LISTED + ADDRESS) -> None:
        self.now = 1_000_000.0
        self.zone = Zone(zone)
        self.alerts: list[str] = []
        tools = Tools(dns=self.zone, alert=lambda _name, text: self.alerts.append(text))
        self.bench = Bench(Registry([("uribl", Uribl(), "built-in", "")]), tools, lambda: self.now)

    def ask(self, text: str, *zones: Any, kind: str = "text/plain", **settings: Any) -> Finding:
        raw = f"Content-Type: {kind}; charset=utf-8\r\n\r\n{text}\r\n".encode()
        policy = self.bench.policy("example.org", {"uribl": {"mode": "on", "zones": zones, **settings}})
        address = parse_address("ann@example.org")
        recipient, case = Recipient(address, address, policy=policy), Case()

        async def run() -> Any:
            message = Message(raw[: find_border(raw)], raw)
            transaction = case.transaction()
            transaction.recipients.append(recipient)
            return await self.bench.pipeline.run_message(case.session(), transaction, [recipient], message)

        ((finding,),) = asyncio.run(run())
        return finding  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("see http://www.evil.example/x", "text/plain"),
        ('<a href="https://a.b.evil.example/">bank</a>', "text/html"),
        ('<a href="https://bank.example@evil.example/">bank</a>', "text/html"),
        ("https://r.example/?u=https%3A%2F%2Fevil.example", "text/plain"),
        ("www.evil.example", "text/plain"),
    ],
)
def test_listed(text: str, kind: str) -> None:
    """The registered part is asked for; the owner reads who lists what."""
    finding = House().ask(text, "uri.test", kind=kind)
    assert isinstance(finding.verdict, Reject)
    assert "links to evil.example, which is listed by uri.test (127.0.1.2)" == finding.verdict.reason


def test_masks_and_weights() -> None:
    """Only the bits that count, only the sum that is enough."""
    house, text = House(), "http://www.evil.co.uk/"
    assert isinstance(house.ask(text, "bits.test&0.0.0.8").verdict, Reject)
    assert house.ask(text, "bits.test&0.0.0.4").verdict is None
    assert house.ask(text, "bits.test*0.5").verdict is None
    assert isinstance(house.ask(text, "bits.test*0.5", threshold=0.5).verdict, Reject)


def test_addresses() -> None:
    """A link to an address is asked for in the lists of addresses, and only there."""
    house = House()
    finding = house.ask("http://192.0.2.9/", address_zones=["bl.test"])
    assert isinstance(finding.verdict, Reject)
    assert house.ask("http://192.0.2.9/", "uri.test").verdict is None


def test_disguises() -> None:
    """Points for what hides where it leads; none where the domain says so."""
    house = House()
    verdict = house.ask("http://3221225994/").verdict
    assert Score(1.0, "a link hides where it leads: 192.0.2.10, written as a number") == verdict
    verdict = house.ask("http://bank.example@other.example/", disguised=2.5).verdict
    assert isinstance(verdict, Score)
    assert 2.5 == verdict.points
    assert house.ask("http://bank.example@other.example/", "uri.test", disguised=0).verdict is None


def test_what_is_never_asked() -> None:
    """The domain's own name, ignored ones with what is below, no link at all: nothing goes out."""
    house = House()
    house.ask("http://www.example.org/ http://www.w3.org/TR http://localhost/ none", "uri.test")
    assert [] == house.zone.asked
    house.ask("http://x.evil.example/", "uri.test", ignore=["Evil.example."])
    assert [] == house.zone.asked


def test_first_and_last_of_many() -> None:
    """Padding with harmless links hides nothing at the end, and the number of questions is bounded."""
    house = House()
    text = " ".join(f"http://h{n}.example/" for n in range(500)) + " http://evil.example/"
    assert isinstance(house.ask(text, "uri.test").verdict, Reject)
    assert len(house.zone.asked) <= MAX_NAMES


def test_whole_names() -> None:
    """Lists that have whole host names are asked for them where the owner says so."""
    house = House(SANE + "sub.shared.example.uri.test A 127.0.1.2\n")
    assert house.ask("http://sub.shared.example/", "uri.test").verdict is None
    assert isinstance(house.ask("http://sub.shared.example/", "uri.test", whole_names=True).verdict, Reject)


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        (LISTED, "it does not list 127.0.0.2, so it lists nothing"),
        (SANE + LISTED + "invalid.uri.test A 127.0.0.2\n", "it lists 127.0.0.1, so it lists everything"),
        (LISTED + "test.uri.test A 127.255.255.254\n", "it refuses our queries (127.255.255.254)"),
    ],
)
def test_mad_lists(zone: str, why: str) -> None:
    """A list that lists everything, nothing, or refuses us, refuses nobody and is told of once."""
    house = House(zone)
    for _ in range(2):
        verdict = house.ask("http://evil.example/", "uri.test").verdict
        assert Score(0, f"uri.test is switched off: {why}") == verdict
    assert [f"uri.test is switched off: {why}"] == house.alerts


def test_silence() -> None:
    """A list that does not answer is no listing: the check could not answer, and the mail goes on."""
    house = House(SANE + "evil.example.uri.test FAIL\n")
    finding = house.ask("http://evil.example/", "uri.test")
    assert finding.verdict is None
    assert "nobody answers" in finding.failure
