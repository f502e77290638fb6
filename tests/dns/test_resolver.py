"""One cache, one time limit, joined queries; the three kinds of nothing are apart on the wire too."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from gatepost.dns import resolver as resolver_module
from gatepost.dns.names import DnsFailure, NoData, NxDomain
from gatepost.dns.resolver import MAX_TTL, NEGATIVE_TTL, Resolver, server_address
from gatepost.telemetry import metrics

Answer = Callable[[Any, Any], bytes | None]


class Server(asyncio.DatagramProtocol):
    """A name server in the test's own loop."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        self.asked.append(
            f"{question.name.to_text(omit_final_dot=True).lower()} {dns.rdatatype.to_text(question.rdtype)}"
        )
        reply = self._answer(query, question)
        if reply is not None:
            self.transport.sendto(reply, addr)


@contextlib.asynccontextmanager
async def served(answer: Answer, **words: Any) -> AsyncIterator[tuple[Resolver, Server]]:
    """Give a resolver that asks a server of ours."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: Server(answer), ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    resolver = Resolver([f"127.0.0.1:{port}"], words.pop("timeout", 10.0), **words)
    try:
        yield resolver, server
    finally:
        await resolver.close()
        transport.close()


def records(*lines: str, ttl: int = 300, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    """Answer with those of the records `name TYPE value` that were asked for."""

    def answer(query: Any, question: Any) -> bytes:
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        reply.set_rcode(rcode)
        for line in lines:
            name, kind, value = line.split(None, 2)
            if question.name.to_text(omit_final_dot=True).lower() == name and kind in (
                dns.rdatatype.to_text(question.rdtype),
                "CNAME",
            ):
                reply.answer.append(dns.rrset.from_text(name + ".", ttl, "IN", kind, value))
        return reply.to_wire(max_size=65_535)

    return answer


def test_records() -> None:
    """Each kind of record as it is on the wire."""
    answer = records(
        "example.org A 192.0.2.1",
        "example.org AAAA 2001:db8::1",
        "example.org MX 10 Mail.Example.org.",
        'example.org TXT "v=spf1 " "-all"',
        "1.2.0.192.in-addr.arpa PTR Mail.Example.org.",
    )

    async def run() -> None:
        async with served(answer) as (resolver, _):
            assert ["192.0.2.1"] == await resolver.a("example.org")
            assert ["2001:db8::1"] == await resolver.aaaa("example.org")
            assert [(10, "mail.example.org")] == await resolver.mx("example.org")
            assert ["v=spf1 -all"] == await resolver.txt("example.org")
            assert ["mail.example.org"] == await resolver.ptr("192.0.2.1")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("rcode", "kind"),
    [
        (dns.rcode.NXDOMAIN, NxDomain),
        (dns.rcode.NOERROR, NoData),
        (dns.rcode.SERVFAIL, DnsFailure),
        (dns.rcode.REFUSED, DnsFailure),
        (dns.rcode.NOTIMP, DnsFailure),
        (dns.rcode.FORMERR, DnsFailure),
    ],
)
def test_three_kinds_of_nothing(rcode: dns.rcode.Rcode, kind: type[Exception]) -> None:
    """No name, no record, no answer."""

    async def run() -> None:
        async with served(records(rcode=rcode)) as (resolver, _):
            with pytest.raises(kind):
                await resolver.a("example.org")

    asyncio.run(run())


def test_alias_without_address() -> None:
    """A CNAME that leads nowhere, or in a circle, is no address."""

    async def run() -> None:
        async with served(records("a.example CNAME a.example.")) as (resolver, _):
            with pytest.raises(NoData):
                await resolver.a("a.example")

    asyncio.run(run())


@pytest.mark.parametrize("reply", [None, b"", b"\x00" * 12, b"garbage" * 20])
def test_silence_and_garbage(reply: bytes | None) -> None:
    """A server that says nothing, or nothing sensible, is a failure within the time limit."""

    async def run() -> float:
        async with served(lambda _q, _w: reply, timeout=0.6) as (resolver, _):
            started = time.monotonic()
            with pytest.raises(DnsFailure):
                await resolver.a("example.org")
            return time.monotonic() - started

    assert asyncio.run(run()) < 6  # ten times its limit, and half of what c-ares takes without one


def test_no_server() -> None:
    """Nothing listens there: a failure, and at once."""

    async def run() -> None:
        resolver = Resolver(["127.0.0.1:1"], 1.0)
        with pytest.raises(DnsFailure):
            await resolver.a("example.org")
        await resolver.close()

    asyncio.run(run())


def test_bad_names_are_never_sent() -> None:
    """What can be no name does not exist, without a query."""

    async def run() -> None:
        async with served(records()) as (resolver, server):
            for name in ("bad..name", "x" * 64 + ".example", "b\u00fccher.example", "a b.example"):
                with pytest.raises(NxDomain):
                    await resolver.a(name)
            assert [NxDomain] == [type(one) for one in await resolver.a_all(["bad..name"])]
            assert [] == server.asked

    asyncio.run(run())


def test_cache() -> None:
    """An answer is kept as long as it says and no longer than an hour, "not there" for a minute."""
    now = [1000.0]

    async def run() -> None:
        async with served(records("a.example A 192.0.2.1", ttl=90), clock=lambda: now[0]) as (
            resolver,
            server,
        ):
            for _ in range(5):
                assert ["192.0.2.1"] == await resolver.a("A.Example.")
                with pytest.raises(NoData):
                    await resolver.mx("a.example")
            assert ["a.example A", "a.example MX"] == server.asked
            resolver.forget()
            assert [] == list(resolver._cache)

    asyncio.run(run())


def test_counted() -> None:
    """What goes out is counted by result; what the cache answers is not."""

    async def run(answer: Answer) -> None:
        async with served(answer) as (resolver, _):
            for _ in range(3):
                await asyncio.gather(resolver.a("a.example"), return_exceptions=True)

    for answer, result in (
        (records("a.example A 192.0.2.1"), "found"),
        (records(), "not there"),
        (records(rcode=dns.rcode.SERVFAIL), "failed"),
    ):
        before = metrics.DNS_QUERIES.values.get((result,), 0)
        asyncio.run(run(answer))
        assert 1 == metrics.DNS_QUERIES.values.get((result,), 0) - before


def test_times_to_live() -> None:
    """Bounds on what a server says."""
    now = [1000.0]

    async def kept(answer: Answer, name: str) -> float:
        async with served(answer, clock=lambda: now[0]) as (resolver, _):
            await asyncio.gather(resolver.a(name), return_exceptions=True)
            ((until, _),) = resolver._cache.values()
            return until - now[0]

    assert 90 == asyncio.run(kept(records("a.example A 192.0.2.1", ttl=90), "a.example"))
    assert MAX_TTL == asyncio.run(kept(records("b.example A 192.0.2.1", ttl=999_999), "b.example"))
    assert 1 == asyncio.run(kept(records("c.example A 192.0.2.1", ttl=0), "c.example"))
    assert NEGATIVE_TTL == asyncio.run(kept(records(), "d.example"))
    assert NEGATIVE_TTL == asyncio.run(kept(records(rcode=dns.rcode.NXDOMAIN), "e.example"))
    assert 5 == asyncio.run(kept(records(rcode=dns.rcode.SERVFAIL), "f.example"))


def test_cached_answer_does_not_wait() -> None:
    """What is in the cache is there without a trip through the loop."""

    async def run() -> None:
        async with served(records("a.example A 192.0.2.1")) as (resolver, _):
            await resolver.a("a.example")
            for coroutine, expected in (
                (resolver.a("a.example"), ["192.0.2.1"]),
                (resolver.a_all(["a.example"] * 3), [["192.0.2.1"]] * 3),
            ):
                with pytest.raises(StopIteration) as stopped:
                    coroutine.send(None)
                assert expected == stopped.value.value

    asyncio.run(run())


def test_joined() -> None:
    """A hundred who ask for one name at once are one query; who gives up takes nothing from the rest."""

    async def run() -> None:
        async with served(records("a.example A 192.0.2.1")) as (resolver, server):
            tasks = [asyncio.create_task(resolver.a("a.example")) for _ in range(100)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(found[0], asyncio.CancelledError)
            assert [["192.0.2.1"]] * 99 == found[1:]
            assert ["a.example A"] == server.asked

    asyncio.run(run())


def test_all_at_once() -> None:
    """Of ten names none is answered before all ten are asked for."""

    async def run() -> None:
        answer = records(*(f"n{n}.example A 192.0.2.{n}" for n in range(10)))
        asked: dict[str, tuple[Any, Any, Any]] = {}

        def slow(query: Any, question: Any) -> None:
            asked[str(question.name)] = (query, question, peer[0])
            if len(asked) == 10:
                for told, about, who in asked.values():
                    server.transport.sendto(answer(told, about), who)

        async with served(slow, timeout=30.0) as (resolver, server):
            peer: list[Any] = []
            receive = server.datagram_received

            def remember(data: bytes, addr: Any) -> None:
                peer[:] = [addr]
                receive(data, addr)

            server.datagram_received = remember  # type: ignore[method-assign]
            found = await resolver.a_all([f"n{n}.example" for n in range(10)])
            assert [[f"192.0.2.{n}"] for n in range(10)] == found

    asyncio.run(run())


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache has a bound; the oldest go first. Of one answer only so many records are taken."""
    monkeypatch.setattr(resolver_module, "CACHE_SIZE", 20)
    lines = [f"n{n}.example A 192.0.2.1" for n in range(50)]
    many = [f"many.example A 10.0.{n // 250}.{n % 250}" for n in range(120)]

    async def run() -> None:
        async with served(records(*lines)) as (resolver, _):
            for n in range(50):
                await resolver.a(f"n{n}.example")
            assert len(resolver._cache) <= 20
            assert ("A", "n49.example") in resolver._cache
        async with served(records(*many)) as (resolver, _):
            assert 100 == len(await resolver.a("many.example"))

    asyncio.run(run())


