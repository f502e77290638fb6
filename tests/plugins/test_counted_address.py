"""Counted addresses: who is meant, what is let in, what is refused and why, and when a use counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Reject
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome, decide_recipient
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.source import RecipientRow
from gatepost.store.memory import MemoryRecords, MemoryState

REGISTRY = load(entries=False)
TODAY = date(2026, 11, 25)
NOON = 1_795_608_000.0
"""Some time of that day, whatever the zone."""


class Clock:
    """The time is what the test says."""

    now = NOON

    def __call__(self) -> float:
        return self.now


class House:
    """A domain with its recipients and memory; mail after mail goes through the pipeline."""

    def __init__(
        self, *, recipients: str = "list", known: tuple[str, ...] = ("ann", "bob"), **own: Any
    ) -> None:
        self.clock = Clock()
        self.rows = {local: RecipientRow(local) for local in known}
        self.records, self.state = MemoryRecords(self.clock), MemoryState(self.clock)
        self.bench = Bench(REGISTRY, Tools(records=self.records, state=self.state), self.clock)
        self.own = {"mode": "on", "new_seconds": 0, **own}
        self.recipients = recipients
        self.mailboxes: dict[str, DomainPolicy] = {}

    def for_user(self, local: str, **own: Any) -> None:
        """Give a user settings of his own."""
        self.mailboxes[local] = self.bench.policy(
            "example.org", {"counted_address": {**self.own, **own}}, self.recipients
        )

    def look(self, domain: str, local: str) -> RecipientRow | None:
        """Answer as a snapshot does."""
        assert "example.org" == domain
        return self.rows.get(local) or self.rows.get("*")

    async def rcpt(
        self, local: str, sender: str = "eve@shop.example", transaction: Transaction | None = None
    ) -> tuple[Outcome, Recipient, Transaction]:
        """Say RCPT, and return what was decided."""
        policy = replace(
            self.bench.policy("example.org", {"counted_address": self.own}, self.recipients),
            mailboxes=self.mailboxes,
        )
        case = Case(sender=sender)
        session = case.session()
        transaction = transaction or case.transaction()
        address = parse_address(f"{local}@example.org")
        recipient = Recipient(address, address, policy=policy)
        transaction.known = self.look
        found = self.bench.pipeline.run_address(session, transaction, recipient, policy)
        findings = found if isinstance(found, list) else await found
        policy = recipient.policy = policy.for_mailbox(recipient.final.key[0])
        row = self.look("example.org", recipient.final.key[0])
        asked = self.bench.pipeline.run_recipient(session, transaction, recipient, policy, row)
        findings = [*findings, *(asked if isinstance(asked, list) else await asked)]
        assert [] == [f.failure for f in findings if f.failure]
        transaction.recipients.append(recipient)
        return decide_recipient(policy, findings, None), recipient, transaction

    async def deliver(
        self, local: str, sender: str = "eve@shop.example", fate: Fate = Fate.ACCEPT
    ) -> Outcome:
        """Send a mail, which in the end has this fate."""
        outcome, recipient, transaction = await self.rcpt(local, sender)
        final = outcome if outcome.fate is not Fate.ACCEPT else Outcome(fate)
        done = self.bench.pipeline.run_done(Case().session(), transaction, recipient, final)
        if done is not None:
            await done
        return outcome


def said(house: House, *mails: str) -> list[int]:
    """Send mails (`local` or `local<sender`) one after the other; the codes at RCPT."""

    async def run() -> list[int]:
        codes = []
        for mail in mails:
            local, named, sender = mail.partition("<")
            codes.append((await house.deliver(local, sender if named else "eve@shop.example")).code)
        return codes

    return asyncio.run(run())


@pytest.mark.parametrize("form", ["shop.2.ann", "ann.2.shop", "ann.shop.2", "shop.b.ann", "Shop~2~Ann"])
def test_count(form: str) -> None:
    """So many mails are let in, for the user's own address; the next one is refused, at once."""
    house = House()
    outcome, recipient, _ = asyncio.run(house.rcpt(form))
    assert ("ann@example.org", Fate.ACCEPT) == (str(recipient.final), outcome.fate)
    house = House()
    assert [250, 250, 550, 550] == said(house, *[form] * 4)
    last = asyncio.run(house.deliver(form))
    assert ("counted_address", "used up", "5.2.1", True) == (
        last.plugin,
        last.reason,
        last.enhanced,
        last.at_once,
    )
    assert "This address is not in use any more" == last.public


def test_all_spellings_are_one_address() -> None:
    """Order, case and another number change nothing: the count of the first mail holds."""
    assert [250, 250, 550, 550] == said(House(), "shop.2.ann", "ann.20.shop", "SHOP.9.ann", "shop.ann")


def test_number_that_is_left_out() -> None:
    """`word.user` takes three; with default_count=0 it is nobody."""
    assert [250, 250, 250, 550] == said(House(), *["shop.ann"] * 4)
    nobody = asyncio.run(House(default_count=0).deliver("shop.ann"))
    assert ("recipients", 550, "5.1.1") == (nobody.plugin, nobody.code, nobody.enhanced)


