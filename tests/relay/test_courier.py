"""What lies in the spool is delivered, once or more, and bounces to nobody unproven (T8.1, T8.4, L2)."""

from __future__ import annotations

import asyncio
import email
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatepost.relay import courier as module
from gatepost.relay.courier import Courier
from gatepost.relay.handoff import Relay
from gatepost.relay.pool import Pool
from gatepost.relay.results import Result
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.queue import Queue
from gatepost.store.durable import SYSTEM, Files
from tests.relay.backend import Backend, run
from tests.relay.house import Nobody, by_name
from tests.spool.shim import Killing

MAIL = b"Subject: x\r\n\r\n.dot\r\nHello\r\n"
NOW = 1_795_392_000.0


class House:
    """A courier with a clock that tests turn."""

    def __init__(self, place: Path, routes: Sequence[str] | None, files: Files = SYSTEM) -> None:
        self.now = NOW
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.fates: list[tuple[str, str]] = []
        self.queue = Queue(place, files, self.log, self.clock)
        self.pool = Pool("gate.example", Nobody(), tick=0.05)
        self.courier = Courier(
            self.queue,
            Relay(self.pool, clock=self.clock),
            hostname="gate.example",
            routes_for=lambda domain: None if domain == "b.example" else routes,
            clock=self.clock,
            log=self.log,
            outcome=self.outcome,
            work=self.at_work,
        )
        self.works: list[str] = []

    @contextmanager
    def at_work(self, domains: tuple[str]) -> Iterator[None]:
        self.works += domains
        yield
        self.works.append(f"{domains[0]} {len(self.fates)}")

    def clock(self) -> float:
        return self.now

    def log(self, name: str, **said: Any) -> None:
        self.lines.append((name, said))

    def outcome(self, _envelope: Envelope, one: Rcpt, result: Result) -> None:
        self.fates.append((one.address, result.kind))

    async def round(self) -> None:
        await self.courier.look()
        await self.courier.idle()

    def left(self) -> list[Envelope]:
        return list(self.queue.list())


def envelope(*names: str, **more: Any) -> Envelope:
    recipients = tuple(Rcpt(f"{name}@example.org") for name in names or ("ann",))
    said: dict[str, Any] = {"domain": "example.org", "session": "0DQ", **more}
    return Envelope("e1", "a@b.example", recipients, NOW, NOW, **said)


def emptying(
    place: Path, work: Callable[[House, Backend], Awaitable[None]], backend: Backend | None = None
) -> None:
    async def main() -> None:
        async with (backend or Backend()).running() as running:
            house = House(place, [running.url])
            await work(house, running)
            house.pool.close()

    run(main())


def test_delivered(tmp_path: Path) -> None:
    """Bytes and envelope as they were put; the entry goes, and the journal hears of it."""

    async def work(house: House, backend: Backend) -> None:
        house.queue.put(envelope("ann", "bob", body="8BITMIME"), [MAIL])
        await house.round()
        assert [MAIL] == [taken.text for taken in backend.taken]
        assert "MAIL FROM:<a@b.example> SIZE=27 BODY=8BITMIME" == backend.taken[0].mail
        assert [("ann@example.org", "delivered"), ("bob@example.org", "delivered")] == house.fates
        assert [] == house.left()
        assert ["example.org", "example.org 2"] == house.works  # to the end: when the journal has heard
        await house.round()
        assert 1 == len(backend.taken)

    emptying(tmp_path, work)


def test_tried_again(tmp_path: Path) -> None:
    """4xx: later, by the table of waits, only those recipients that still wait."""

    async def work(house: House, backend: Backend) -> None:
        backend.rcpt = by_name(bob=b"451 4.2.0 later\r\n")
        house.queue.put(envelope("ann", "bob"), [MAIL])
        for attempt, wait in enumerate((*module.WAITS, module.WAITS[-1]), 1):
            await house.round()
            (left,) = house.left()
            assert ["bob@example.org"] == [one.address for one in left.recipients]
            assert (attempt, house.now + wait) == (left.attempts, left.due)
            assert "451 4.2.0 later" in left.recipients[0].last
            await house.round()
            house.now += wait
        assert 1 == len(backend.taken)
        backend.rcpt = b"250 Ok\r\n"
        await house.round()
        assert ["RCPT TO:<bob@example.org>"] == backend.taken[1].rcpts
        assert [] == house.left()

    emptying(tmp_path, work)


def test_unreachable_and_no_route(tmp_path: Path) -> None:
    """No server, or a domain that is not hosted now: the mail waits."""

    async def main() -> None:
        for number, routes in enumerate((["smtp://127.0.0.1:1"], None, ["nonsense"])):
            house = House(tmp_path / str(number), routes)
            house.queue.put(envelope(), [MAIL])
            await house.round()
            assert [1] == [one.attempts for one in house.left()]

    run(main())


def refusing() -> Backend:
    return Backend(rcpt=by_name(bob=b"550 5.1.1 no such user\r\n"))


