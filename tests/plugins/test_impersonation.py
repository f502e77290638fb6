"""Names and domains that are not who they say: found, explained, learnt from proven mail, by domain."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.source import RecipientRow
from gatepost.store.memory import MemoryRecords, MemoryState

REGISTRY = load(entries=False)
DNS = "*.test TXT v=spf1 ip4:192.0.2.1 -all\n"
ACCEPTED = Outcome(Fate.ACCEPT)
ROWS = {"ann.miller": RecipientRow("ann.miller"), "bob_meyer": RecipientRow("bob_meyer", "invalid")}


class House:
    """A domain with the check on, SPF on watch, and a clock that the test turns."""

    def __init__(self, domain: str = "example.org", shared: House | None = None, **settings: Any) -> None:
        self.now = 1_795_000_000.0
        clock = lambda: self.now  # noqa: E731 - as short as it is
        own = Tools(
            dns=Zone(DNS),
            state=MemoryState(clock),
            records=MemoryRecords(clock),
            recipient_row=lambda _domain, local: ROWS.get(local, RecipientRow("*")),
        )
        self.tools: Tools = own if shared is None else shared.tools
        self.bench = Bench(REGISTRY, self.tools, clock)
        switches = {"impersonation": {"mode": "on", **settings}, "spf": {"mode": "watch"}}
        self.policy = self.bench.policy(domain, switches)

    def mail(
        self, author: str, outcome: Outcome | None = None, sender: str = "", client: str = "192.0.2.1"
    ) -> Any:
        """Return what it says of a mail; then its fate is told."""
        return asyncio.run(self._mail(author, outcome, Case(client=client, sender=sender or "x@sender.test")))

    async def _mail(self, author: str, outcome: Outcome | None, case: Case) -> Any:
        session, transaction = case.session(), case.transaction()
        address = parse_address(f"ann.miller@{self.policy.domain}")
        recipient = Recipient(address, address, policy=self.policy)
        transaction.recipients.append(recipient)
        await self.bench.ask(self.policy, case, session, transaction)
        message = Message(f"From: {author}\r\nSubject: hello\r\n\r\n".encode())
        (found,) = await self.bench.pipeline.run_message(session, transaction, [recipient], message)
        (finding,) = [one for one in found if one.plugin == "impersonation"]
        assert "" == finding.failure
        if outcome is not None:
            later = self.bench.pipeline.run_done(session, transaction, recipient, outcome)
            if later is not None:
                await later
        return finding.verdict

    def points(self, author: str) -> float:
        verdict = self.mail(author)
        return verdict.points if isinstance(verdict, Score) else 0.0

    def writes(self, author: str, times: int, **words: Any) -> None:
        """Let somebody write who is accepted."""
        for _ in range(times):
            self.mail(author, ACCEPTED, **words)


@pytest.mark.parametrize(
    ("author", "points"),
    [
        ("Ann Miller <x@evil.test>", 4.0),
        ("=?utf-8?b?TWlsbGVyLCBBbm4=?= <x@evil.test>", 4.0),
        ("Carl Chief <x@evil.test>", 4.0),
        ("Carl Chief <carl@home.test>", 0.0),
        ("Ann Miller <ann.miller@example.org>", 0.0),
        ("Ann Miller <noreply@calendar.test>", 0.0),
        ("Ann <x@evil.test>", 0.0),
        ("Bob Meyer <x@evil.test>", 0.0),
        ("Someone Else <x@evil.test>", 0.0),
        ('"ann.miller@example.org" <x@evil.test>', 4.0),
        ("x@examp1e.org", 4.0),
        ("x@exampel.org", 4.0),
        ("x@example.org.evil.test", 4.0),
        ("x@mail.example.com", 1.5),
        ("Ann Miller <ann@examp1e.org>", 8.0),
        ("no address", 0.0),
    ],
)
def test_points(author: str, points: float) -> None:
    """Own people by the list and by recipients, their other addresses, what wears the own domain."""
    house = House(people=["Carl Chief <carl@home.test>"], may=["calendar.test"])
    assert points == house.points(author)


def test_explained() -> None:
    """The owner reads who pretends to be whom, and that the address is new."""
    verdict = House().mail("Ann Miller <x@evil.test>")
    assert (
        Score(4.0, "'Ann Miller' is one of us, x@evil.test is not; x@evil.test never wrote before") == verdict
    )


def test_first_contact() -> None:
    """Nothing by itself unless the domain wants it."""
    assert 0.0 == House().points("x@new.test")
    verdict = House(first_contact=0.5).mail("x@new.test")
    assert Score(0.5, "x@new.test never wrote before") == verdict
    assert 4.5 == House(first_contact=0.5).points("Ann Miller <x@new.test>")


def test_known_sender() -> None:
    """An address that wrote often enough, proven and accepted, is known; a forger of it teaches nothing."""
    house, author = House(), "Ann Miller <ann@home.test>"
    house.writes(author, 4, sender="ann@home.test")
    assert 4.0 == house.points(author)
    house.writes(author, 9, sender="ann@home.test", client="198.51.100.9")  # SPF fails
    assert 4.0 == house.points(author)
    house.writes(author, 1, sender="ann@home.test")
    assert 0.0 == house.points(author)
    house.now += 400 * 86_400
    assert 4.0 == house.points(author)


def test_correspondent() -> None:
    """A domain like one that writes often; the real one, and one like a domain that nobody knows, are not."""
    house = House()
    assert 0.0 == house.points("x@partnar.test")
    house.writes("y@mail.partner.test", 5, sender="y@partner.test")
    verdict = house.mail("x@partnar.test")
    assert isinstance(verdict, Score)
    assert 3.0 == verdict.points
    assert "partnar.test is one letter away (partner.test, which writes often)" in verdict.reason
    assert 0.0 == house.points("z@partner.test")
    assert 0.0 == house.points("z@other.test")


def test_known_look_alike() -> None:
    """A domain that wrote often is known by itself, though no proof came with it."""
    house = House()
    assert 4.0 == house.points("x@exampel.org")
    house.writes("x@exampel.org", 5, client="198.51.100.9")
    assert 0.0 == house.points("x@exampel.org")


def test_domains_apart() -> None:
    """What one domain learnt is unknown to another."""
    house = House()
    second = House("second.test", shared=house)
    house.writes("y@partner.test", 5, sender="y@partner.test")
    assert 3.0 == house.points("x@partnar.test")
    assert 0.0 == second.points("x@partnar.test")


def test_refused_mail_teaches_nothing() -> None:
    """Only what was wanted."""
    house = House()
    for _ in range(9):
        house.mail("y@partner.test", Outcome(Fate.REJECT, "dnsbl", code=550), sender="y@partner.test")
    assert 0.0 == house.points("x@partnar.test")


@pytest.mark.parametrize("person", ["<ann@example.org>", "Ann <nonsense>"])
def test_people_are_readable(person: str) -> None:
    """A mistake is named."""
    with pytest.raises(ValueError, match=r"name is missing|nonsense"):
        House(people=[person])
