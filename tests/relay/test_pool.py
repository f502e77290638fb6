"""Connections are shared, bounded, thrown away in time, and never lead where they may not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gatepost.relay import pool as module
from gatepost.relay.connection import NoConnection
from gatepost.relay.ourselves import Ourselves
from gatepost.relay.places import NoPlace
from gatepost.relay.pool import Pool
from gatepost.relay.routes import Route, parse_route
from tests.relay.backend import Backend, run
from tests.relay.house import Nobody
from tests.soon import soon


def later(seconds: float = 30.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def with_backend(work: Callable[[Backend, Route], Awaitable[None]], backend: Backend | None = None) -> None:
    async def main() -> None:
        async with (backend or Backend()).running() as running:
            await work(running, parse_route(running.url))

    run(main())


def test_bound_for_a_route() -> None:
    """At most so many at once; the next one waits for his turn, or until his time is over."""

    async def work(backend: Backend, route: Route) -> None:
        pool = Pool("gate", Nobody(), per_route=2)
        one, two = await pool.open(route, later()), await pool.open(route, later())
        with pytest.raises(NoConnection, match="in use"):
            await pool.open(route, later(0.05))
        waiting = asyncio.ensure_future(pool.open(route, later()))
        await asyncio.sleep(0.01)
        pool.give(one)
        assert one is await waiting
        waiting = asyncio.ensure_future(pool.open(route, later()))
        await asyncio.sleep(0.01)
        two.abort()
        pool.give(two)
        three = await waiting
        assert 3 == backend.connections
        pool.give(three)
        assert (2, 1) == pool.counts()
        four = await pool.open(route, later(), fresh=True)
        assert four is not three
        assert (2, 0) == pool.counts()

    with_backend(work)


def test_idle_ones_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute of idleness, or a hundred messages, a connection is closed with QUIT."""
    monkeypatch.setattr(module, "MAX_IDLE", 0.5)

    async def work(backend: Backend, route: Route) -> None:
        pool = Pool("gate", Nobody(), tick=0.03)
        one = await pool.open(route, later())
        pool.give(one)
        assert one is pool.take(route)
        pool.give(one)
        await soon(lambda: pool.counts() == (0, 0))
        await soon(lambda: "QUIT" in backend.said)
        assert pool.take(route) is None
        two = await pool.open(route, later())
        two.used = module.MAX_USES
        pool.give(two)
        assert (0, 0) == pool.counts()

    with_backend(work)


def test_closing() -> None:
    """A closed pool says good-bye; what is still in use goes when it comes back."""

    async def work(_backend: Backend, route: Route) -> None:
        pool = Pool("gate", Nobody())
        one, two = await pool.open(route, later()), await pool.open(route, later())
        pool.give(one)
        pool.close()
        assert one.gone
        assert not two.gone
        pool.give(two)
        assert two.gone
        assert (0, 0) == pool.counts()

    with_backend(work)


def test_never_to_ourselves() -> None:
    """The route's address is looked at when the connection is made, so that a name cannot lie."""

    async def work(backend: Backend, route: Route) -> None:
        us = Ourselves([("0.0.0.0", backend.port)])
        pool = Pool("gate", Nobody(), is_ours=us.owns)
        with pytest.raises(NoPlace, match="ourselves"):
            await pool.open(route, later())
        assert 0 == backend.connections

    with_backend(work)


def test_guard() -> None:
    """An address that an owner may not use is not connected to."""

    async def work(backend: Backend, route: Route) -> None:
        pool = Pool("gate", Nobody(), guard=lambda _route, address, _port: f"{address} is private")
        with pytest.raises(NoConnection, match="private"):
            await pool.open(route, later())
        assert 0 == backend.connections

    with_backend(work)


def test_a_hop_that_is_silent_is_not_asked_by_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a connection timed out, the mails of the next seconds are told at once."""
    monkeypatch.setattr(module, "CONNECT", 0.4)

    async def work(backend: Backend, route: Route) -> None:
        pool = Pool("gate", Nobody())
        with pytest.raises(NoConnection, match="no answer"):
            await pool.open(route, later())
        # Whoever asked it once more would wait for longer than this test may take.
        monkeypatch.setattr(module, "CONNECT", 600)
        with pytest.raises(NoConnection, match="no answer"):
            await pool.open(route, later(600))
        assert 1 == backend.connections

    with_backend(work, Backend(delay_at="connect", delay=600))


@pytest.mark.parametrize("greeting", [b"554 5.7.1 go away\r\n", b"421 busy\r\n", b"250 odd\r\n"])
def test_not_welcome(greeting: bytes) -> None:
    """A next hop that does not greet is told with its words, and is asked again by the next mail."""

    async def work(backend: Backend, route: Route) -> None:
        pool = Pool("gate", Nobody())
        for _ in range(2):
            with pytest.raises(NoConnection, match=greeting[4:7].decode()):
                await pool.open(route, later())
        assert 2 == backend.connections
        assert (0, 0) == pool.counts()

    with_backend(work, Backend(greeting=greeting))
