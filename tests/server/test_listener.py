"""Who may come in is let in and counted; who may not hears it in SMTP; who is slow is sent away."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.telemetry import metrics
from tests.server.indoors import MAIL, Indoors, inside
from tests.server.outdoors import Clock, call, empty, opened
from tests.soon import soon

GOODBYE = "QUIT"


@inside()
async def test_one_mail_through_the_door(house: Indoors) -> None:
    """A mail over a real socket; afterwards nobody is counted any more and the journal has all of it."""
    house.host("plain.test")
    house.open()
    async with opened(house) as port:
        caller = await call(port)
        assert (await caller.reply()).startswith("220 mx.test ESMTP")
        await caller.say("EHLO x.example")
        await caller.say("MAIL FROM:<s@x.example>")
        await caller.say("RCPT TO:<ann@plain.test>")
        assert (1, 1) == (house.gateway.column.open, len(house.door.connections))
        assert (await caller.say("DATA")).startswith("354")
        assert (await caller.say(MAIL + b".\r\n")).startswith("250")
        assert (await caller.say(GOODBYE)).startswith("221")
        assert "" == await caller.reply()
        await empty(house)
    (row,) = house.outcomes()
    (session,) = house.sessions()
    assert ("accepted", "quit", "127.0.0.1") == (row.fate, session.outcome, session.client)
    assert row.id == f"{session.id}.1"


@inside(max_connections_per_client=2)
async def test_too_many_of_one_client(house: Indoors) -> None:
    """One more than a client may have gets 421 with its id; when one leaves another may come."""
    house.host("plain.test")
    house.open()
    async with opened(house) as port:
        first, second = await call(port), await call(port)
        await first.reply()
        await second.reply()
        third = await call(port)
        assert (await third.reply()).startswith("421 4.7.0 Too many connections from your address")
        assert "" == await third.reply()
        await second.say(GOODBYE)
        second.hang_up()
        await soon(lambda: house.gateway.column.open == 1)
        fourth = await call(port)
        assert (await fourth.reply()).startswith("220")
        for one in (first, fourth):
            one.hang_up()
        await empty(house)
    said = sorted(session.outcome for session in house.sessions())
    assert ["Too many connections from your address, try again later", "connection lost"] == said[:2]
    assert 4 == len(said)


@inside(max_connections=1)
async def test_too_many_in_all(house: Indoors) -> None:
    """One more than the machine may have gets 421, and its session can be explained by its id."""
    house.host("plain.test")
    house.open()
    async with opened(house) as port:
        first = await call(port)
        await first.reply()
        second = await call(port)
        said = await second.reply()
        assert said.startswith("421 4.7.0 Too many connections, try")
        (session,) = house.sessions()
        assert f"({session.id})" in said
        first.hang_up()
        await empty(house)


@inside()
async def test_overload(house: Indoors) -> None:
    """While the machine is too busy new clients get 421, and those who are inside go on."""
    house.host("plain.test")
    house.open()
    async with opened(house) as port:
        inside_already = await call(port)
        await inside_already.reply()
        house.gateway.overloaded = "load"
        assert (await (await call(port)).reply()).startswith("421 4.3.2 System is too busy")
        assert (await inside_already.say("EHLO x.example")).startswith("250")
        house.gateway.overloaded = ""
        again = await call(port)
        assert (await again.reply()).startswith("220")
        for one in (again, inside_already):
            one.hang_up()
        await empty(house)


@inside()
async def test_client_rate(house: Indoors) -> None:
    """`client_rate.connections` counts who comes: the next one gets 421."""
    house.host("plain.test")
    house.store.put("all", {"client_rate.connections": 2})
    house.open()
    async with opened(house) as port:
        greeted = []
        for _ in range(3):
            caller = await call(port)
            greeted.append((await caller.reply())[:9].strip())
            caller.hang_up()
        assert ["220 mx.te", "220 mx.te", "421 4.7.0"] == greeted
        await empty(house)
    assert 3 == len(house.sessions())


@inside(proxy_protocol_from="127.0.0.1/32", max_connections_per_client=1)
async def test_proxy(house: Indoors) -> None:
    """Behind a balancer the true client is meant, counted and written down; what is no header ends it."""
    house.host("plain.test")
    house.open()
    async with opened(house) as port:
        header = b"PROXY TCP4 198.51.100.9 203.0.113.1 4711 25\r\n"
        first = await call(port)
        assert (await first.say(header)).startswith("220")
        second = await call(port)
        assert (await second.say(header)).startswith("421 4.7.0 Too many connections from your address")
        other = await call(port)
        assert (await other.say(header.replace(b".9 ", b".8 "))).startswith("220")
        nonsense = await call(port)
        nonsense.writer.write(b"EHLO x.example\r\n")
        assert b"" == await nonsense.reader.read()
        for one in (first, other):
            await one.say(GOODBYE)
        await empty(house)
    rows = house.sessions()
    assert 4 == len(rows), "one row for each, also for who was turned away behind the header"
    assert ["198.51.100.9", "198.51.100.9", "198.51.100.8", "127.0.0.1"] == [
        row.client for row in sorted(rows, key=lambda row: row.id)
    ]
    turned = [row for row in rows if row.outcome.startswith("Too many")]
    assert [[["session", "proxied", "127.0.0.1"]]] == [row.steps for row in turned]
    assert "proxy_refused" in house.log_text()


@inside(proxy_protocol_from="127.0.0.1/32")
async def test_proxy_and_client_rate(house: Indoors) -> None:
    """Behind a balancer `client_rate` counts the true clients."""
    house.host("plain.test")
    house.store.put("all", {"client_rate.connections": 1})
    house.open()
    async with opened(house) as port:
        said = []
        for client in (b"198.51.100.9", b"198.51.100.9", b"198.51.100.8"):
            caller = await call(port)
            said.append((await caller.say(b"PROXY TCP4 %s 203.0.113.1 4711 25\r\n" % client))[:3])
            caller.hang_up()
        assert ["220", "421", "220"] == said
        await empty(house)


@inside(timeout=300)
async def test_silence_ends(house: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that says nothing for `timeout` gets 421; one that speaks has the full time again."""
    house.host("plain.test")
    clock = Clock(house.open(), monkeypatch)
    async with opened(house) as port:
        silent, talker = await call(port), await call(port)
        await silent.reply()
        await talker.reply()
        clock.turn(200)
        assert (await talker.say("NOOP")).startswith("250")
        clock.turn(110)
        assert (await silent.reply()).startswith("421 4.4.2 Timeout")
        assert (await talker.say("NOOP")).startswith("250")
        silent.hang_up()
        talker.hang_up()
        await empty(house)
    assert ["timeout", "connection lost"] == [row.outcome for row in house.sessions()]


