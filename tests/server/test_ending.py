"""A domain that is removed between MAIL and the end of the data has no part in the mail any more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Reject
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.resolve import resolve
from gatepost.policy.source import DomainRows, Everywhere
from gatepost.relay.results import Result
from gatepost.server.ending import domains_of
from tests.server.indoors import MAIL, Client, Indoors, inside

GONE, STAYS = "gone.test", "stays.test"
DOWN = Result("unreachable", 451, "4.4.1", "nobody is there")


async def in_data(house: Indoors, *recipients: str) -> Client:
    """Return a client that is in the middle of a message."""
    client = house.client()
    assert all(line.startswith("250") for line in await client.envelope("s@x.example", recipients))
    assert (await client.say("DATA")).startswith("354")
    assert "" == await client.say(MAIL)
    return client


def opened(house: Indoors, **settings: Any) -> Indoors:
    """Host two domains whose servers are away; mail for them is queued."""
    for name in (GONE, STAYS):
        house.host(name, {"on_backend_down": "spool", **settings})
        house.back_end.says[name] = DOWN
    return house.open()


def look(house: Indoors) -> None:
    """Follow the policy."""
    assert house.follower is not None
    assert house.follower.look()


def rows(house: Indoors) -> list[tuple[str, str, str]]:
    """Return domain, recipient and fate of each row."""
    return [(row.domain, row.recipient, row.fate) for row in house.outcomes()]


@pytest.mark.parametrize("again", [False, True])
def test_removed_in_data(tmp_path: Path, again: bool) -> None:
    """Nothing is queued, kept or written under the name, though another one has it by now: 451."""

    @inside()
    async def one(house: Indoors) -> None:
        opened(house)
        client = await in_data(house, f"ann@{GONE}")
        house.store.remove_domain(GONE)
        if again:
            house.store.forget_domain(GONE, {}, "keeper")
            house.host(GONE)
        look(house)
        assert (await client.say(".")).startswith("451 4.3.0 Try again later")
        assert 0 == len(house.queue)
        assert [("", f"ann@{GONE}", "deferred")] == rows(house)
        said = await client.envelope("s@x.example", [f"ann@{GONE}"])
        assert ["250" if again else "550"] == [line[:3] for line in said]

    one(tmp_path)


@inside()
async def test_brought_back_in_data(house: Indoors) -> None:
    """A slip of the hand that is rolled back costs nothing: it is the same domain."""
    opened(house)
    client = await in_data(house, f"ann@{GONE}")
    house.store.remove_domain(GONE)
    house.store.roll_back(house.store.changes(limit=1)[0].id)
    look(house)
    assert (await client.say(".")).startswith("250")
    assert 1 == len(house.queue)


@inside()
async def test_two_domains(house: Indoors) -> None:
    """The other one's copy goes when the client comes again, not now and then once more."""
    opened(house)
    client = await in_data(house, f"ann@{GONE}", f"ann@{STAYS}")
    house.store.remove_domain(GONE)
    look(house)
    assert (await client.say(".")).startswith("451")
    assert 0 == len(house.queue)
    assert [("", f"ann@{GONE}", "deferred"), (STAYS, f"ann@{STAYS}", "deferred")] == rows(house)
    assert ["550", "250"] == [
        line[:3] for line in await client.envelope("s@x.example", [f"ann@{GONE}", f"ann@{STAYS}"])
    ]


@inside()
async def test_a_change_of_another_kind(house: Indoors) -> None:
    """A setting that is changed meanwhile takes nobody's mail away."""
    opened(house)
    client = await in_data(house, f"ann@{GONE}")
    house.store.put(f"domain:{GONE}", {"keep_days": 9})
    house.store.remove_domain(STAYS)
    look(house)
    assert (await client.say(".")).startswith("250")
    assert 1 == len(house.queue)


@inside()
async def test_refused_at_rcpt_and_to_be_kept(house: Indoors) -> None:
    """The copy of one who was refused beside another is not kept for a domain that is gone."""
    opened(house, refuse_at="data")
    house.probe.says["rcpt", GONE] = Reject("no")
    client = house.client()
    said = await client.envelope("s@x.example", [f"ann@{STAYS}", f"ann@{GONE}"])
    assert ["250", "550"] == [line[:3] for line in said]
    assert (await client.say("DATA")).startswith("354")
    house.store.remove_domain(GONE)
    look(house)
    assert (await client.say(MAIL + b".\r\n")).startswith("250")
    assert [] == house.archive.list(GONE)
    assert [("", f"ann@{GONE}", "rejected"), (STAYS, f"ann@{STAYS}", "queued")] == rows(house)


@inside()
async def test_a_transaction_that_is_given_up(house: Indoors) -> None:
    """Its row, whenever the client leaves, is not written under the name."""
    opened(house)
    client = house.client()
    await client.envelope("s@x.example", [f"ann@{GONE}", f"ann@{STAYS}"])
    house.store.remove_domain(GONE)
    look(house)
    client.hang_up()
    assert [("", f"ann@{GONE}", "abandoned"), (STAYS, f"ann@{STAYS}", "abandoned")] == rows(house)


@inside()
async def test_rcpt_after_the_removal(house: Indoors) -> None:
    """A transaction that began before it gets no recipient there, and no check writes anything."""
    opened(house)
    client = house.client()
    await client.envelope("s@x.example", [f"ann@{GONE}"])
    house.store.remove_domain(GONE)
    look(house)
    assert (await client.say(f"RCPT TO:<bob@{GONE}>")).startswith("550 5.7.1")
    assert (await client.say(f"RCPT TO:<bob@{STAYS}>")).startswith("250")


@inside()
async def test_nothing_is_hosted_any_more(house: Indoors) -> None:
    """It was the only one: an empty policy is no answer, so the client keeps the mail."""
    opened(house)
    client = await in_data(house, f"ann@{GONE}")
    for name in (GONE, STAYS):
        house.store.remove_domain(name)
    look(house)
    assert (await client.say(".")).startswith("451")
    assert 0 == len(house.queue)


@inside()
async def test_work_is_told(house: Indoors) -> None:
    """While a check is asked and while a message is handed on, the domain's work is under way."""
    opened(house)
    seen: list[dict[str, int]] = []
    work = house.gateway.under_way._work

    async def asked() -> None:
        await asyncio.sleep(0)
        seen.append(dict(work))

    async def handed(_target: Any, _data: bytes) -> list[Result]:
        seen.append(dict(work))
        return [DOWN]

    house.probe.says["rcpt", GONE] = asked
    house.back_end.answer = handed
    _, said = await house.client().mail("s@x.example", [f"ann@{GONE}"])
    assert said.startswith("250")
    assert [{GONE: 1}, {GONE: 1}] == seen
    assert {} == work


def test_domains_of() -> None:
    """Recipients' domains, those of who was refused too, and the sender's where it goes out."""

    def named(domain: str) -> Recipient:
        policy: DomainPolicy = resolve(DomainRows(domain, {"route": ["smtp://a:25"]}), Everywhere(), {})
        return Recipient(parse_address(f"a@{domain}"), parse_address(f"a@{domain}"), policy=policy)

    one = Transaction("x", None, owner="out.test")
    assert {"out.test"} == domains_of(one)
    one.recipients += [named("a.test"), Recipient(parse_address("b@c.test"), parse_address("b@c.test"))]
    one.refused.append(named("b.test"))
    assert {"out.test", "a.test", "b.test"} == domains_of(one)
