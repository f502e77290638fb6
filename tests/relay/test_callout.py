"""Does the mailbox exist? The domain's own server says so; its silence is never a yes or a no (T8.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gatepost.mail.address import parse_address
from gatepost.relay import callout as module
from gatepost.relay.callout import Callout, judge
from gatepost.relay.pool import Pool
from tests.relay.backend import Backend, run
from tests.relay.house import Nobody

ANN = parse_address("ann@example.org")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def asking(
    work: Callable[[Callout, Backend, Clock], Awaitable[None]],
    backend: Backend | None = None,
    most: int = 100,
) -> None:
    async def main() -> None:
        clock = Clock()
        pool = Pool("gate.example", Nobody(), tick=0.05)
        async with (backend or Backend()).running() as running:
            await work(Callout(pool, clock=clock, most=most), running, clock)
            pool.close()

    run(main())


@pytest.mark.parametrize(
    ("code", "enhanced", "answer"),
    [
        (250, "", "yes"),
        (251, "", "yes"),
        (252, "", "yes"),
        (550, "", "no"),
        (550, "5.1.1", "no"),
        (553, "5.1.3", "no"),
        (550, "5.2.1", "no"),
        (554, "", "no"),
        (550, "5.7.1", "unknown"),
        (554, "5.7.1", "unknown"),
        (503, "", "unknown"),
        (530, "5.7.0", "unknown"),
        (552, "5.2.2", "unknown"),
        (450, "4.1.1", "unknown"),
        (354, "", "unknown"),
    ],
)
def test_what_a_reply_says(code: int, enhanced: str, answer: str) -> None:
    """A refusal of us says nothing of the mailbox."""
    assert answer == judge(code, enhanced)


def test_answers_are_kept() -> None:
    """A yes for two hours, a no for a quarter of one; the connection is used again and left clean."""

    async def work(callout: Callout, backend: Backend, clock: Clock) -> None:
        backend.rcpt = lambda line: b"550 5.1.1 no\r\n" if "bob" in line.lower() else b"250 Ok\r\n"
        bob = parse_address("Bob@example.org")
        for _ in range(3):
            assert "yes" == await callout.verify([backend.url], ANN)
            assert "no" == await callout.verify([backend.url], bob)
        assert ["MAIL FROM:<>", "RCPT TO:<ann@example.org>", "RSET"] == backend.said[1:4]
        assert 2 == sum(line.startswith("RCPT") for line in backend.said)
        assert 1 == backend.connections
        clock.now += module.NO_FOR
        assert "yes" == await callout.verify([backend.url], ANN)
        assert "no" == await callout.verify([backend.url], parse_address("bob@example.org"))
        assert 3 == sum(line.startswith("RCPT") for line in backend.said)
        clock.now += module.YES_FOR
        await callout.verify([backend.url], ANN)
        assert 4 == sum(line.startswith("RCPT") for line in backend.said)
        assert [] == backend.taken

    asking(work)


@pytest.mark.parametrize("point", ["connect", "ehlo", "mail", "rcpt", "rset"])
def test_silence(point: str) -> None:
    """A server that closes says nothing: unknown; with an older yes, that one for some days."""

    async def work(callout: Callout, backend: Backend, clock: Clock) -> None:
        assert "yes" == await callout.verify([backend.url], ANN)
        backend.close_at = point
        backend.hang_up()
        assert "unknown" == await callout.verify([backend.url], parse_address("new@example.org"))
        clock.now += module.YES_FOR + 1
        assert "yes" == await callout.verify([backend.url], ANN)
        clock.now += module.STALE_FOR
        assert "unknown" == await callout.verify([backend.url], ANN)
        assert "unknown" == await callout.verify(["smtp://127.0.0.1:1"], parse_address("c@example.org"))
        assert "unknown" == await callout.verify([], parse_address("d@example.org"))
        assert "unknown" == await callout.verify(["nonsense"], parse_address("e@example.org"))

    asking(work)


def test_an_old_no_refuses_nobody() -> None:
    """The mailbox may have been made since: while the server cannot be asked the sender keeps its mail."""

    async def work(callout: Callout, backend: Backend, clock: Clock) -> None:
        backend.rcpt = b"550 5.1.1 no\r\n"
        assert "no" == await callout.verify([backend.url], parse_address("bob@example.org"))
        backend.close_at = "connect"
        backend.hang_up()
        clock.now += module.NO_FOR - 1
        assert "no" == await callout.verify([backend.url], parse_address("bob@example.org"))
        clock.now += 1
        assert "unknown" == await callout.verify([backend.url], parse_address("bob@example.org"))

    asking(work)


def test_closed_while_idle() -> None:
    """A connection that went while it lay idle is replaced."""

    async def work(callout: Callout, backend: Backend, _clock: Clock) -> None:
        assert "yes" == await callout.verify([backend.url], ANN)
        backend.hang_up()
        assert "yes" == await callout.verify([backend.url], parse_address("b@example.org"))
        assert 2 == backend.connections

    asking(work)


def test_questions_are_joined() -> None:
    """Fifty at once for one mailbox are one question; one who gives up disturbs nobody."""

    async def work(callout: Callout, backend: Backend, _clock: Clock) -> None:
        tasks = [asyncio.ensure_future(callout.verify([backend.url], ANN)) for _ in range(50)]
        await asyncio.sleep(0.02)
        tasks[0].cancel()
        assert ["yes"] * 49 == await asyncio.gather(*tasks[1:])
        assert 1 == sum(line.startswith("RCPT") for line in backend.said)

    asking(work, Backend(delay_at="rcpt", delay=0.1))


def test_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question has a time limit."""
    monkeypatch.setattr(module, "TIME", 0.1)

    async def work(callout: Callout, backend: Backend, _clock: Clock) -> None:
        assert "unknown" == await callout.verify([backend.url], ANN)

    asking(work, Backend(delay_at="rcpt", delay=2.0))


def test_bounded() -> None:
    """No more answers are kept than allowed; the oldest goes."""

    async def work(callout: Callout, backend: Backend, _clock: Clock) -> None:
        for n in range(8):
            await callout.verify([backend.url], parse_address(f"u{n}@example.org"))
        assert callout.known([backend.url], parse_address("u7@example.org")) == "yes"
        assert callout.known([backend.url], parse_address("u0@example.org")) is None

    asking(work, most=5)


def test_another_server(tmp_path: Path) -> None:
    """Where another one is asked since, the answers of the one before hold for nobody, nor do stale ones."""

    async def work(callout: Callout, backend: Backend, _clock: Clock) -> None:
        empty = [f"maildir://{tmp_path}/%u"]
        assert "no" == await callout.verify(empty, ANN)
        assert "yes" == await callout.verify([backend.url], ANN)
        assert "no" == await callout.verify(empty, ANN)
        assert "unknown" == await callout.verify(["smtp://127.0.0.1:1"], ANN)

    asking(work)


def test_maildir(tmp_path: Path) -> None:
    """Who has a folder exists."""

    async def work(callout: Callout, _backend: Backend, clock: Clock) -> None:
        route = [f"maildir://{tmp_path}/%u"]
        assert "no" == await callout.verify(route, ANN)
        (tmp_path / "ann").mkdir()
        clock.now += module.NO_FOR
        assert "yes" == await callout.verify(route, ANN)

    asking(work)