@inside(timeout=300)
async def test_session_ends(house: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever talks for two hours is sent away whatever he says."""
    house.host("plain.test")
    clock = Clock(house.open(), monkeypatch)
    async with opened(house) as port:
        caller = await call(port)
        await caller.reply()
        for _ in range(28):
            clock.turn(250)
            assert (await caller.say("NOOP")).startswith("250")
        clock.turn(250)
        assert (await caller.reply()).startswith("421 4.4.2")
        caller.hang_up()
        await empty(house)


@inside()
async def test_drain(house: Indoors) -> None:
    """Draining, nobody new comes in, who is idle is sent away, and an open transaction ends well."""
    house.host("plain.test")
    house.open()
    async with opened(house) as port:
        idle, busy = await call(port), await call(port)
        await idle.reply()
        await busy.reply()
        await busy.say("EHLO x.example")
        await busy.say("MAIL FROM:<s@x.example>")
        house.gateway.draining = True
        house.door.drain()
        assert (await idle.reply()).startswith("421 4.3.2")
        assert "" == await idle.reply()
        await busy.say("RCPT TO:<ann@plain.test>")
        await busy.say("DATA")
        assert (await busy.say(MAIL + b".\r\n")).startswith("250")
        assert (await busy.say("MAIL FROM:<s@x.example>")).startswith("421 4.3.2")
        assert "" == await busy.reply()
        idle.hang_up()
        busy.hang_up()
        await empty(house)
    assert 1 == len(house.back_end.taken)
    assert 2 == len(house.sessions())


@inside(greet_wait=30)
async def test_early_talker(house: Indoors) -> None:
    """Who talks before the greeting is marked, counted and served; who waits is greeted later."""
    house.host("plain.test")
    house.open()
    before = metrics.snapshot().get("gatepost_early_talkers_total")
    async with opened(house) as port:
        early, patient = await call(port), await call(port)
        early.writer.write(b"EHLO x.example\r\n")
        assert (await early.reply()).startswith("220")
        assert (await early.reply()).startswith("250-mx.test")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(patient.reader.readline(), 0.05)
        early.hang_up()
        patient.hang_up()
        await empty(house)
    steps = {str(row.steps) for row in house.sessions()}
    assert {"None", "[['session', 'early', 'talked before the greeting']]"} == steps
    assert metrics.snapshot().get("gatepost_early_talkers_total") != before


@inside(xclient_from="127.0.0.1/32")
async def test_xclient(house: Indoors) -> None:
    """A trusted peer says who the client is; the checks and the journal then speak of that one."""
    house.host("plain.test")
    house.store.add_entry("domain:plain.test", "deny", "ip", "198.51.100.9")
    house.store.put("domain:plain.test", {"refuse_at": "rcpt"})
    house.open()
    async with opened(house) as port:
        caller = await call(port)
        await caller.reply()
        assert "XCLIENT" in await caller.say("EHLO relay.example")
        said = await caller.say("XCLIENT ADDR=198.51.100.9 NAME=bad.example HELO=bad.example")
        assert said.startswith("220")
        await caller.say("EHLO x.example")
        await caller.say("MAIL FROM:<s@x.example>")
        assert (await caller.say("RCPT TO:<ann@plain.test>")).startswith("550 5.7.1")
        caller.hang_up()
        await empty(house)
    assert "198.51.100.9" == house.outcomes()[0].client
    assert "198.51.100.9" == house.sessions()[0].client


@inside()
async def test_xclient_of_a_stranger(house: Indoors) -> None:
    """XCLIENT is neither offered to a stranger nor obeyed."""
    house.host("plain.test")
    house.open()
    async with opened(house) as port:
        caller = await call(port)
        await caller.reply()
        assert "XCLIENT" not in await caller.say("EHLO x.example")
        assert (await caller.say("XCLIENT ADDR=198.51.100.9")).startswith("500")
        caller.hang_up()
        await empty(house)
    assert "127.0.0.1" == house.sessions()[0].client
