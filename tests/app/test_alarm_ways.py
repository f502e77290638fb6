"""Alarms go out: posted to a real HTTP server, mailed through another server; what fails is said in words."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from gatepost.app import alarm_ways
from gatepost.app.alarm_ways import Undelivered, Ways
from gatepost.app.tools import make_relay, make_resolver
from gatepost.config import load
from gatepost.desk.alarm_words import Notice
from tests.app.hooks import listening
from tests.relay.backend import Backend
from tests.relay.demanding import demanding

TEST = [Notice("test"), Notice("test")]


def sent(way: str, folder: Path, **said: str) -> None:
    """Send twice the same on a way."""

    async def go() -> None:
        told = {"hostname": "mx.test", "data_dir": str(folder), "smtp.listen": "127.0.0.1:2525"}
        told |= {f"alarms.{key}": value for key, value in said.items()}
        config = load(None, {}, overrides=told, search=())
        resolver = make_resolver(config)
        relay = make_relay(config, resolver)
        try:
            await Ways(config, relay).send(way, TEST, 0.0)
        finally:
            relay.pool.close()
            await resolver.close()

    asyncio.run(go())


def test_webhook(tmp_path: Path) -> None:
    """One post for each, with the secret where there is one."""
    with listening() as hook:
        sent("webhook", tmp_path, webhook=hook.url)
        sent("webhook", tmp_path, webhook=hook.url, webhook_secret="s3cret")
    assert [("test", "")] * 4 == hook.events
    assert ["", "", "Bearer s3cret", "Bearer s3cret"] == hook.secrets


@pytest.mark.parametrize("status", [302, 404, 500])
def test_webhook_that_refuses(tmp_path: Path, status: int) -> None:
    """Anything but 2xx is a failure; a redirect is not followed."""
    with listening() as hook:
        hook.status = status
        with pytest.raises(Undelivered, match=f"answered {status}"):
            sent("webhook", tmp_path, webhook=hook.url)
        assert 1 == hook.tries


def test_webhook_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead, silent, or no HTTP: bounded in time, and the URL (it may hold a secret) is not repeated."""
    with pytest.raises(Undelivered, match="the webhook: "):
        sent("webhook", tmp_path, webhook="http://127.0.0.1:1/x?key=s3cret")
    monkeypatch.setattr(alarm_ways, "POST_SECONDS", 0.2)

    async def answer(said: bytes) -> str:
        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            if said:
                writer.write(said)
                writer.close()
            else:
                await asyncio.sleep(60)

        server = await asyncio.start_server(client, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Undelivered) as caught:
            await asyncio.to_thread(sent, "webhook", tmp_path, webhook=f"http://127.0.0.1:{port}/?key=s3cret")
        server.close()
        return str(caught.value)

    assert "the webhook: no answer within 0.2 s" == asyncio.run(answer(b""))
    monkeypatch.setattr(alarm_ways, "POST_SECONDS", 30)
    said = asyncio.run(answer(b"HTTP/1.1 x\r\n\r\n"))
    assert "the webhook: the URL: " in said
    assert "s3cret" not in said


def test_mail(tmp_path: Path) -> None:
    """One mail for all, null sender, through the server that was named."""

    async def go() -> None:
        backend = Backend()
        async with backend.running():
            await asyncio.to_thread(
                sent, "mail", tmp_path, mail_to="a@out.example,b@out.example", mail_through=backend.url
            )
            (taken,) = backend.taken
            assert taken.mail.startswith("MAIL FROM:<>")
            assert 2 == len(taken.rcpts)
            assert b"Subject: [mx.test] test: This is a test" in taken.text
            backend.rcpt = b"550 5.7.1 no relaying\r\n"
            with pytest.raises(Undelivered, match=r"mail: 550 5.7.1 no relaying \(127.0.0.1:"):
                await asyncio.to_thread(
                    sent, "mail", tmp_path, mail_to="a@out.example", mail_through=backend.url
                )

    asyncio.run(go())


SIGNING_IN = {"mail_to": "a@out.example", "mail_user": "gate"}


@pytest.mark.parametrize("tls", ["", "?tls=wanted", "?tls=required"])
def test_mail_signs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: str) -> None:
    """Over TLS whatever the route says; a new password in the file holds at once."""
    authority, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    file = tmp_path / "password"
    file.write_text("old\n")
    with demanding(server, login=("gate", "new")) as (handler, port):
        told = SIGNING_IN | {
            "mail_password_file": str(file), "mail_through": f"smtp://127.0.0.1:{port}{tls}"
        }  # fmt: skip
        with pytest.raises(Undelivered, match="did not let gate in: 535"):
            sent("mail", tmp_path, **told)
        file.write_text("new\n")
        sent("mail", tmp_path, **told)
    assert ["old", "new"] == [password for _, password in handler.tries]
    assert 1 == len(handler.taken)


def test_mail_that_cannot_sign_in(tmp_path: Path) -> None:
    """No password, no file, no TLS: nothing is sent, and it is said why."""
    file = tmp_path / "password"
    with demanding(None) as (handler, port):
        told = SIGNING_IN | {"mail_through": f"smtp://127.0.0.1:{port}"}
        with pytest.raises(Undelivered, match="mail_password_file is not"):
            sent("mail", tmp_path, **told)
        told["mail_password_file"] = str(file)
        with pytest.raises(Undelivered, match="password does not exist"):
            sent("mail", tmp_path, **told)
        file.write_text("s3cret")
        with pytest.raises(Undelivered, match="TLS is required and the next hop does not offer it"):
            sent("mail", tmp_path, **told)
        told["mail_through"] += "?tls=off"
        with pytest.raises(Undelivered, match="never sent in clear text"):
            sent("mail", tmp_path, **told)
        told["mail_through"] = "smtp+mx://localhost?tls=required"
        with pytest.raises(Undelivered, match="name the host itself"):
            sent("mail", tmp_path, **told)
    assert ([], []) == (handler.tries, handler.taken)


def test_mail_never_comes_through_us(tmp_path: Path) -> None:
    """A server that is ourselves is none: the filter could hold the alarm."""
    with pytest.raises(Undelivered, match="leads to ourselves"):
        sent("mail", tmp_path, mail_to="a@out.example", mail_through="smtp://127.0.0.1:2525")
