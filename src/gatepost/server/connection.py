"""One SMTP connection: asyncio or our own epoll on one side, the pure protocol on the other.

The only reader and writer of its socket. Time, TLS and back-pressure live here and nowhere
else; what is said lives in `dialogue`. An event whose answer is there at once costs no task:
only what really waits (DNS, the back end, a disk) becomes one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, cast

from gatepost.mail.reply import Reply
from gatepost.mail.session import Session
from gatepost.server.wire import BULK_SIZE, LINGER, READ_SIZE, Wire
from gatepost.smtp.proxy_header import ProxyError, ProxyReader
from gatepost.smtp.server import Answer, DataChunk, ServerProtocol, StartTls

if TYPE_CHECKING:
    from gatepost.server.listener import Door

HOLD_LIMIT = 131_072
"""Bytes of pipelined commands that may wait while one is being answered."""
TOO_SLOW = Reply(421, "4.4.2", "Timeout, closing the connection", close=True)
TLS_GO = b"220 2.0.0 Ready to start TLS\r\n"
TLS_TIMEOUT = 30


class Stream(Protocol):
    """What a connection needs of its transport: a Wire, or asyncio's own."""

    def write(self, data: bytes, /) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...
    def is_closing(self) -> bool: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Connection:
    """An asyncio.Protocol in all but inheritance (which would cost a `__dict__`)."""

    __slots__ = (
        "_busy",
        "_door",
        "_eof",
        "_greeted",
        "_paused",
        "_plain",
        "_proxy",
        "_task",
        "_wait",
        "client_key",
        "deadline",
        "dialogue",
        "ends",
        "protocol",
        "second",
        "session",
        "stream",
    )

    def __init__(self, door: Door, session: Session, client_key: int) -> None:
        self._door = door
        self.session = session
        self.client_key = client_key
        self.protocol: ServerProtocol = door.new_protocol(session)
        self.dialogue = door.new_dialogue(session, self.protocol)
        self.stream: Stream | None = None
        self.deadline = 0.0
        """Monotonic seconds at which the client was too slow; read by the door's clock."""
        self.ends = 0.0
        """Monotonic seconds at which the session as a whole is over."""
        self.second = 0
        """The tick at which the door's clock looks at this connection."""
        self._busy = False
        self._greeted = False
        self._plain = False
        """Greeted, in clear text, without a PROXY header to come: the usual way."""
        self._paused = False
        self._eof = False
        self._task: asyncio.Task[None] | None = None
        self._proxy: ProxyReader | None = None
        self._wait = 0.0
        """Seconds of silence before the greeting."""

    # -- the transport's side -------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """TLS is there (clear-text connections are begun by `start`)."""
        self.stream = transport
        info: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        cipher = info.cipher() if info is not None else None
        if info is not None and cipher is not None:
            self.session.tls = f"{info.version()} {cipher[0]}"
            self._plain = False

    def start(self, stream: Stream, *, proxied: bool, wait: float) -> None:
        """Begin to speak: at once, after the PROXY header, or after `wait` seconds of silence."""
        self.stream = stream
        self.touch()
        self._wait = wait
        if proxied:
            self._proxy = ProxyReader()
        else:
            self._greet_soon()

    def _greet_soon(self) -> None:
        """Greet at once, or after a while in which a good client says nothing."""
        if self._wait > 0:
            self._door.loop.call_later(self._wait, self.greet)
        else:
            self.greet()

    def greet(self) -> None:
        """Send the greeting, once."""
        if self._greeted or self.stream is None:
            return
        self._greeted = True
        self._plain = not self.session.tls
        self._say(self.dialogue.greeting())
        if self.protocol.buffered:
            self._pump()

    def data_received(self, data: bytes) -> None:
        """Take bytes; answer what can be answered."""
        try:
            if not self._plain:
                self._data_specially(data)
                return
            self.protocol.receive(data)
            if self._busy:
                self._hold_back()
            else:
                self._pump()
        except Exception as error:  # our own bug ends this session with 421 and disturbs no other one
            self._fail(error)

    def _data_specially(self, data: bytes) -> None:
        """Bytes before the greeting, before the PROXY header's end, or under TLS."""
        if self._proxy is not None:
            self._take_proxy(data)
            return
        self.protocol.receive(data)
        if not self._greeted:
            self.session.early = True
            self._door.gateway.count_early_talker()
            self._hold_back()
            self.greet()
            return
        self._door.hub.batch_soon()  # no batch of the hub's own ends behind asyncio's TLS
        if self._busy:
            self._hold_back()
        else:
            self._pump()

    def eof_received(self) -> bool:
        """The client is done sending; what it sent is still answered."""
        self._eof = True
        return self._busy

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; what was promised goes on."""
        if self.stream is None:
            return
        self.stream = None
        self._door.leave(self)
        self._door.hub.batch_soon()
        self.dialogue.lost(self._task is not None)

    def pause_writing(self) -> None:
        """asyncio's transport has enough to send: do not let the client ask for more."""
        if self.stream is not None:
            self.stream.pause_reading()

    def resume_writing(self) -> None:
        """asyncio's transport has room again."""
        if self.stream is not None and not self._paused:
            self.stream.resume_reading()

    @property
    def busy(self) -> bool:
        """True while an answer is being made."""
        return self._busy

    # -- time -----------------------------------------------------------------------------

    def touch(self) -> None:
        """The client did something whole: it has the full time again."""
        self.deadline = self._door.deadline

    def timed_out(self) -> None:
        """Called by the door's clock when the deadline has passed."""
        if self._busy:  # it is our turn: our own limits (final_reply) hold
            self.touch()
            return
        stream = self.stream
        if stream is None:
            return
        if stream.is_closing():  # we said all we had to, and the client takes none of it
            stream.abort()
            return
        self.dialogue.too_slow()
        self._say(TOO_SLOW.wire())
        self.close()
        self.deadline = self._door.hub.now + LINGER

    def shut_down(self) -> None:
        """The service drains: close between transactions, let an open one end."""
        if not self._busy and not self.dialogue.in_transaction:
            self._say(self._door.gateway.shutting_down.wire())
            self.close()

    def turn_away(self, reply: Reply) -> None:
        """Refuse before the dialogue; the session is written down when it is gone."""
        self._door.gateway.count_refused(reply)
        self.dialogue.why = reply.text
        self._say(reply.with_id(self.session.id).wire())
        self.close()

    # -- the protocol's side --------------------------------------------------------------

    def _pump(self) -> None:
        """Answer every event that is complete, in one write."""
        protocol, dialogue = self.protocol, self.dialogue
        next_event, answers = protocol.next_event, dialogue.answers
        out = b""
        while (event := next_event()) is not None:
            handler = answers.get(type(event))
            if handler is None:
                if type(event) is DataChunk:
                    dialogue.data(event.data)
                elif type(event) is Answer:
                    out += event.data
                    if event.close:
                        break
                elif type(event) is StartTls:
                    self._start_tls(event, out)
                    return
                continue
            answer = handler(dialogue, event)
            if type(answer) is bytes:
                out = out + answer if out else answer
            elif answer is not None:
                if out:
                    self._say(out)
                self._wait_for(answer)  # type: ignore[arg-type]  # bytes were looked at just now
                return
            if protocol.in_data:
                self._bulk(on=True)
            if dialogue.closing:
                break
        if out:
            stream = self.stream
            if stream is not None:
                stream.write(out)
            self.deadline = self._door.deadline
        elif protocol.in_data:
            self._touch_data()
        if dialogue.closing or self._eof:
            self.close()

    def _touch_data(self) -> None:
        """In DATA each block gives time, but never past the limit of the message."""
        self.deadline = min(self._door.deadline, self.dialogue.data_ends)

    def _wait_for(self, answer: Coroutine[Any, Any, bytes]) -> None:
        self._busy = True
        self._task = task = self._door.loop.create_task(self._answer(answer))
        task.add_done_callback(self._answered)

    async def _answer(self, answer: Coroutine[Any, Any, bytes]) -> None:
        reply = await answer
        self._door.hub.batch_soon()
        self._bulk(on=self.protocol.in_data)
        self._busy = False
        self._task = None
        if self.stream is None:
            self.dialogue.gone()
            return
        self._say(reply)
        self.touch()
        if self.dialogue.closing:
            self.close()
            return
        if self._paused:
            self._paused = False
            self.stream.resume_reading()
        self._pump()

    def _answered(self, task: asyncio.Task[None]) -> None:
        """Our own bug must neither be silent nor leave the client waiting: 421, never a 5xx."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._door.gateway.bug("connection", error, self.session.id)
        self._busy = False
        self._task = None
        if self.stream is None:
            self.dialogue.gone()
            return
        self.dialogue.why = "internal trouble"
        self._say(self._door.gateway.trouble.with_id(self.session.id).wire())
        self.dialogue.closing = True
        self.close()

    def _say(self, data: bytes) -> None:
        if self.stream is not None:
            self.stream.write(data)

    def close(self) -> None:
        """Send what is left and close."""
        stream = self.stream
        if stream is None:
            return
        if type(stream) is Wire and self.dialogue.said_quit:
            stream.finish()
        else:
            stream.close()

    def _hold_back(self) -> None:
        if not self._paused and self.stream is not None and self.protocol.buffered > HOLD_LIMIT:
            self._paused = True
            self.stream.pause_reading()

    def _bulk(self, *, on: bool) -> None:
        stream = self.stream
        if type(stream) is Wire:
            stream.read_size = BULK_SIZE if on else READ_SIZE

    # -- PROXY and TLS --------------------------------------------------------------------

    def _take_proxy(self, data: bytes) -> None:
        assert self._proxy is not None
        try:
            result = self._proxy.feed(data)
        except ProxyError as error:
            # Never "taken as SMTP" (T9.3): a balancer that cannot say who is there is cut off.
            self._door.gateway.refused_proxy(self.session, str(error))
            if self.stream is not None:
                self.stream.abort()
            return
        if result is None:
            return
        self._proxy = None
        if result.client and not self._door.arrived(self, result):
            return
        if result.rest:
            self.session.early = True
            self._door.gateway.count_early_talker()
            self.protocol.receive(result.rest)
            self.greet()
        else:
            self._greet_soon()

    def _start_tls(self, event: StartTls, out: bytes) -> None:
        """RFC 3207. What came behind the command in clear text is never run (T2.1)."""
        door = self._door
        stream = self.stream
        if event.injected:
            door.gateway.count_injection(self.session)
            self.dialogue.why = "commands behind STARTTLS"
            self._say(out + b"554 5.5.0 Command pipelined behind STARTTLS\r\n")
            self.close()
            return
        context = door.tls()
        if context is None or type(stream) is not Wire:
            out += b"454 4.7.0 TLS is not available now\r\n"
            self.protocol.tls_refused()
            self._say(out)
            self._pump()
            return
        self._say(out + TLS_GO)
        stream.send_late()
        if self.stream is None:
            return
        self.protocol.reset_for_tls()
        self.dialogue.reset_for_tls()
        sock = stream.detach()
        self._busy = True
        self._task = door.loop.create_task(self._handshake(sock, context))

    async def _handshake(self, sock: Any, context: ssl.SSLContext) -> None:
        """Hand the socket to asyncio; its TLS layer starts from an empty buffer."""
        self.stream = None
        try:
            await self._door.loop.connect_accepted_socket(
                cast("Callable[[], asyncio.Protocol]", lambda: self),
                sock,
                ssl=context,
                ssl_handshake_timeout=TLS_TIMEOUT,
            )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            sock.close()
            self._door.leave(self)
            self.dialogue.no_tls(str(error))
            return
        finally:
            self._busy = False
            self._task = None
        self.touch()
        self._pump()
