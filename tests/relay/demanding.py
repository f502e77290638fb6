"""A real server (aiosmtpd) as a provider runs it for submission: it wants a name and a password."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.system.process import free_port

PASSWORD = "s3crét pass"
LOGIN = ("gatepost@example.net", PASSWORD)


class Demanding:
    """What a server of submission does: no mail of whom it does not know; it keeps what was said to it."""

    def __init__(self, login: tuple[str, str]) -> None:
        self.login = login
        self.taken: list[bytes] = []
        self.tries: list[tuple[str, str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a mail."""
        self.taken.append(envelope.content)
        return "250 2.0.0 Taken"

    def authenticator(
        self, _server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        """Say whether a name and a password are right."""
        assert isinstance(data, LoginPassword)
        self.tries.append((mechanism, data.password.decode()))
        good = (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=good, handled=good, message=None)


class Here(Controller):
    """Tries itself without TLS: aiosmtpd would use the server's own context as a client's."""

    def _trigger_server(self) -> None:
        socket.create_connection((self.hostname, self.port), 30).close()


@contextmanager
def demanding(
    context: ssl.SSLContext | None,
    *,
    implicit: bool = False,
    but: tuple[str, ...] = (),
    login: tuple[str, str] = LOGIN,
) -> Iterator[tuple[Demanding, int]]:
    """Run a server that wants a name; `but`: mechanisms that it does not know."""
    handler, port = Demanding(login), free_port()
    tls = (
        {"ssl_context": context}
        if implicit
        else {"tls_context": context, "require_starttls": context is not None}
    )
    controller = Here(
        handler,
        "127.0.0.1",
        port,
        auth_required=True,
        auth_require_tls=context is not None and not implicit,
        authenticator=handler.authenticator,
        ready_timeout=30,
        auth_exclude_mechanism=but,
        **tls,
    )
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()