def test_bounce_to_a_proven_sender(tmp_path: Path) -> None:
    """5xx and a sender that SPF or DKIM proved: a notice from `<>`, once, and the entry goes."""

    async def work(house: House, _backend: Backend) -> None:
        house.queue.put(envelope("ann", "bob", proven=True), [MAIL])
        await house.round()
        (bounce,) = house.left()
        assert bounce.sender is None
        assert ("a@b.example",) == tuple(one.address for one in bounce.recipients)
        assert ("smtp+mx://b.example",) == bounce.routes
        text = b"".join(house.queue.blob(bounce.id))
        assert "multipart/report" == email.message_from_bytes(text).get_content_type()
        assert b"bob@example.org" in text
        assert b"ann@example.org" not in text
        assert b"Hello" not in text
        assert ("bob@example.org", "refused") in house.fates

    emptying(tmp_path, work, refusing())


def test_bounce_to_a_sender_of_ours(tmp_path: Path) -> None:
    """A sender whose domain is hosted here is told by its own route, not by an MX that is ourselves."""

    async def work(house: House, _backend: Backend) -> None:
        sender = "prvs=0123cfcd40=ann@example.org"
        house.queue.put(replace(envelope("bob", proven=True), sender=sender), [MAIL])
        await house.round()
        (bounce,) = house.left()
        assert (("ann@example.org",), ()) == (tuple(one.address for one in bounce.recipients), bounce.routes)

    emptying(tmp_path, work, refusing())


@pytest.mark.parametrize(
    "more", [{"proven": False}, {"proven": True, "reason": "release"}, {"proven": True, "reason": "bounce"}]
)
def test_no_bounce(tmp_path: Path, more: dict[str, Any]) -> None:
    """Not proven, a release, a bounce: kept as failed for the owner, told in the log, never sent anywhere."""

    async def work(house: House, backend: Backend) -> None:
        house.queue.put(envelope("bob", **more), [MAIL])
        await house.round()
        (left,) = house.left()
        assert "e1" == left.id
        assert left.recipients[0].failed
        assert "no such user" in left.recipients[0].last
        assert [name for name, _ in house.lines if name == "courier.kept"]
        house.now += 10 * 86_400
        await house.round()
        assert 1 == sum(line.startswith("RCPT") for line in backend.said)
        backend.rcpt = b"250 Ok\r\n"
        assert house.queue.retry("e1", house.now)
        await house.round()
        assert [] == house.left()
        assert 1 == len(backend.taken)

    emptying(tmp_path, work, refusing())


def test_null_sender_and_never(tmp_path: Path) -> None:
    """A bounce is never bounced; NOTIFY=NEVER is obeyed (RFC 3461)."""

    async def work(house: House, _backend: Backend) -> None:
        house.queue.put(replace(envelope("bob", proven=True), sender=None), [MAIL])
        await house.round()
        assert ["e1"] == [one.id for one in house.left()]
        house.queue.drop("e1")
        never = replace(envelope("bob", proven=True), recipients=(Rcpt("bob@example.org", "NEVER"),))
        house.queue.put(never, [MAIL])
        await house.round()
        assert [] == house.left()

    emptying(tmp_path, work, refusing())


def test_given_up(tmp_path: Path) -> None:
    """After five days and enough attempts it has failed; a clock that jumps ahead is not enough (L14)."""

    async def work(house: House, backend: Backend) -> None:
        backend.rcpt = b"451 4.2.0 later\r\n"
        house.queue.put(envelope(proven=True), [MAIL])
        house.now += 3650 * 86_400
        await house.round()
        (left,) = house.left()
        assert not left.recipients[0].failed
        house.now = NOW
        claim = house.queue.claim("e1")
        assert claim is not None
        house.queue.update(claim, replace(left, attempts=module.ENOUGH, due=NOW))
        claim.release()
        house.now = NOW + module.GIVE_UP
        await house.round()
        (bounce,) = house.left()
        assert bounce.sender is None
        assert b"5.4.7" in b"".join(house.queue.blob(bounce.id))

    emptying(tmp_path, work)


def test_broken_envelope(tmp_path: Path) -> None:
    """An address that is none, or a blob that cannot be read, stops nobody else."""

    async def work(house: House, backend: Backend) -> None:
        house.queue.put(replace(envelope(), id="bad", recipients=(Rcpt("no address"),)), [MAIL])
        house.queue.put(envelope(), [MAIL])
        await house.round()
        assert 1 == len(backend.taken)
        assert ["bad"] == [one.id for one in house.left()]
        assert house.left()[0].recipients[0].failed

    emptying(tmp_path, work)


