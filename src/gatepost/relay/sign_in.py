"""Sign in to a server that takes mail for others (RFC 4954): PLAIN, else LOGIN, and over TLS alone.

Only the alarms' way out does so, by a pool of its own: a domain's route that led to the same server
would else send mail in the machine's name.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gatepost.relay.connection import BackendConnection
    from gatepost.smtp.client import ClientReply


class Login(NamedTuple):
    """A name and its password."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Show no password, whoever prints it."""
        return f"Login({self.user!r})"


class SignInFailed(Exception):
    """The server did not let us in; `reply` is what it said, if it was asked."""

    def __init__(self, text: str, reply: ClientReply | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.reply = reply


async def sign_in(connection: BackendConnection, login: Login) -> None:
    """Sign in; SignInFailed where that cannot be. Nothing secret is said without TLS."""
    if not connection.tls:
        raise SignInFailed("The password is sent over TLS only")
    offered = connection.capabilities.auth if connection.capabilities is not None else frozenset()
    if "PLAIN" in offered:
        said = _base64(f"\0{login.user}\0{login.password}")
        reply = await connection.ask(b"AUTH PLAIN " + said + b"\r\n")
    elif "LOGIN" in offered:
        reply = await connection.ask(b"AUTH LOGIN\r\n")
        for word in (login.user, login.password):
            if reply.code != 334:
                break
            reply = await connection.ask(_base64(word) + b"\r\n")
    else:
        listed = ", ".join(sorted(offered)) or "none at all"
        raise SignInFailed(f"The next hop offers no way to sign in that we know (PLAIN, LOGIN): {listed}")
    if reply.code // 100 != 2:
        raise SignInFailed(f"The next hop did not let {login.user} in", reply)


def _base64(text: str) -> bytes:
    return b64encode(text.encode())
