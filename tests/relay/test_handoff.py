"""Each recipient is told what its own server said; nothing is lost, doubled or made up (L1, L7)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gatepost.mail.address import Address
from gatepost.relay.results import Target, To
from gatepost.telemetry.conditions import HERE
from tests.relay.backend import LOOPS, Backend, run
from tests.relay.house import TOP, WHOLE, House, by_name, going, kinds, to


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("proven", [True, False])
@pytest.mark.parametrize("pipelining", [True, False])
def test_delivered(loop: str, proven: bool, pipelining: bool) -> None:
    """The bytes arrive as they came with our headers on top; connections are used again."""

    async def work(house: House, backend: Backend) -> None:
        if not pipelining:
            backend.features = ("SIZE",)
        for _ in range(3):
            results = await house.send(Target((backend.url,), to("ann", "bob")), proven=proven)
            assert [("delivered", 250, "2.0.0")] * 2 == kinds(results)
            assert "Taken" == results[0].text
            assert f"127.0.0.1:{backend.port}" == results[0].where
        assert [WHOLE] * 3 == [taken.text for taken in backend.taken]
        assert 1 == backend.connections
        assert (1, 1) == house.pool.counts()
        mail = "MAIL FROM:<a@b.example> SIZE=100" + (" BODY=8BITMIME" if pipelining else "")
        assert mail == backend.taken[0].mail
        assert ["RCPT TO:<ann@example.org>", "RCPT TO:<bob@example.org>"] == backend.taken[0].rcpts
        assert ["delivered"] * 6 == house.counted

    going(work, loop=loop)


@pytest.mark.parametrize("pipelining", [True, False])
def test_recipients_are_judged_one_by_one(pipelining: bool) -> None:
    """One refused, one deferred, one taken: each gets its own answer."""

    async def work(house: House, backend: Backend) -> None:
        if not pipelining:
            backend.features = ()
        results = await house.send(Target((backend.url,), to("bad", "ann", "later")))
        assert [("refused", 550, "5.1.1"), ("delivered", 250, "2.0.0"), ("deferred", 450, "4.2.1")] == kinds(
            results
        )
        assert "no such user" == results[0].text
        assert ["RCPT TO:<ann@example.org>"] == backend.taken[0].rcpts
        results = await house.send(Target((backend.url,), to("ann")))
        assert results[0].delivered
        assert 1 == backend.connections

    going(
        work,
        Backend(rcpt=by_name(bad=b"550 5.1.1 no such user\r\n", later=b"450 4.2.1 busy\r\n")),
    )


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("hole", [True, False])
def test_all_recipients_refused(pipelining: bool, hole: bool) -> None:
    """Nothing is sent, also where a server says 354 all the same (RFC 2920, 3.1); the next mail goes well."""

    async def work(house: House, backend: Backend) -> None:
        if not pipelining:
            backend.features = ()
        for _ in range(2):
            results = await house.send(Target((backend.url,), to("bad", "bad")))
            assert [("refused", 550, "5.1.1")] * 2 == kinds(results)
        results = await house.send(Target((backend.url,), to("ann")))
        assert results[0].delivered
        assert 1 == len(backend.taken)
        assert WHOLE == backend.taken[0].text

    going(work, Backend(rcpt=by_name(bad=b"550 5.1.1 no such user\r\n"), hole=hole))


ANSWERS = [
    (b"550 5.7.1 not you\r\n", ("refused", 550, "5.7.1")),
    (b"552 too big\r\n", ("refused", 552, "5.0.0")),
    (b"451 4.3.0 later\r\n", ("deferred", 451, "4.3.0")),
    (b"450 later\r\n", ("deferred", 450, "4.0.0")),
    (b"421 4.3.2 closing\r\n", ("deferred", 451, "4.3.2")),
    (b"550-5.7.1 one\r\n550 5.7.1 two\r\n", ("refused", 550, "5.7.1")),
    (b"550 2.0.0 odd\r\n", ("refused", 550, "5.0.0")),
    (b"503 5.5.1 order\r\n", ("deferred", 451, "4.3.0")),
    (b"530 5.7.0 TLS first\r\n", ("deferred", 451, "4.3.0")),
]


@pytest.mark.parametrize("point", ["mail", "rcpt", "data", "final"])
@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
@pytest.mark.parametrize("pipelining", [True, False])
def test_answers_are_passed_on(
    point: str, answer: bytes, expected: tuple[str, int, str], pipelining: bool
) -> None:
    """4xx stays 4xx and 5xx 5xx with its codes; what speaks of us (503, 530, 421) becomes a plain 451."""

    async def work(house: House, backend: Backend) -> None:
        if not pipelining:
            backend.features = ()
        results = await house.send(Target((backend.url,), to("ann", "bob")))
        assert [expected] * 2 == kinds(results)
        assert [] == backend.taken
        setattr(backend, point, {"data": b"354 Go\r\n"}.get(point, b"250 2.0.0 Ok\r\n"))
        results = await house.send(Target((backend.url,), to("ann")))
        assert results[0].delivered, "the mail after it is not disturbed"

    backend = Backend()
    setattr(backend, point, answer)
    going(work, backend)


POINTS = ["connect", "ehlo", "mail", "rcpt", "data", "body", "in body", "dot"]


@pytest.mark.parametrize("point", [*POINTS, "after ehlo"])
@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("loop", LOOPS)
def test_closed_at_each_point(point: str, pipelining: bool, loop: str) -> None:
    """Wherever the back end closes, the sender is told 4xx and keeps the mail (L7)."""

    async def work(house: House, backend: Backend) -> None:
        if not pipelining:
            backend.features = ()
        long = [b"one line of many\r\n" * 1000]
        results = await house.send(Target((backend.url,), to("ann", "bob")), chunks=long)
        assert {451} == {result.code for result in results}
        assert {"4"} == {result.enhanced[0] for result in results}
        expected = "unreachable" if point in ("connect", "ehlo") else "deferred"
        assert {expected} == {result.kind for result in results}
        backend.close_at = ""
        results = await house.send(Target((backend.url,), to("ann")))
        assert results[0].delivered
        assert 1 == len(backend.taken)

    going(work, Backend(close_at=point), loop)


@pytest.mark.parametrize("point", ["mail", "rcpt", "data", "body", "dot"])
def test_closed_before_we_know(point: str) -> None:
    """An idle connection that dies at once is replaced once; behind the dot nothing is sent twice."""

    async def work(house: House, backend: Backend) -> None:
        assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered
        backend.close_at = point
        backend.only_first = True
        results = await house.send(Target((backend.url,), to("ann")))
        if point in ("body", "dot"):
            assert [("deferred", 451, "4.4.2")] == kinds(results)
            assert 1 == len(backend.taken)
        else:
            assert results[0].delivered
            assert 2 == len(backend.taken)
            assert 2 == backend.connections

    going(work)


def test_idle_connection_was_closed() -> None:
    """A server that hung up meanwhile costs nothing but a new connection."""

    async def work(house: House, backend: Backend) -> None:
        for _ in range(3):
            assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered
            backend.hang_up()
            await asyncio.sleep(0.02)
        assert 3 == backend.connections == len(backend.taken)

    going(work)


def test_421_on_an_idle_connection() -> None:
    """A server that says 421 to the first word is asked once more on a fresh connection."""

    async def work(house: House, backend: Backend) -> None:
        assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered
        answers = [b"421 4.4.2 idle too long\r\n", b"250 2.1.0 Ok\r\n"]
        backend.mail = lambda _line: answers.pop(0)
        assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered
        assert 2 == backend.connections

    going(work)


@pytest.mark.parametrize("point", ["connect", "ehlo", "mail", "rcpt", "data", "body", "dot"])
@pytest.mark.parametrize("loop", LOOPS)
def test_late_at_each_point(point: str, loop: str) -> None:
    """An answer that does not come in time is a 451 in time, and the connection is not used again."""

    async def work(house: House, backend: Backend) -> None:
        for limit in (0.3, 3, 30):  # a busy machine may need more time to come so far
            begun = time.monotonic()
            results = await house.send(Target((backend.url,), to("ann")), time=limit)
            assert time.monotonic() - begun < limit + 10
            if backend.waits:
                break
            house.pool.close()
            house = House()
        assert 451 == results[0].code
        assert ("unreachable" if point in ("connect", "ehlo") else "deferred") == results[0].kind
        await asyncio.sleep(0)
        assert (0, 0) == house.pool.counts()
        house.pool.close()

    going(work, Backend(delay_at=point, delay=600), loop)


GARBAGE = [
    b"hello\r\n",
    b"\x00\xff\r\n",
    b"999 what\r\n",
    b"25\r\n",
    b"250-one\r\n550 two\r\n",
    b"x" * 200_000,
    b"250-x\r\n" * 30_000,
    b"354 Go\r\n",
    b"220 2.0.0 x\r\n\r\n",
]


@pytest.mark.parametrize("point", ["greeting", "ehlo", "mail", "rcpt", "final"])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_at_each_point(point: str, garbage: bytes) -> None:
    """What is no SMTP is never a success (but for a code that fits), is bounded, and ends the connection."""

    async def work(house: House, backend: Backend) -> None:
        results = await house.send(Target((backend.url,), to("ann")), time=1.0)
        if garbage.startswith(b"220") and point in ("mail", "rcpt", "final", "greeting", "ehlo"):
            return
        assert 451 == results[0].code
        assert results[0].kind in ("unreachable", "deferred")
        assert len(results[0].text) < 1000
        assert results[0].text.isprintable()
        await asyncio.sleep(0)
        assert 0 == house.pool.counts()[1]

    backend = Backend()
    setattr(backend, point, garbage)
    going(work, backend)


def test_more_replies_than_questions() -> None:
    """A reply too many is never taken for the next message's: the connection goes."""

    async def work(house: House, backend: Backend) -> None:
        backend.final = b"250 2.0.0 Taken\r\n250 2.0.0 and this\r\n"
        assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered
        backend.final = b"550 5.0.0 no\r\n"
        results = await house.send(Target((backend.url,), to("ann")))
        assert "refused" == results[0].kind
        assert 2 == backend.connections

    going(work)


