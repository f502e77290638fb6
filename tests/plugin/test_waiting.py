"""What waits, waits together, each for its own time; nobody is held up by one that will not end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.message import Message
from gatepost.mail.verdict import Score
from gatepost.plugin.base import Cost, Plugin
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.pipeline import MESSAGE_SECONDS
from gatepost.plugin.registry import Registry, load
from gatepost.plugin.runner import HOST_TIMEOUT
from gatepost.plugin.waiting import LEAST
from gatepost.policy.policy import Mode
from gatepost.server.intake import CHECK_SECONDS
from tests.plugin.stage import Mail, ask, make_plugin


def test_all_at_once() -> None:
    """Five checks wait at the same time: each of them until all five do. The time of each is its own."""
    all_wait = asyncio.Barrier(5)

    async def waits(_self: Plugin, _ctx: Any) -> Any:
        await all_wait.wait()
        await asyncio.sleep(0.1)
        return Score(1, "x")

    bench = Bench([make_plugin(f"P{n}", helo=waits, cost=Cost.DNS) for n in range(5)])
    findings = ask(bench)
    assert [Score(1, "x")] * 5 == [f.verdict for f in findings]
    assert all(80 < f.milliseconds for f in findings)


def test_all_of_a_message_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow checks in a row use up the message's time: each fails alone, and the others' answers hold."""
    monkeypatch.setattr("gatepost.plugin.pipeline.MESSAGE_SECONDS", 1.0)
    monkeypatch.setattr("gatepost.plugin.waiting.LEAST", 0.5)

    async def hangs(_self: Plugin, _ctx: Any) -> Any:
        await asyncio.sleep(60)

    async def scores(_self: Plugin, _ctx: Any) -> Any:
        await asyncio.sleep(0.02)
        return Score(1, "x")

    costs = (Cost.DNS, Cost.NETWORK)
    bench = Bench(
        [make_plugin(f"Hangs{n}", message=hangs, cost=cost, timeout=0.6) for n, cost in enumerate(costs)]
        + [make_plugin(f"Late{n}", message=scores, cost=cost) for n, cost in enumerate(costs)]
    )
    findings = asyncio.run(bench.ask_message(bench.policy(), Message(b"Subject: x\r\n\r\n")))
    assert 2 == len([f for f in findings if f.verdict == Score(1, "x")])
    # The second has its least: the first left it less than that, and its own limit is longer.
    assert ["no answer within 0.6 s", "no answer within 0.5 s"] == [f.failure for f in findings if f.failure]


def test_house_waits_longer_than_its_checks() -> None:
    """The limit that puts off a whole mail is never reached by slow checks."""
    each_rank = 6 * LEAST
    assert MESSAGE_SECONDS + HOST_TIMEOUT + each_rank < CHECK_SECONDS


def test_each_its_own_limit() -> None:
    """A time limit cuts off one check; another that takes longer but may is waited for."""

    async def waits(_self: Plugin, _ctx: Any) -> Any:
        await asyncio.sleep(0.2)
        return Score(1, "x")

    bench = Bench(
        [make_plugin("Short", helo=waits, timeout=0.05), make_plugin("Long", helo=waits, timeout=5)]
    )
    said = {f.plugin: f for f in ask(bench)}
    assert "no answer within 0.05 s" == said["short"].failure
    assert Score(1, "x") == said["long"].verdict


def test_no_task_for_who_does_not_wait() -> None:
    """Plain hooks answer without a loop being there at all."""
    bench = Bench(load(entries=False))
    findings = Mail(bench).rcpt(bench.policy(everything=Mode.ON))
    assert {"recipients", "helo_name", "deny_list", "dnsbl"} <= {f.plugin for f in findings}


def test_client_went_away() -> None:
    """When the asking is cancelled, the checks that wait are cancelled too."""
    ended: list[str] = []

    async def waits(_self: Plugin, _ctx: Any) -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("cancelled")

    async def run() -> None:
        bench = Bench([make_plugin(helo=waits)])
        task = asyncio.create_task(bench.ask(bench.policy()))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.02)

    asyncio.run(run())
    assert ["cancelled"] == ended


def shipped(*plugins: type[Plugin]) -> Bench:
    """Return a bench on which coroutines are driven by hand, as those of shipped plugins are."""
    return Bench(Registry([(p.name, p(), "built-in", "") for p in plugins]))


def test_driven_by_hand() -> None:
    """A coroutine that does not wait needs no task and no loop."""

    async def helo(_self: Plugin, _ctx: Any) -> Any:
        return Score(1, "at once")

    bench = shipped(make_plugin(helo=helo))
    assert [Score(1, "at once")] == [f.verdict for f in Mail(bench).rcpt(bench.policy())]


def test_two_wait_for_one_future() -> None:
    """Two checks that wait for one and the same future (a joined query) both get its result."""
    futures: list[asyncio.Future[str]] = []

    async def helo(_self: Plugin, _ctx: Any) -> Any:
        if not futures:
            loop = asyncio.get_running_loop()
            futures.append(loop.create_future())
            loop.call_later(0.02, futures[0].set_result, "joined")
        return Score(1, await futures[0])

    bench = shipped(make_plugin("One", helo=helo), make_plugin("Two", helo=helo))
    assert [Score(1, "joined")] * 2 == [f.verdict for f in ask(bench)]


def test_future_that_is_done_meanwhile() -> None:
    """A wait that is over before the task begins is over."""

    async def helo(_self: Plugin, _ctx: Any) -> Any:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, "soon")
        return Score(1, await future)

    assert [Score(1, "soon")] == [f.verdict for f in ask(shipped(make_plugin(helo=helo)))]


def test_house_time_limits_need_a_task() -> None:
    """A third party's coroutine may use `asyncio.timeout` and task groups: it has a task from the start."""

    async def helo(_self: Plugin, _ctx: Any) -> Any:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            one = group.create_task(asyncio.sleep(0.001, "grouped"))
        return Score(1, one.result())

    bench = Bench([make_plugin(helo=helo)])
    assert [Score(1, "grouped")] == [f.verdict for f in ask(bench)]
    bench = shipped(make_plugin(helo=helo, cost=Cost.NETWORK))
    assert [Score(1, "grouped")] == [f.verdict for f in ask(bench)]


def test_many_waits_in_a_row() -> None:
    """A hook may wait as often as it likes; every wait gives back what it should."""

    async def helo(_self: Plugin, _ctx: Any) -> Any:
        total = 0
        for n in range(50):
            total += await asyncio.sleep(0, n)
        return Score(total, "sum")

    assert [Score(1225, "sum")] == [f.verdict for f in ask(shipped(make_plugin(helo=helo)))]


def test_nothing_is_left_over() -> None:
    """After a time-out no task and no warning stays behind."""

    async def helo(_self: Plugin, _ctx: Any) -> None:
        await asyncio.sleep(30)

    async def run() -> None:
        bench = Bench([make_plugin(helo=helo, timeout=0.02)])
        (finding,) = await bench.ask(bench.policy(), Case())
        assert "no answer within 0.02 s" == finding.failure
        await asyncio.sleep(0.02)
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(run())