def test_a_full_disk_afterwards(tmp_path: Path) -> None:
    """Delivered, but the result could not be written: said in the log, delivered again, not lost."""

    async def work(house: House, backend: Backend) -> None:
        house.queue.put(envelope(), [MAIL])

        def done(claim: Any) -> None:
            claim.release()
            raise OSError(28, "No space left")

        good, house.queue.done = house.queue.done, done  # type: ignore[method-assign]
        await house.round()
        assert ["courier.error"] == [name for name, _ in house.lines if name == "courier.error"]
        house.queue.done = good  # type: ignore[method-assign]
        house.now += 60
        await house.round()
        assert 1 == len(backend.taken), "not with each look: an hour of a full disk would be 3,600 copies"
        house.now += module.PAUSE
        await house.round()
        assert 2 == len(backend.taken)
        assert [] == house.left()

    emptying(tmp_path, work)


def test_a_clock_set_back_ends_a_rest(tmp_path: Path) -> None:
    """An entry rests for minutes, whatever becomes of the clock; a fault of ours at one stops no other."""

    async def work(house: House, backend: Backend) -> None:
        house.queue.put(envelope("ann"), [MAIL])
        good, house.queue.done = house.queue.done, None  # type: ignore[method-assign, assignment]
        await house.round()
        house.queue.done = good  # type: ignore[method-assign]
        house.queue.put(replace(envelope("bob"), id="other"), [MAIL])
        await house.round()
        assert 2 == len(backend.taken)
        house.now -= 10
        await house.round()
        assert 2 == len(backend.taken)
        house.now -= 86_400
        await house.round()
        assert 3 == len(backend.taken)
        assert [] == house.left()

    emptying(tmp_path, work)


def test_many_couriers(tmp_path: Path) -> None:
    """Three couriers on one spool: each entry is delivered once."""

    async def work(house: House, backend: Backend) -> None:
        for number in range(30):
            house.queue.put(replace(envelope(), id=f"e{number}"), [MAIL])
        houses = [house, House(tmp_path, [backend.url]), House(tmp_path, [backend.url])]
        for _ in range(5):
            await asyncio.gather(*(one.round() for one in houses))
        assert 30 == len(backend.taken)
        assert [] == house.left()
        for one in houses[1:]:
            one.pool.close()

    emptying(tmp_path, work)


def test_a_long_queue_is_worked_off_in_one_go(tmp_path: Path) -> None:
    """More entries than may be under way at once: the next begins as soon as one has ended."""

    async def work(house: House, backend: Backend) -> None:
        count = 3 * module.AT_ONCE
        for number in range(count):
            house.queue.put(replace(envelope(), id=f"e{number}"), [MAIL])
        await house.courier.work_off()
        await house.courier.idle()
        assert count == len(backend.taken)
        assert [] == house.left()

    emptying(tmp_path, work)


def test_runs_until_cancelled(tmp_path: Path) -> None:
    """The loop sees what is put while it runs, and ends when told."""

    async def work(house: House, backend: Backend) -> None:
        module_look, module.LOOK = module.LOOK, 0.02
        task = asyncio.ensure_future(house.courier.run())
        await asyncio.sleep(0.05)
        house.queue.put(envelope(), [MAIL])
        while not backend.taken:
            await asyncio.sleep(0.02)
        await house.courier.idle()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        module.LOOK = module_look
        assert [] == house.left()

    emptying(tmp_path, work)


class _Sink:
    """A back end in a thread of its own, for couriers in other processes."""

    def __init__(self) -> None:
        self.backend = Backend(rcpt=by_name(bob=b"550 5.1.1 no such user\r\n"))
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with self.backend.running():
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Backend:
        self._thread.start()
        self._ready.wait()
        return self.backend

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


def _work_off(place: Path, url: str, files: Files) -> None:
    async def main() -> None:
        house = House(place, [url], files)
        # Not in threads: the shim counts calls, and a killed child must be in the call that it counts.
        house.queue.recover()
        await house.round()
        house.pool.close()

    asyncio.run(main())


def test_killed_at_each_step(tmp_path: Path) -> None:
    """kill -9 ahead of each call of a courier that delivers one and bounces one: nothing is lost (L2).

    The mail for Ann arrives once or more, the notice for Bob is in the queue exactly once.
    """
    with _Sink() as backend:
        at = 0
        while True:
            place = tmp_path / str(at)
            Queue(place).put(envelope("ann", "bob", proven=True), [MAIL])
            before = len(backend.taken)
            child = os.fork()
            if child == 0:
                try:
                    _work_off(place, backend.url, Killing(at))
                finally:
                    os._exit(0)
            _, status = os.waitpid(child, 0)
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            _work_off(place, backend.url, SYSTEM)
            arrived = len(backend.taken) - before
            assert arrived >= 1
            assert arrived == 1 or killed
            left = list(Queue(place).list())
            assert [(None, "bounce")] == [(one.sender, one.reason) for one in left]
            aside = [file.name for file in (place / "corrupt").iterdir()]
            assert all(name.startswith("e1-b1.") for name in aside), "only a half-written notice is put aside"
            if not killed:
                break
            at += 1
        assert at > 8