def test_several_back_ends_at_once(tmp_path: Path) -> None:
    """One mail for three places: each recipient has the result of its own, in the order given."""

    async def main() -> None:
        house = House()
        both = asyncio.Barrier(2)  # neither answers before both have the mail
        slow = Backend(delay_at="dot", meet=both)
        bad = Backend(final=b"550 5.7.1 no\r\n", delay_at="dot", meet=both)
        async with slow.running(), bad.running():
            results = await house.send(
                Target((slow.url,), to("ann")),
                Target((bad.url,), to("bob", "carl")),
                Target((f"maildir://{tmp_path}/%d/%u",), to("dora")),
                Target(("smtp://127.0.0.1:1",), to("emil")),
                Target((), to("fritz")),
            )
        expected = ["delivered", "refused", "refused", "delivered", "unreachable", "unreachable"]
        assert expected == [result.kind for result in results]
        (file,) = (tmp_path / "example.org" / "dora" / "new").iterdir()
        assert b"Delivered-To: dora@example.org\n" in file.read_bytes()
        assert file.read_bytes().endswith(b"Subject: x\n\nHello\n.dot\n")
        house.pool.close()

    run(main())


def test_our_fault_at_one_server() -> None:
    """The others' results are known all the same, once they are there: else their copies came again."""

    async def work(house: House, backend: Backend) -> None:
        evil = [To(Address("x", "example.org", "x\r\nDATA@example.org"))]
        results = await house.send(Target((backend.url,), evil), Target((backend.url,), to("ann", "bob")))
        assert [("deferred", 451, "4.3.0"), *[("delivered", 250, "2.0.0")] * 2] == kinds(results)
        assert "control" not in results[0].text
        assert "control character" in results[0].where
        assert [WHOLE] == [taken.text for taken in backend.taken]

    going(work, Backend(delay_at="dot", delay=0.2))


