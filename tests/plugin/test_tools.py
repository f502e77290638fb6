"""Memory is bound to one plugin and one domain: nobody sees another's."""

from __future__ import annotations

import asyncio
from typing import Any

from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import BoundRecords, BoundState, Tools
from gatepost.store.memory import MemoryRecords, MemoryState
from tests.plugin.stage import Mail, make_plugin


def test_state_is_apart() -> None:
    """The same key under two plugins and two domains is four values."""

    async def count(_self: Plugin, ctx: Any) -> Any:
        assert 1 == await ctx.state.add("key", 1, 60)
        await ctx.state.put("value", ctx.domain.encode(), 60)
        assert ctx.domain.encode() == await ctx.state.get("value")
        await ctx.state.delete("value")
        assert await ctx.state.get("value") is None

    found = [(p.name, p(), "built-in", "") for p in (make_plugin(n, rcpt=count) for n in ("One", "Two"))]
    bench = Bench(Registry(found), Tools(state=MemoryState(lambda: 0.0)))
    mail = Mail(bench)
    for domain in ("a.example", "b.example"):
        assert ["", ""] == [f.failure for f in mail.rcpt(bench.policy(domain))]


def test_state_of_the_machine() -> None:
    """A check of the machine counts for all domains together."""

    async def count(_self: Plugin, ctx: Any) -> Any:
        seen.append(await ctx.state.add("key", 1, 60))

    seen: list[int] = []
    (plugin,) = (make_plugin(connect=count, scope=Scope.GATEWAY),)
    bench = Bench(Registry([("probe", plugin(), "built-in", "")]), Tools(state=MemoryState(lambda: 0.0)))
    for _ in range(3):
        bench.pipeline.gateway_connect(Case().session())
    assert [1, 2, 3] == seen
    assert {} == bench.pipeline.failures


def test_records_are_apart() -> None:
    """Durable memory too: kept, listed and deleted under the plugin and the domain."""

    async def run() -> None:
        records = MemoryRecords(lambda: 0.0)
        mine = BoundRecords(records, "a.example", "probe")
        others = [BoundRecords(records, "b.example", "probe"), BoundRecords(records, "a.example", "other")]
        await mine.put("word/1", {"left": 5})
        await mine.put("word/2", {"left": 4})
        await mine.put("else", 1)
        assert {"left": 5} == await mine.get("word/1")
        assert [("word/1", {"left": 5}), ("word/2", {"left": 4})] == await mine.list("word/")
        for other in others:
            assert await other.get("word/1") is None
            assert [] == await other.list()
        await mine.delete("word/1")
        assert await mine.get("word/1") is None

    asyncio.run(run())


def test_keys_cannot_be_forged() -> None:
    """A key that a sender chose stays inside the plugin's own place."""

    async def run() -> None:
        state = MemoryState(lambda: 0.0)
        victim = BoundState(state, "greylist\x1fa.example\x1f")
        attacker = BoundState(state, "probe\x1fb.example\x1f")
        await victim.put("seen", b"1", 60)
        for key in ("../seen", "\x1fgreylist\x1fa.example\x1fseen", "seen"):
            assert await attacker.get(key) is None

    asyncio.run(run())


def test_reservations_with_the_real_store() -> None:
    """Two at once for a count of one: one gets it; given back, the next one does."""

    async def run() -> None:
        async def rcpt(_self: Plugin, ctx: Any) -> None:
            got.append(await ctx.reserve("word", 1))

        got: list[bool] = []
        bench = Bench([make_plugin(rcpt=rcpt)], Tools(records=MemoryRecords(lambda: 0.0)))
        policy = bench.policy()
        mails = [(Case().session(), Case().transaction()) for _ in range(4)]
        for session, transaction in mails[:2]:
            await bench.ask(policy, None, session, transaction)
        assert [True, False] == got
        await bench.pipeline.settle(mails[0][1], None, used=False)
        await bench.ask(policy, None, *mails[2])
        assert [True, False, True] == got
        await bench.pipeline.settle(mails[2][1], None, used=True)
        await bench.ask(policy, None, *mails[3])
        assert [True, False, True, False] == got

    asyncio.run(run())
