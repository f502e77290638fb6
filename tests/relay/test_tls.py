"""To the next hop: encrypted when offered, by a certificate that holds where required (T2.3)."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from gatepost.mail.address import parse_address
from gatepost.relay.handoff import Relay
from gatepost.relay.pool import Pool
from gatepost.relay.results import MailParams, Result, Target, To
from tests.relay.backend import LOOPS, Backend, run, tls_contexts
from tests.relay.house import Nobody

FEATURES = ("PIPELINING", "STARTTLS")
MAIL = b"Subject: x\r\n\r\nHello\r\n" + b"line\r\n" * 20_000


async def send(pool: Pool, url: str) -> Result:
    relay = Relay(pool, clock=lambda: 1.5)
    to = [To(parse_address("ann@example.org"))]
    deadline = asyncio.get_running_loop().time() + 30
    (result,) = await relay.hand_off(
        None, None, MailParams(), [Target((url,), to)], [MAIL], True, b"", deadline
    )
    return result


@pytest.mark.parametrize("loop", LOOPS)
def test_wanted(loop: str) -> None:
    """Whoever answers: the mail goes encrypted, the capabilities are read anew, the connection is kept."""
    server, _ = tls_contexts("somebody.else")

    async def main() -> None:
        pool = Pool("gate.example", Nobody())
        async with Backend(features=FEATURES, context=server).running() as backend:
            for _ in range(2):
                assert (await send(pool, backend.url)).delivered
            assert ["EHLO gate.example", "STARTTLS", "EHLO gate.example", "MAIL FROM:<>"] == backend.said[:4]
            assert 1 == backend.connections
            assert MAIL == backend.taken[1].text
            pool.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("who", ["right", "wrong name", "unknown authority", "not offered", "refused"])
def test_required(who: str, loop: str) -> None:
    """Only a certificate that holds will do; otherwise the mail stays where it is, and nothing was said."""
    server, trusted = tls_contexts("backend.example" if who == "wrong name" else "127.0.0.1")
    if who == "wrong name":
        authority = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        import trustme

        ca = trustme.CA()
        ca.issue_cert("other.example").configure_cert(authority)
        trusted = ssl.create_default_context()
        ca.configure_trust(trusted)
        server = authority

    async def main() -> None:
        pool = Pool("gate.example", Nobody(), trusted=None if who == "unknown authority" else trusted)
        backend = Backend(features=FEATURES if who != "not offered" else (), context=server)
        if who == "refused":
            backend.starttls = b"454 4.7.0 not now\r\n"
        async with backend.running():
            result = await send(pool, f"{backend.url}?tls=required")
            assert (who == "right") == result.delivered, result
            if who != "right":
                assert ("unreachable", 451) == (result.kind, result.code)
                assert not any(line.startswith("MAIL") for line in backend.said)
            pool.close()

    run(main(), loop)


def test_off() -> None:
    """Switched off, it is not even tried."""

    async def main() -> None:
        pool = Pool("gate.example", Nobody())
        async with Backend(features=FEATURES).running() as backend:
            assert (await send(pool, f"{backend.url}?tls=off")).delivered
            assert "STARTTLS" not in backend.said
            pool.close()

    run(main())


def test_wanted_and_broken() -> None:
    """A handshake that fails, or a 454: in clear text rather than not at all, and not tried for each mail."""

    class Broken(Backend):
        pass

    async def main() -> None:
        pool = Pool("gate.example", Nobody())
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # it has no certificate
        async with Backend(features=FEATURES, context=server).running() as backend:
            for _ in range(2):
                assert (await send(pool, backend.url)).delivered
                backend.hang_up()
                await asyncio.sleep(0.02)
            assert 1 == backend.said.count("STARTTLS")
            assert 3 == backend.connections
        async with Backend(features=FEATURES, starttls=b"454 4.7.0 not now\r\n").running() as backend:
            assert (await send(pool, backend.url)).delivered
        pool.close()

    run(main())


INJECTED = [
    b"250-backend\r\n250 PIPELINING\r\n",
    b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n250 2.0.0 Taken\r\n",
    b"250-half",
]


@pytest.mark.parametrize("injected", INJECTED)
@pytest.mark.parametrize("loop", LOOPS)
def test_nothing_from_before_the_handshake_counts(injected: bytes, loop: str) -> None:
    """Replies injected in clear text behind the 220 never become the answer to what is said later (T2.3)."""
    server, _ = tls_contexts()

    async def main() -> None:
        pool = Pool("gate.example", Nobody())
        backend = Backend(features=FEATURES, context=server, behind_starttls=injected)
        backend.final = b"550 5.7.1 the true answer\r\n"
        async with backend.running():
            result = await send(pool, f"{backend.url}?tls=wanted")
            assert not result.delivered
            assert result.kind in ("refused", "unreachable")
        pool.close()

    run(main(), loop)