def test_at_most_twenty() -> None:
    """A higher number counts as twenty."""
    assert [250] * 20 + [550] == said(House(most_an_hour=0), *["shop.999.ann"] * 21)


@pytest.mark.parametrize("local", ["shop.5.nobody", "nobody.5.shop", "shop.5.postmaster", "shop.5.info"])
def test_only_for_who_is_there(local: str) -> None:
    """The user must be a known recipient and no reserved name: else it is refused as anybody unknown."""
    outcome = asyncio.run(House(known=("ann", "info")).deliver(local))
    assert ("recipients", "5.1.1") == (outcome.plugin, outcome.enhanced)


def test_user_that_is_known_not_to_exist() -> None:
    """Invalid beats everything, also behind a counted address and in a catch-all."""
    house = House(known=("*",))
    house.rows["old"] = RecipientRow("old", "invalid")
    assert [550] == said(house, "shop.5.old")


def test_nobody_by_a_wildcard_alone() -> None:
    """In a catch-all who is not listed by name has no counted addresses, so that a flood makes no records."""
    house = House(known=("*", "ann"))
    assert [250, 250, 550] == said(house, "a.1.anybody", "a.1.ann", "a.1.ann")
    assert [250, 250] == said(house, "a.1.anybody", "a.1.anybody")
    assert ["at ann a", "new ann a"] == [
        key for key, _ in asyncio.run(house.records.list("example.org", "counted_address"))
    ]


def test_where_the_server_knows_who_is_there() -> None:
    """With recipients=any the domain's server says who is there, and the address is counted all the same."""
    house = House(recipients="any", known=())
    assert [250, 550] == said(house, "a.1.anybody", "a.1.anybody")


def test_own_name_goes_before() -> None:
    """Who is listed by the very name is that one; so is who is listed as not existing."""
    house = House(known=("ann", "shop.5.ann"))
    _, recipient, _ = asyncio.run(house.rcpt("shop.5.ann"))
    assert "shop.5.ann@example.org" == str(recipient.final)
    house.rows["shop.5.ann"] = RecipientRow("shop.5.ann", "invalid")
    assert [550, 250] == said(house, "shop.5.ann", "shop.6.ann")


@pytest.mark.parametrize(
    ("own", "mails", "codes"),
    [
        (
            {"prefix": "my"},
            ("shop.5.ann", "x.shop.5.ann", "my.shop.5.ann", "shop.5.ann"),
            [550, 550, 250, 250],
        ),
        ({"watchwords": ["buy"]}, ("shop.5.ann", "webuyit.5.ann"), [550, 250]),
        ({"trusted": ["shop.example"]}, ("w.1.ann", "w.1.ann", "w.1.ann<x@a.shop.example"), [250] * 3),
        ({"trusted": ["x@y.example"]}, ("w.1.ann", "w.1.ann", "w.1.ann<X@y.example"), [250, 550, 250]),
        ({"separators": ["_"]}, ("shop.5.ann", "shop_5_ann"), [550, 250]),
        ({}, ("w.+.ann<a@x.example", "w.+.ann<a@x.example", "w.+.ann<b@x.example"), [250, 250, 550]),
        ({}, ("w.+.ann<a.c@x.example", "w.+.ann<abc@x.example", "w.+.ann<"), [250, 550, 550]),
        ({}, ("w.*.ann<a@x.example", "w.*.ann<b@m.x.example", "w.*.ann<b@yx.example"), [250, 250, 550]),
        ({}, ("w.+.ann<",), [550]),
        ({}, ("w.1.ann<", "w.1.ann<"), [250, 550]),
    ],
)
def test_rules(own: dict[str, Any], mails: tuple[str, ...], codes: list[int]) -> None:
    """Prefix and watchwords for new ones, trusted senders, separators, exclusive senders (no regex)."""
    assert codes == said(House(**own), *mails)


def test_settings_of_one_user() -> None:
    """Prefix, separators and switch may be one user's own."""
    house = House()
    house.for_user("ann", prefix="my", separators=["_"])
    house.for_user("bob", mode="off")
    assert [550, 550, 250] == said(house, "shop.5.ann", "shop_5_ann", "my_shop_5_ann")
    outcome = asyncio.run(house.deliver("shop.5.bob"))
    assert "recipients" == outcome.plugin


def test_date() -> None:
    """Good to the end of that day, and at most four weeks; a day that is over is refused."""
    house = House()
    form = f"shop.{TODAY + timedelta(days=2)}.ann"
    assert [250] * 30 == said(house, *[form] * 30)
    house.clock.now += 4 * 86_400
    refused = asyncio.run(house.deliver(form))
    assert (550, "its date is over") == (refused.code, refused.reason)
    assert [550] == said(house, f"old.{TODAY - timedelta(days=3)}.ann")
    house = House()
    assert [250] == said(house, "shop.2027-12-31.ann")
    house.clock.now += 28 * 86_400 + 1
    assert [550] == said(house, "shop.2027-12-31.ann")