def test_fall_back_routes() -> None:
    """Where the first does not answer the next one is asked; a refusal is an answer."""

    async def main() -> None:
        house = House()
        first, last = Backend(), Backend()
        async with first.running(), last.running():
            routes = (f"{last.url}?fallback", "smtp://127.0.0.1:1?weight=1000", first.url)
            for _ in range(5):
                assert (await house.send(Target(routes, to("ann"))))[0].delivered
            assert (5, 0) == (len(first.taken), len(last.taken))
            first.final = b"550 5.7.1 no\r\n"
            assert "refused" == (await house.send(Target(routes, to("ann"))))[0].kind
            first.close_at = "connect"
            first.hang_up()
            await asyncio.sleep(0.02)
            assert (await house.send(Target(routes, to("ann"))))[0].delivered
            assert 1 == len(last.taken)
        house.pool.close()

    run(main())


def test_condition(tmp_path: Path) -> None:
    """Whether a next hop is there is known to the alarms, and whose mail met it; not its word on a mail."""
    HERE.reset()

    def seen() -> dict[str, tuple[bool, list[str]]]:
        return {one.name: (bool(one.why), one.domains) for one in HERE.all()}

    async def main() -> None:
        house = House()
        backend = Backend(final=b"550 5.7.1 no\r\n")
        async with backend.running():
            place = f"127.0.0.1:{backend.port}"
            await house.send(Target((backend.url,), to("ann")))
            assert {place: (False, [])} == seen()
        await asyncio.sleep(0.02)
        await house.send(Target((backend.url,), to("ann")))
        assert {place: (True, ["example.org"])} == seen()
        blocked = tmp_path / "file"
        blocked.touch()
        folder = f"maildir://{blocked}/x"
        assert "deferred" == (await house.send(Target((folder,), to("ann"))))[0].kind
        assert (True, ["example.org"]) == seen()[f"{blocked}/x"]
        house.pool.close()

    run(main())