def test_errors_are_new_each_time() -> None:
    """A kept error raised a thousand times does not grow a traceback."""

    async def run() -> None:
        async with served(records()) as (resolver, _):
            seen = []
            for _ in range(3):
                with pytest.raises(NoData) as caught:
                    await resolver.a("a.example")
                seen.append(caught.value)
            assert 3 == len({id(one) for one in seen})

    asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("192.0.2.53", "192.0.2.53:53"),
        ("192.0.2.53:5353", "192.0.2.53:5353"),
        ("::1", "[::1]:53"),
        ("[::1]", "[::1]:53"),
        ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ("localhost:53", "127.0.0.1:53"),
    ],
)
def test_server_address(given: str, expected: str) -> None:
    """`host` or `host:port`, as CONTRACT 2 says."""
    assert server_address(given) in (expected, expected.replace("127.0.0.1", "[::1]"))


@pytest.mark.parametrize(
    "given", ["192.0.2.53:0", "192.0.2.53:99999", "192.0.2.53:x", "no.such.host.invalid"]
)
def test_bad_server(given: str) -> None:
    """The sentence names the key."""
    with pytest.raises(ValueError, match=r"\[dns\] servers"):
        server_address(given)


def test_a_name_slower_than_others() -> None:
    """A server that is usually fast may need its time for one name: it gets most of the time limit."""
    first: list[float] = []

    def answer(query: Any, question: Any) -> bytes | None:
        name = question.name.to_text(omit_final_dot=True)
        if name == "late.example":
            first.append(time.monotonic())
            if first[-1] - first[0] < 0.9:
                return None
        return records(f"{name} A 192.0.2.1")(query, question)

    async def run() -> list[str]:
        async with served(answer, timeout=4.0) as (resolver, _server):
            for n in range(20):
                assert ["192.0.2.1"] == await resolver.a(f"fast{n}.example")
            return await resolver.a("late.example")

    assert ["192.0.2.1"] == asyncio.run(run())
    assert len(first) > 2, "asked again after c-ares gave up"