@pytest.mark.parametrize("fate", [Fate.REJECT, Fate.DEFER])
def test_only_accepted_mail_counts(fate: Fate) -> None:
    """A mail that another check refused, or that never came, costs no use and makes no address."""
    house = House(new_seconds=180)

    async def run() -> list[int]:
        for _ in range(3):
            assert 250 == (await house.deliver("shop.1.ann", fate=fate)).code
        assert [] == await house.records.list("example.org", "counted_address")
        return [(await house.deliver("shop.1.ann")).code for _ in range(2)]

    assert [250, 550] == asyncio.run(run())


@pytest.mark.parametrize("used", [0, 1])
def test_two_at_once_for_the_last_one(used: int) -> None:
    """One is let in; the other waits (450) until the first one's fate is known, then it is refused."""
    house = House(new_seconds=0)
    form = f"shop.{used + 1}.ann"

    async def run() -> list[int]:
        for _ in range(used):
            await house.deliver(form)
        one, recipient, transaction = await house.rcpt(form)
        two, _, _ = await house.rcpt(form)
        await house.bench.pipeline.settle(transaction, recipient, used=True)
        three, _, _ = await house.rcpt(form)
        return [one.code, two.code, three.code]

    assert [250, 450, 550] == asyncio.run(run())


def test_named_twice_in_one_mail() -> None:
    """One mail counts once, also where it names the address twice."""
    house = House()

    async def run() -> int:
        _, _, transaction = await house.rcpt("shop.1.ann")
        outcome, _, _ = await house.rcpt("shop.1.ann", transaction=transaction)
        await house.bench.pipeline.settle(transaction, None, used=True)
        assert 250 == outcome.code
        return await house.records.count("example.org", "counted_address", "at ann shop")

    assert 1 == asyncio.run(run())


def test_new_addresses_are_throttled() -> None:
    """A user gets one new address in three minutes: the second waits, and what is there goes on."""
    house = House(new_seconds=180)
    assert [250, 450, 250, 250] == said(house, "a1.5.ann", "b1.5.ann", "a1.5.ann", "b1.5.bob")
    house.clock.now += 181
    assert [250] == said(house, "b1.5.ann")


def test_pause() -> None:
    """After so many mails in an hour all counted addresses of the user pause for some hours."""
    house = House(most_an_hour=2, pause_hours=8)
    assert [250, 250, 450, 250] == said(house, "a1.5.ann", "a1.5.ann", "a1.5.ann", "a1.5.bob")
    house.clock.now += 7 * 3600
    assert [450] == said(house, "a1.5.ann")
    house.clock.now += 3600 + 1
    assert [250] == said(house, "a1.5.ann")


def test_header() -> None:
    """The mail says which address it came by and what is left; a switch leaves that out."""

    house = House()
    asyncio.run(house.deliver("shop.3.ann"))
    asyncio.run(house.deliver("shop.3.ann"))
    assert ["X-Counted-Address: shop: message 3 of 3, the last one"] == [
        f"{name}: {value}" for name, value in asyncio.run(house.deliver("shop.3.ann")).headers
    ]
    tagged = asyncio.run(House(tag_subject=True, header=False).deliver("shop.3.ann"))
    assert (("Subject", "(shop: message 1 of 3)"),) == tagged.headers
    assert () == asyncio.run(House(header=False).deliver("shop.3.ann")).headers


def test_watch_rewrites_and_counts_nothing() -> None:
    """On watch it is as if the check were not there, and no use is counted."""
    house = House(mode="watch")
    outcome = asyncio.run(house.deliver("shop.5.ann"))
    assert "recipients" == outcome.plugin
    assert [] == asyncio.run(house.records.list("example.org", "counted_address"))


def test_record_that_cannot_be_read_is_a_failure() -> None:
    """A broken record is our trouble: the mail goes on, it is never refused for it."""
    house = House()
    asyncio.run(house.records.put("example.org", "counted_address", "at ann shop", "nonsense"))
    bench, case = house.bench, Case()
    policy = bench.policy("example.org", {"counted_address": house.own})

    async def run() -> list[Any]:
        address = parse_address("shop.5.ann@example.org")
        recipient = Recipient(address, address, policy=policy)
        session, transaction = case.session(), case.transaction()
        transaction.known = house.look
        found = bench.pipeline.run_address(session, transaction, recipient, policy)
        assert isinstance(found, list)
        asked = bench.pipeline.run_recipient(session, transaction, recipient, policy, house.rows["ann"])
        return asked if isinstance(asked, list) else await asked

    (finding,) = [f for f in asyncio.run(run()) if f.failure]
    assert "cannot be read" in finding.failure
    assert not isinstance(finding.verdict, Reject)


def test_bad_separator() -> None:
    """A separator that could not be told from a word is an error when it is set."""
    with pytest.raises(ValueError, match="separators"):
        asyncio.run(House(separators=["@"]).rcpt("x"))