SMUGGLING = [
    b"a\n.\nb\r\n",
    b"a\n.\r\nb\r\n",
    b"a\r.\rb\r\n",
    b"a\r\n.\nb\r\n",
    b"a\r\r\n.\r\r\nb\r\n",
    b"a\0b\r\n",
    b"a\r",
]


@pytest.mark.parametrize("body", SMUGGLING)
@pytest.mark.parametrize("stuffed", [True, False])
def test_nothing_is_smuggled_out(body: bytes, stuffed: bool) -> None:
    """A bare CR, a bare LF or a NUL never goes out (T1.3): 4xx, the line is cut, nothing is taken."""

    async def work(house: House, backend: Backend) -> None:
        results = await house.send(Target((backend.url,), to("ann")), chunks=[body], stuffed=stuffed)
        assert [("deferred", 451, "4.6.0")] == kinds(results)
        await asyncio.sleep(0.02)
        assert [] == backend.taken
        assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered

    going(work)


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000, 3_000_000])
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("stuffed", [True, False])
def test_sizes(size: int, loop: str, stuffed: bool) -> None:
    """Small and large, with dots, without a last line end: the same bytes arrive, one CRLF.CRLF ends them."""

    async def work(house: House, backend: Backend) -> None:
        line = b".............................................................................\r\n"
        text = (line * (size // len(line) + 1))[: size - 1] + b"x" if size else b""
        chunks = [text[n : n + 65_536] for n in range(0, len(text), 65_536)]
        if stuffed:
            chunks = [
                text.replace(b"\r\n.", b"\r\n..").replace(b".", b"..", 1) if text.startswith(b".") else text
            ]
        results = await house.send(Target((backend.url,), to("ann")), chunks=chunks, stuffed=stuffed, time=10)
        assert results[0].delivered
        assert TOP + text + (b"\r\n" if size else b"") == backend.taken[0].text
        assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered

    going(work, loop=loop)


def test_cancelled_on_the_way() -> None:
    """A hand-off that is cancelled leaves no connection in an unknown state."""

    async def work(house: House, backend: Backend) -> None:
        task = asyncio.ensure_future(house.send(Target((backend.url,), to("ann"))))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (0, 0) == house.pool.counts()

    going(work, Backend(delay_at="dot", delay=600))


def test_control_characters_in_an_address() -> None:
    """Should the grammar ever let one through, it does not get onto the wire, and no connection is lost."""

    async def work(house: House, backend: Backend) -> None:
        evil = [To(Address("x", "example.org", "x\r\nDATA@example.org"))]
        with pytest.raises(Exception, match="control character"):
            await house.send(Target((backend.url,), evil))
        assert (await house.send(Target((backend.url,), to("ann"))))[0].delivered
        assert 1 == backend.connections
        assert 1 == len([line for line in backend.said if line == "DATA"])

    going(work)
