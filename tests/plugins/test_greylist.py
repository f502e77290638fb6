"""Strangers wait once; who came back, is proven or known does not; bounces wait behind their data."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Defer
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.plugins.greylist import DAY, settled_sender
from gatepost.policy.decide import Fate, Finding, Outcome
from gatepost.policy.policy import DomainPolicy
from gatepost.store.memory import MemoryState

REGISTRY = load(entries=False)
CLIENT, NEIGHBOUR, STRANGER = "198.51.100.7", "198.51.100.8", "203.0.113.5"
DNS = """\
7.100.51.198.in-addr.arpa PTR mx1.sender.example
mx1.sender.example A 198.51.100.7
9.113.0.203.in-addr.arpa PTR mx2.sender.example
mx2.sender.example A 203.0.113.9
5.113.0.203.in-addr.arpa PTR dsl-5.provider.example
dsl-5.provider.example A 203.0.113.5
proven.example TXT v=spf1 ip4:198.51.100.7 ip4:203.0.113.9 -all
"""


class House:
    """One domain with greylisting under some settings, and a clock that the test turns."""

    def __init__(self, mode: str = "on", **settings: Any) -> None:
        self.now = 1_795_000_000.0
        self.state = MemoryState(lambda: self.now)
        self.bench = Bench(REGISTRY, Tools(dns=Zone(DNS), state=self.state), lambda: self.now)
        self.policy: DomainPolicy = self.bench.policy("example.org", {"greylist": {"mode": mode, **settings}})

    def mail(
        self,
        client: str = CLIENT,
        sender: str = "eve@sender.example",
        to: str = "ann@example.org",
        fate: Fate | None = None,
    ) -> Any:
        """Return what is said at RCPT; the fate is told when there is one."""
        return asyncio.run(self._mail(Case(client=client, sender=sender, recipient=to), fate)).verdict

    async def _mail(self, case: Case, fate: Fate | None) -> Finding:
        session, transaction = case.session(), case.transaction()
        session.forget_host()
        findings = await self.bench.ask(self.policy, case, session, transaction)
        finding = next(f for f in findings if (f.plugin, f.hook) == ("greylist", "rcpt"))
        assert "" == finding.failure
        if fate is not None:
            later = self.bench.pipeline.run_done(
                session, transaction, transaction.recipients[0], Outcome(fate)
            )
            if later is not None:
                await later
        return finding

    def put_off(self, *args: Any, **words: Any) -> bool:
        """Return True when a mail is put off."""
        return isinstance(self.mail(*args, **words), Defer)

    def bill(self) -> dict[str, int]:
        """Return what was counted."""
        sums = asyncio.run(self.state.sums("greylist\x1fexample.org\x1fbill "))
        return {key.rpartition(" ")[2]: number for key, number in sums.items()}


def test_row_7_2_greylisting() -> None:
    """Row "greylisting" of 7.2: first 4xx, too early 4xx, after the delay 250, after the window 4xx again."""
    house = House()
    first = house.mail()
    assert isinstance(first, Defer)
    assert (451, "4.7.1") == (first.code, first.enhanced)
    assert "Greylisted, try again in 5 minutes" == first.public
    house.now += 100
    assert house.put_off()
    house.now += 200
    assert not house.put_off()
    house.now += 30 * DAY
    assert not house.put_off(), "known for 36 days, renewed by use"
    house.now += 30 * DAY
    assert not house.put_off()
    house.now += 37 * DAY
    assert house.put_off(), "forgotten"


def test_the_window_closes() -> None:
    """Who comes again after the window is a stranger as before."""
    house = House(window=3600)
    assert house.put_off()
    house.now += 3601
    assert house.put_off()


def test_triplet() -> None:
    """Another sender, recipient or network is another stranger; a neighbour in the network is the same."""
    house = House(by="net")
    assert house.put_off()
    house.now += 301
    assert not house.put_off(NEIGHBOUR)
    assert house.put_off(sender="bob@sender.example")
    assert house.put_off(to="bob@example.org")
    assert house.put_off(STRANGER)


def test_domains_share_nothing() -> None:
    """Another domain of the same machine has strangers of its own."""
    house = House()
    other = house.bench.policy("second.example", {"greylist": {"mode": "on"}})
    assert house.put_off()
    house.now += 301
    house.policy = other
    assert house.put_off(to="ann@second.example")


def test_networks() -> None:
    """The length of a network is a setting, for IPv4 and IPv6."""
    narrow = House(by="net", ipv4_prefix=32, ipv6_prefix=128)
    wide = House(by="net")
    for house, same in ((narrow, False), (wide, True)):
        house.put_off()
        house.put_off("2001:db8::1")
        house.now += 301
        assert same is not house.put_off(NEIGHBOUR)
        assert same is not house.put_off("2001:db8::2")


def test_host() -> None:
    """A sender that comes again from another of its hosts is the same, by confirmed name; a line is not."""
    house = House(by="host")
    assert house.put_off(CLIENT)
    assert house.put_off(STRANGER)
    house.now += 301
    assert not house.put_off("203.0.113.9")
    state = [key for key in house.state._values if "triplet" in key]  # what counts as the sender
    assert {"sender.example", "203.0.113.0/24"} == {key.split("\x1f")[2].split(" ")[1] for key in state}


def test_proven() -> None:
    """What SPF proves does not wait; where the owner wants it to, it is one sender wherever it comes from."""
    assert not House().put_off(sender="eve@proven.example")
    house = House(exempt_proven=False)
    assert house.put_off(sender="eve@proven.example")
    house.now += 301
    assert not house.put_off("203.0.113.9", sender="eve@proven.example")
    assert house.put_off("192.0.2.77", sender="eve@proven.example"), "not proven from there"


def test_exempt_networks() -> None:
    """Partners never wait."""
    assert not House(exempt=["198.51.100.0/24"]).put_off()
    assert House(exempt=["192.0.2.0/24"]).put_off()


def test_promotion() -> None:
    """A host whose mails came back so often is known for all its mail."""
    house = House(promote_after=2, known_senders=False)
    for sender in ("a@sender.example", "b@sender.example"):
        assert house.put_off(sender=sender)
        house.now += 301
        assert not house.put_off(sender=sender)
    assert not house.put_off(sender="c@other.example", to="bob@example.org")
    assert house.put_off(STRANGER)
    never = House(promote_after=0, known_senders=False)
    never.put_off()
    never.now += 301
    never.put_off()
    assert never.put_off(sender="c@sender.example")


def test_known_senders() -> None:
    """Who was accepted for one mailbox need not wait for another, from the same place."""
    for fate, known in ((Fate.ACCEPT, True), (Fate.REJECT, False)):
        house = House()
        house.put_off()
        house.now += 301
        house.mail(fate=fate)
        assert known is not house.put_off(to="bob@example.org"), fate
        assert house.put_off(STRANGER, to="bob@example.org")


def test_watch_learns() -> None:
    """On watch nobody waits, so nothing is on the bill; who was accepted is known when it is switched on."""
    house = House("watch")
    assert house.put_off(fate=Fate.ACCEPT), "what it would do is written down"
    assert {} == house.bill()
    house.policy = House().policy
    assert not house.put_off(to="bob@example.org")


def test_bill() -> None:
    """Each stranger counts once, with the seconds until it came back."""
    house = House()
    house.put_off()
    house.now += 60
    house.put_off()
    house.put_off(STRANGER)
    house.now += 540
    house.put_off()
    house.put_off()
    assert {"first": 2, "back": 1, "seconds": 600} == house.bill()


@pytest.mark.parametrize(
    ("null_sender", "at_rcpt", "at_data"),
    [("data", False, True), ("rcpt", True, False), ("skip", False, False)],
)
def test_null_sender(null_sender: str, at_rcpt: bool, at_data: bool) -> None:
    """A bounce waits behind its data by default: who only asks whether an address exists hears 250."""
    house = House(null_sender=null_sender)
    assert at_rcpt is house.put_off(sender="")

    def put_off_at_data() -> bool:
        case = Case(client=CLIENT, sender="")
        recipient = Recipient(parse_address("ann@example.org"), parse_address("ann@example.org"))
        recipient.policy = house.policy
        transaction = case.transaction()
        transaction.recipients.append(recipient)
        message = Message(b"From: <>\r\n\r\n")
        (found,) = asyncio.run(
            house.bench.pipeline.run_message(case.session(), transaction, [recipient], message)
        )
        return any(isinstance(f.verdict, Defer) for f in found if f.plugin == "greylist")

    if null_sender == "data":
        assert at_data is put_off_at_data()
        house.now += 301
        assert not put_off_at_data()
    else:
        plan = house.bench.pipeline.plan(house.policy)
        assert "greylist" not in {s.plugin.name for group in plan.content for s in group}


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Eve@Example.net", "eve@example.net"),
        ("eve+tag@example.net", "eve@example.net"),
        ("bounce-1234-ann=example.org@list.example", "bounce-#-ann=example.org@list.example"),
        ("b-af3e9d-7@list.example", "b-#-#@list.example"),
        ("prvs=2510abcdef=eve@example.net", "eve@example.net"),
        ("srs0=hhhh=tt=example.net=eve@forwarder.example", "example.net=eve@forwarder.example"),
        ("+@example.net", "+@example.net"),
        (None, ""),
    ],
)
def test_settled_sender(sender: str | None, expected: str) -> None:
    """What changes from mail to mail is taken out, so that a list is one sender."""
    assert expected == settled_sender(parse_address(sender) if sender else None)


def test_bad_settings() -> None:
    """Networks are networks."""
    with pytest.raises(ValueError, match="exempt"):
        House(exempt=["my office"])
