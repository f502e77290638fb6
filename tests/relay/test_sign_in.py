"""Signing in to a real server (aiosmtpd) that demands it: by each way, and each way in which it fails."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from gatepost.mail.address import parse_address
from gatepost.relay.handoff import Relay
from gatepost.relay.pool import Pool
from gatepost.relay.results import MailParams, Result, Target, To
from gatepost.relay.sign_in import Login
from tests.relay.backend import Backend, run, tls_contexts
from tests.relay.demanding import LOGIN, PASSWORD, demanding
from tests.relay.house import Nobody

GOOD = Login(*LOGIN)


async def send(trusted: ssl.SSLContext, url: str, login: Login) -> Result:
    """Send a mail in a relay's own way that signs in."""
    relay = Relay(Pool("gate.example", Nobody(), trusted=trusted), clock=lambda: 1.5).signing_in(login)
    to = [To(parse_address("ann@out.example"))]
    deadline = asyncio.get_running_loop().time() + 30
    try:
        (result,) = await relay.hand_off(
            None,
            None,
            MailParams(),
            [Target((url,), to)],
            [b"Subject: x\r\n\r\nHello\r\n"],
            False,
            b"",
            deadline,
        )
    finally:
        relay.pool.close()
    return result


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize(("but", "way"), [((), "PLAIN"), (("PLAIN",), "LOGIN")])
def test_signed_in(but: tuple[str, ...], way: str, implicit: bool) -> None:
    """PLAIN where it is offered, else LOGIN; the mail is taken."""
    server, trusted = tls_contexts("127.0.0.1")
    with demanding(server, implicit=implicit, but=but) as (handler, port):
        result = asyncio.run(
            send(trusted, f"smtp://127.0.0.1:{port}?tls={'implicit' if implicit else 'required'}", GOOD)
        )
    assert result.delivered, result
    assert [(way, PASSWORD)] == handler.tries
    assert 1 == len(handler.taken)


@pytest.mark.parametrize("but", [(), ("PLAIN",)], ids=["PLAIN", "LOGIN"])
def test_wrong_password(but: tuple[str, ...]) -> None:
    """What the server said of it, asked once; neither it nor anything else repeats the password."""
    server, trusted = tls_contexts("127.0.0.1")
    with demanding(server, but=but) as (handler, port):
        result = asyncio.run(
            send(trusted, f"smtp://127.0.0.1:{port}?tls=required", Login(GOOD.user, "not this one"))
        )
    assert ("unreachable", 451) == (result.kind, result.code)
    assert "did not let gatepost@example.net in: 535 5.7.8" in result.text
    assert "not this one" not in result.text
    assert (1, []) == (len(handler.tries), handler.taken)


@pytest.mark.parametrize("tls", ["wanted", "required", "implicit", "off"])
def test_server_without_tls(tls: str) -> None:
    """Nothing secret crosses the network in clear text, whatever the route says."""
    _, trusted = tls_contexts("127.0.0.1")
    with demanding(None) as (handler, port):
        result = asyncio.run(send(trusted, f"smtp://127.0.0.1:{port}?tls={tls}", GOOD))
    why = {"required": "does not offer it", "implicit": "no connection"}.get(tls, "sent over TLS only")
    assert why in result.text
    assert ([], []) == (handler.tries, handler.taken)


@pytest.mark.parametrize("tls", ["required", "implicit"])
@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_certificate_that_does_not_hold(wrong: str, tls: str) -> None:
    """Whoever only says that he is the server gets no password."""
    server, trusted = tls_contexts("127.0.0.1")
    if wrong == "name":
        import trustme

        server, other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
        other.issue_cert("other.example").configure_cert(server)
        other.configure_trust(trusted)
    else:
        _, trusted = tls_contexts("127.0.0.1")
    with demanding(server, implicit=tls == "implicit") as (handler, port):
        result = asyncio.run(send(trusted, f"smtp://127.0.0.1:{port}?tls={tls}", GOOD))
    assert not result.delivered
    assert "certificate" in result.text.lower()
    assert [] == handler.tries


@pytest.mark.parametrize(
    ("offered", "listed"),
    [((), "none at all"), (("AUTH CRAM-MD5 XOAUTH2",), "CRAM-MD5, XOAUTH2")],
)
def test_no_way_to_sign_in(offered: tuple[str, ...], listed: str) -> None:
    """A server that offers none, or none that we know, is told of with what it offers."""
    server, trusted = tls_contexts("127.0.0.1")

    async def main() -> None:
        async with Backend(features=("STARTTLS", *offered), context=server).running() as backend:
            result = await send(trusted, f"{backend.url}?tls=required", GOOD)
            assert f"no way to sign in that we know (PLAIN, LOGIN): {listed}" in result.text
            assert not any(line.startswith(("AUTH", "MAIL")) for line in backend.said)

    run(main())


def test_nobody_else_signs_in() -> None:
    """The relay's own pool, which the domains use, knows no password; whoever prints one sees none."""
    server, trusted = tls_contexts("127.0.0.1")
    relay = Relay(Pool("gate.example", Nobody(), trusted=trusted), clock=lambda: 1.5)
    assert relay.signing_in(GOOD).pool is not relay.pool

    async def main(url: str) -> Result:
        to = [To(parse_address("ann@out.example"))]
        deadline = asyncio.get_running_loop().time() + 30
        (result,) = await relay.hand_off(
            None, None, MailParams(), [Target((url,), to)], [b"x: y\r\n\r\n"], False, b"", deadline
        )
        relay.pool.close()
        return result

    with demanding(server) as (handler, port):
        result = asyncio.run(main(f"smtp://127.0.0.1:{port}?tls=required"))
    assert ("deferred", "Authentication required") == (result.kind, result.text)
    assert ([], []) == (handler.tries, handler.taken)
    assert PASSWORD not in repr(GOOD)
