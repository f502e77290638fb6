"""One connection to a next hop: asyncio on one side, the sans-IO client protocol on the other.

Opening (greeting, EHLO, STARTTLS, XCLIENT) happens once for many messages and is written as a
coroutine. A message is an `Exchange` driven straight from `data_received`: no task, no timer and no
future but the one that the hand-off waits for. Time limits are looked after by the pool's clock.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from gatepost.relay.exchange import BODY, BROKEN, NOTHING, Exchange
from gatepost.relay.results import Content, Who
from gatepost.relay.routes import Route
from gatepost.relay.sign_in import Login, SignInFailed, sign_in
from gatepost.smtp.client import Capabilities, ClientProtocol, ClientReply
from gatepost.smtp.errors import GarbageError, OutboundError

AT_ONCE = 1_048_576
"""Bytes of a message that are given to the transport in one call; larger ones follow its pace."""
JOIN = 32_768
"""Bytes up to which copying them together is cheaper than handing them over in pieces."""
_HEADERS = re.compile(rb"(?:[!-9;-~]+:[^\r\n\0]*\r\n(?:[ \t][^\r\n\0]*\r\n)*)*")
RSET = b"RSET\r\n"
QUIT = b"QUIT\r\n"


class NoConnection(Exception):
    """The next hop could not be reached or does not want us. `reply` is what it said, if it spoke."""

    def __init__(self, text: str, reply: ClientReply | None = None, *, tls: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.reply = reply
        self.tls = tls
        """The TLS handshake failed: without TLS it may work."""


class BackendConnection(asyncio.Protocol):
    """Drives the client protocol; used for one message after the other, never for two at once."""

    __slots__ = (
        "_client",
        "_done",
        "_exchange",
        "_paused",
        "_source",
        "_transport",
        "_waiter",
        "capabilities",
        "deadline",
        "gone",
        "host",
        "idle",
        "idle_since",
        "loop",
        "place",
        "resetting",
        "route",
        "tls",
        "used",
        "who",
    )

    def __init__(self, route: Route, host: str, place: str) -> None:
        self.route = route
        self.loop = asyncio.get_running_loop()  # asked once: each time costs a system call
        self.host = host
        """The name that the certificate has to hold, where one is required."""
        self.place = place
        """Address and port really connected to, for the owner's eyes."""
        self.capabilities: Capabilities | None = None
        self.deadline = float("inf")
        """Loop time at which the message in hand has to be over; read by the pool's clock."""
        self.idle = False
        """Lies in the pool: nothing that it says now is an answer."""
        self.idle_since = 0.0
        self.used = 0
        self.gone = False
        self.tls = False
        self.who: Who | None = None
        """The client that XCLIENT told of last."""
        self._client = ClientProtocol(lmtp=route.lmtp)
        self._transport: Any = None
        self._exchange: Exchange | None = None
        self._done: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[ClientReply] | None = None
        self._source: Iterator[bytes] | None = None
        self._paused = False
        self.resetting = False

    # -- the transport's side -------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """The socket is there. Small writes go out at once (no Nagle: 44 ms a message otherwise)."""
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Take replies and let the exchange go on."""
        client = self._client
        exchange = self._exchange
        if exchange is not None and not client.pending:
            if exchange.sent_body:
                if self._source is None and exchange.hear_yes(data):
                    self._over(False)
                    return
            elif data in _ENVELOPES and exchange.hear_envelope(_ENVELOPES[data]):
                self._send(exchange.content)
                return
        client.receive(data)
        if exchange is None:
            self._hear_outside()
            return
        heard: list[ClientReply] = []
        try:
            while (reply := client.next_reply()) is not None:
                heard.append(reply)
                if self._source is not None and reply.code // 100 == 2:
                    raise GarbageError("it took the message before its end")
                action = exchange.hear(reply)
                if action == NOTHING:
                    if exchange.next:
                        self._transport.write(exchange.next)
                elif action == BODY:
                    self._send(exchange.content)
                    _learn(data, heard)
                else:
                    self._over(action == BROKEN)
                    return
        except GarbageError as error:
            self._fail(f"The next hop speaks no SMTP: {error}", "4.5.0")
        except OutboundError as error:
            # Our bytes are not fit to be sent on (T1.3): half a message is out, so the line is cut.
            self._fail(f"The message cannot be handed on: {error}", "4.6.0")

    def eof_received(self) -> bool:
        """The next hop closes: so do we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; what has no answer yet is deferred."""
        self.gone = True
        self._transport = None
        self._source = None
        why = "The next hop closed the connection" if exc is None else f"The connection broke: {exc}"
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(NoConnection(why))
        if self._exchange is not None:
            self._exchange.lost(why)
            self._over(True)

    def pause_writing(self) -> None:
        """The transport has enough for now."""
        self._paused = True

    def resume_writing(self) -> None:
        """The transport has room."""
        self._paused = False
        if self._source is not None:
            self._feed()

    # -- a message ------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """True while a message is in hand."""
        return self._exchange is not None

    def start(self, exchange: Exchange, deadline: float, done: asyncio.Future[None]) -> None:
        """Begin to hand on one message; `done` is set when the exchange has its results."""
        self._exchange = exchange
        self._done = done
        self.deadline = deadline
        self.used += 1
        if self.gone:
            exchange.lost("The next hop closed the connection")
            self._over(True)
        else:
            self._transport.write(exchange.begin())

    def _send(self, content: Content) -> None:
        """Send the message, in one go if it is small."""
        if content.proven and content.stuffed:
            chunks = content.chunks
            if type(chunks) is list and ends_well(chunks) and whole_lines(content.top):
                # The bytes are those of a DATA that our reader let pass: as they came, and the dot.
                if sum(map(len, chunks)) < JOIN:
                    self._transport.write(b"".join((content.top, *chunks, b".\r\n")))
                else:
                    self._transport.writelines([content.top, *chunks, b".\r\n"])
                return
        self._source = self._client.body(_pieces(content), content.stuffed)
        self._feed()

    def _feed(self) -> None:
        source, transport = self._source, self._transport
        assert source is not None
        try:
            while not self._paused and transport is not None:
                piece = next(source, None)
                if piece is None:
                    self._source = None
                    return
                if piece:
                    transport.write(piece)
        except (OutboundError, OSError) as error:
            self._source = None
            self._fail(f"The message cannot be handed on: {error}", "4.6.0")

    def late(self) -> None:
        """The pool's clock found the deadline passed."""
        self._fail("The next hop took too long", "4.4.2")

    def _fail(self, why: str, enhanced: str) -> None:
        if self._exchange is not None:
            self._exchange.lost(why, enhanced)
            self._over(True)
        self.abort()

    def _over(self, broken: bool) -> None:
        """The exchange has its results: tell the one who waits."""
        exchange, done = self._exchange, self._done
        assert exchange is not None
        unsent = self._source is not None
        self._exchange = self._done = self._source = None
        self.deadline = float("inf")
        if broken or unsent or self._client.pending or self._transport is None:
            # What is left of a message, or a reply too many, would be taken for the next message's.
            self.abort()
        elif exchange.dirty:
            self.resetting = True
            self._transport.write(RSET)
        elif self._transport.get_write_buffer_size():
            self.abort()
        if done is not None and not done.done():
            done.set_result(None)

    # -- opening and closing --------------------------------------------------------------

    async def greet(self, hostname: str, context: ssl.SSLContext | None, login: Login | None = None) -> None:
        """Hear the greeting, say EHLO, encrypt if offered, sign in. NoConnection where that does not work."""
        reply = await self._hear()
        if reply.code != 220:
            raise NoConnection("The next hop does not want to talk", reply)
        await self._hello(hostname)
        offered = self.capabilities is not None and self.capabilities.starttls
        if context is not None and offered and not self.tls:
            await self._start_tls(hostname, context)
        if self.route.tls == "required" and not self.tls:
            raise NoConnection("TLS is required and the next hop does not offer it")
        if login is not None:
            try:
                await sign_in(self, login)
            except SignInFailed as error:
                raise NoConnection(error.text, error.reply) from error

    async def _hello(self, hostname: str) -> None:
        client = self._client
        reply = await self.ask(client.ehlo(hostname))
        if reply.code // 100 == 2:
            self.capabilities = client.capabilities(reply)
            return
        if reply.code // 100 == 5 and not self.route.lmtp:
            reply = await self.ask(b"HELO " + hostname.encode("ascii", "replace") + b"\r\n")
            if reply.code // 100 == 2:
                self.capabilities = client.capabilities(ClientReply(250, "", [""]))
                return
        raise NoConnection("The next hop refused our greeting", reply)

    async def _start_tls(self, hostname: str, context: ssl.SSLContext) -> None:
        """RFC 3207; nothing that was said in clear text is kept (T2.3)."""
        reply = await self.ask(b"STARTTLS\r\n")
        if reply.code != 220:
            if self.route.tls == "required":
                raise NoConnection("TLS is required and the next hop refused it", reply)
            return
        self._client.drop_plaintext()
        self.capabilities = None
        loop = self.loop
        old = self._transport
        try:
            self._transport = await loop.start_tls(
                old, self, context, server_hostname=self.host or None, ssl_handshake_timeout=20
            )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            old.abort()
            raise NoConnection(f"The TLS handshake failed: {error}", tls=True) from error
        if self._transport is None:
            raise NoConnection("The TLS handshake failed", tls=True)
        self._client.drop_plaintext()
        self.tls = True
        await self._hello(hostname)

    async def tell_client(self, who: Who, hostname: str) -> None:
        """XCLIENT: let the next hop see the true client; its session begins anew."""
        capabilities = self.capabilities
        if self.who == who or capabilities is None or not capabilities.xclient:
            return
        command = self._client.xclient(xclient_attributes(who, capabilities.xclient))
        reply = await self.ask(command)
        if reply.code != 220:
            raise NoConnection("The next hop refused XCLIENT", reply)
        await self._hello(hostname)
        self.who = who

    async def ask(self, command: bytes) -> ClientReply:
        """Say one thing and hear the answer."""
        if self._transport is None:
            raise NoConnection("The next hop closed the connection")
        self._transport.write(command)
        return await self._hear()

    async def settle(self) -> None:
        """Wait for the answer to RSET, if one is owed."""
        if self.resetting:
            reply = await self._hear()
            self.resetting = False
            if reply.code // 100 != 2:
                raise NoConnection("The next hop refused RSET", reply)

    async def _hear(self) -> ClientReply:
        reply = self._next()
        if reply is not None:
            return reply
        if self.gone:
            raise NoConnection("The next hop closed the connection")
        waiter: asyncio.Future[ClientReply] = self.loop.create_future()
        self._waiter = waiter
        try:
            return await waiter
        finally:
            self._waiter = None

    def _next(self) -> ClientReply | None:
        try:
            return self._client.next_reply()
        except GarbageError as error:
            raise NoConnection(f"The next hop speaks no SMTP: {error}") from error

    def _hear_outside(self) -> None:
        """A reply while no message is in hand: someone waits for it, or the next hop says good-bye."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            if self.idle and not self.resetting:
                self.abort()  # 421 for being idle; or replies that nobody asked for
            return  # the greeting may be here before we listen for it
        try:
            reply = self._next()
        except NoConnection as error:
            waiter.set_exception(error)
            return
        if reply is not None:
            waiter.set_result(reply)

    def quit(self) -> None:
        """Say good-bye and close; the answer is not waited for."""
        if self._transport is not None and not self.gone:
            self.gone = True
            self._transport.write(QUIT)
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self.gone = True
        if self._transport is not None:
            self._transport.abort()


_ENVELOPES: dict[bytes, list[ClientReply]] = {}
"""A next hop says yes to an envelope in the same words each time: these bytes are these replies."""
_MOST_ENVELOPES = 500
_LONGEST_ENVELOPE = 1000


def whole_lines(top: bytes) -> bool:
    """Return whether these are header lines and nothing that could end the headers or the message."""
    return _HEADERS.fullmatch(top) is not None


def _learn(data: bytes, heard: list[ClientReply]) -> None:
    """Remember a whole envelope's answers: all 2xx, then 354, nothing before or behind in these bytes."""
    if len(data) > _LONGEST_ENVELOPE or not data.startswith(b"2") or data.count(b"\n") != len(heard):
        return
    if any(reply.code // 100 != 2 for reply in heard[:-1]) or heard[-1].code != 354:
        return
    if len(_ENVELOPES) >= _MOST_ENVELOPES:
        _ENVELOPES.clear()
    _ENVELOPES[data] = heard


def ends_well(chunks: list[bytes]) -> bool:
    """Return whether the last line is whole and the message small enough for one call."""
    return bool(chunks) and chunks[-1].endswith(b"\r\n") and sum(map(len, chunks)) <= AT_ONCE


def _pieces(content: Content) -> Iterator[bytes]:
    if not whole_lines(content.top):
        raise OutboundError("what we put on top is not whole header lines")
    if content.top:
        yield content.top
    yield from content.chunks


def xclient_attributes(who: Who, offered: frozenset[str]) -> dict[str, str | None]:
    """Return what XCLIENT or XFORWARD may say of a client, of the names that the next hop knows."""
    said = {
        "NAME": who.host or None,
        "ADDR": who.client or None,
        "PORT": str(who.port) if who.port else None,
        "HELO": who.helo or None,
        "PROTO": "ESMTP" if who.esmtp else "SMTP",
        "IDENT": who.id or None,
        "SOURCE": "REMOTE",
    }
    return {name: value for name, value in said.items() if name in offered}
