"""What was reserved is counted when the mail got in, given back when it did not; `done` hears of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Reject
from gatepost.plugin.base import Plugin
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome
from gatepost.store.base import Reservation
from tests.plugin.stage import counting, make_plugin


def to(policy: Any, local: str = "ann", **words: Any) -> Recipient:
    address = parse_address(f"{local}@{policy.domain}")
    return Recipient(address, address, policy=policy, **words)


class Book:
    """Records that only count."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.settled: list[tuple[str, bool]] = []
        self.records: list[Any] = []

    async def reserve(
        self, domain: str, plugin: str, key: str, limit: int, _lease: float
    ) -> Reservation | None:
        if len(self.held) >= limit:
            return None
        self.held.append(f"{domain} {plugin} {key}")
        return Reservation(len(self.held), domain, plugin, key)

    async def settle(self, reservation: Reservation, used: bool, record: Any = None) -> None:
        self.settled.append((self.held[reservation.id - 1], used))
        self.records.append(record)


@pytest.mark.parametrize(
    ("fate", "used"),
    [
        (Fate.ACCEPT, True),
        (Fate.QUARANTINE, True),
        (Fate.TAKE, True),
        (Fate.REJECT, False),
        (Fate.DEFER, False),
    ],
)
def test_reservation_is_settled(fate: Fate, used: bool) -> None:
    """What `ctx.reserve` held is counted when the mail got in, and given back when it did not."""

    async def rcpt(_self: Plugin, ctx: Any) -> Any:
        return None if await ctx.reserve("word", 1) else Reject("used up")

    async def run() -> None:
        book = Book()
        bench = Bench([make_plugin(rcpt=rcpt)], Tools(records=book))
        policy = bench.policy()
        case = Case()
        session, transaction = case.session(), case.transaction()
        assert [None] == [f.verdict for f in await bench.ask(policy, case, session, transaction)]
        second = Case(recipient="bob@example.org")
        (finding,) = await bench.ask(policy, second, session, transaction)
        assert Reject("used up", "Not accepted here") == finding.verdict
        later = bench.pipeline.run_done(session, transaction, transaction.recipients[0], Outcome(fate))
        assert later is not None
        await later
        assert [("example.org probe word", used)] == book.settled
        assert bench.pipeline.run_done(session, transaction, transaction.recipients[0], Outcome(fate)) is None

    asyncio.run(run())


def test_reservation_of_a_mail_that_never_came() -> None:
    """RSET or a lost connection gives everything back."""

    async def rcpt(_self: Plugin, ctx: Any) -> Any:
        await ctx.reserve("word", 9)

    async def run() -> None:
        book = Book()
        bench = Bench([make_plugin(rcpt=rcpt)], Tools(records=book))
        case = Case()
        session, transaction = case.session(), case.transaction()
        for local in ("ann", "bob"):
            await bench.ask(bench.policy(), Case(recipient=f"{local}@example.org"), session, transaction)
        await bench.pipeline.settle(transaction, None, used=False)
        assert [("example.org probe word", False)] * 2 == book.settled

    asyncio.run(run())


def test_done() -> None:
    """`done` is told the fate, at once where it does not wait: then nothing runs behind the reply."""
    hook, asked = counting()
    bench = Bench([make_plugin(done=hook)])
    outcome = Outcome(Fate.REJECT, "other", "reason", code=550)
    session, transaction = Case().session(), Case().transaction()
    assert bench.pipeline.run_done(session, transaction, to(bench.policy()), outcome) is None
    assert [outcome] == [ctx.outcome for ctx in asked]
    silent = bench.policy("example.org", {"probe": {"mode": "off"}})
    assert bench.pipeline.run_done(session, transaction, to(silent), outcome) is None
    assert 1 == len(asked)


def test_done_of_accepted_mail_alone() -> None:
    """Who only wants to hear of accepted mail is not asked about any other."""
    told, asked = counting()
    bench = Bench([make_plugin("Probe", done=told, done_accepted=True)])
    for fate, times in ((Fate.REJECT, 0), (Fate.DEFER, 0), (Fate.QUARANTINE, 0), (Fate.ACCEPT, 1)):
        asked.clear()
        waiting = bench.pipeline.run_done(Case().session(), None, to(bench.policy()), Outcome(fate))
        assert waiting is None
        assert times == len(asked), fate


def test_done_that_waits() -> None:
    """What waits goes on behind the reply; what fails or answers is counted, and harms nobody."""
    told: list[Any] = []

    async def done(_self: Plugin, ctx: Any) -> None:
        await asyncio.sleep(0)
        told.append(ctx.outcome)

    async def fails(_self: Plugin, _ctx: Any) -> Any:
        await asyncio.sleep(0)
        return Reject("too late")

    async def run() -> None:
        outcome = Outcome(Fate.ACCEPT)
        for hook, failures in ((done, {}), (fails, {"probe": 1})):
            bench = Bench([make_plugin(done=hook)])
            session, transaction = Case().session(), Case().transaction()
            later = bench.pipeline.run_done(session, transaction, to(bench.policy()), outcome)
            assert later is not None
            await later
            assert failures == bench.pipeline.failures
        assert [outcome] == told

    asyncio.run(run())


def test_twice_for_one_recipient() -> None:
    """A recipient that is named twice holds one count, another one holds his own; a record goes with it."""

    async def rcpt(_self: Plugin, ctx: Any) -> Any:
        assert await ctx.reserve("word", 9, record={"n": 1})

    async def run() -> None:
        book = Book()
        bench = Bench([make_plugin(rcpt=rcpt)], Tools(records=book))
        session, transaction = Case().session(), Case().transaction()
        for local in ("ann", "ann", "bob"):
            await bench.ask(bench.policy(), Case(recipient=f"{local}@example.org"), session, transaction)
        await bench.pipeline.settle(transaction, None, used=True)
        assert [("example.org probe word", True)] * 2 == book.settled
        assert [{"n": 1}] * 2 == book.records

    asyncio.run(run())
