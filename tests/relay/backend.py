"""A domain's own server as tests need it: strict in what it reads, told what to do wrong.

It ends a message at CRLF . CRLF and nowhere else, and runs whatever comes behind as commands, so
that a smuggled command would be seen.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run(work: Coroutine[Any, Any, None], loop: str = "asyncio") -> None:
    """Run one test's coroutine; a test that hangs fails."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(bounded())


@dataclass
class Taken:
    """One message that was taken."""

    mail: str
    rcpts: list[str]
    wire: bytes
    """As it came, dots stuffed, without the end."""
    xclient: str = ""
    xforward: str = ""

    @property
    def text(self) -> bytes:
        """The message's own bytes."""
        text = self.wire.replace(b"\r\n.", b"\r\n")
        return text[1:] if text.startswith(b".") else text


Say = bytes | Callable[[str], bytes] | None


@dataclass
class Backend:
    """What it says; `close_at` names a point at which it closes without a word."""

    greeting: bytes = b"220 backend ESMTP\r\n"
    features: tuple[str, ...] = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN")
    ehlo: Say = None
    mail: Say = b"250 2.1.0 Ok\r\n"
    rcpt: Say = b"250 2.1.5 Ok\r\n"
    data: Say = b"354 Go ahead\r\n"
    final: Say = b"250 2.0.0 Taken\r\n"
    each: Callable[[str], bytes] = lambda _rcpt: b"250 2.1.5 Taken\r\n"
    """LMTP and PRDR: the answer for each recipient behind the data."""
    rset: Say = b"250 2.0.0 Reset\r\n"
    lmtp: bool = False
    starttls: Say = b"220 2.0.0 Go\r\n"
    behind_starttls: bytes = b""
    """Sent in clear text in the same breath as the 220 (T2.3)."""
    context: ssl.SSLContext | None = None
    close_at: str = ""
    delay_at: str = ""
    delay: float = 0.0
    meet: asyncio.Barrier | None = None
    """Who comes to `delay_at` waits there for others instead."""
    hole: bool = False
    """Says 354 though it accepted no recipient."""
    only_first: bool = False
    """Close or delay at the first connection only."""
    taken: list[Taken] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Every command line of every connection."""
    connections: int = 0
    waits: int = 0
    """How often `delay_at` was reached."""
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, path: Path | None = None) -> AsyncIterator[Backend]:
        """Listen on a free port (or a socket)."""
        if path is not None:
            server: Any = await asyncio.start_unix_server(self._serve, str(path))
        else:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()

    @property
    def url(self) -> str:
        """The route to it."""
        return f"{'lmtp' if self.lmtp else 'smtp'}://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Close every connection."""
        for writer in self.writers:
            writer.close()
        self.writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            await _Session(self, reader, writer, self.connections).talk()
        except (ConnectionError, asyncio.IncompleteReadError, _Closed):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()


class _Closed(Exception):
    pass


class _Session:
    def __init__(
        self, backend: Backend, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.b = backend
        self.reader = reader
        self.writer = writer
        self.number = number
        self.mail = ""
        self.rcpts: list[str] = []
        self.xclient = ""
        self.xforward = ""

    async def at(self, point: str) -> None:
        b = self.b
        if b.only_first and self.number > 1:
            return
        if b.delay_at == point:
            b.waits += 1
            await (b.meet.wait() if b.meet is not None else asyncio.sleep(b.delay))
        if b.close_at == point:
            raise _Closed

    def say(self, what: Say, argument: str = "") -> bytes:
        data = what(argument) if callable(what) else what
        self.writer.write(data or b"")
        return data or b""

    async def talk(self) -> None:
        b = self.b
        await self.at("connect")
        self.say(b.greeting)
        while True:
            line = (await self.reader.readuntil(b"\r\n"))[:-2].decode("utf-8", "surrogateescape")
            b.said.append(line)
            verb = line.split(" ")[0].split(":")[0].lower()
            await self.at(verb)
            if verb == "quit":
                self.say(b"221 2.0.0 Bye\r\n")
                return
            await self.on(verb, line)
            await self.writer.drain()
            await self.at(f"after {verb}")

    async def on(self, verb: str, line: str) -> None:
        b = self.b
        if verb in ("ehlo", "lhlo", "helo"):
            self.mail = ""
            if b.ehlo is not None:
                self.say(b.ehlo, verb)
            elif verb == "helo":
                self.say(b"250 backend\r\n")
            else:
                lines = ["backend", *b.features]
                self.writer.write(
                    "".join(
                        f"250{'-' if n < len(lines) - 1 else ' '}{word}\r\n" for n, word in enumerate(lines)
                    ).encode()
                )
        elif verb == "mail":
            if self.say(b.mail, line).startswith(b"2"):
                self.mail = line
                self.rcpts = []
        elif verb == "rcpt":
            if not self.mail:
                self.say(b"503 5.5.1 MAIL first\r\n")
            elif self.say(b.rcpt, line).startswith(b"2"):
                self.rcpts.append(line)
        elif verb == "data":
            if not self.rcpts and not b.hole:
                self.say(b"503 5.5.1 RCPT first\r\n")
            elif self.say(b.data, line).startswith(b"354"):
                await self.body()
        elif verb == "rset":
            self.mail = ""
            self.say(b.rset)
        elif verb == "xclient":
            self.xclient = line
            self.say(b.greeting)
        elif verb == "xforward":
            self.xforward = line
            self.say(b"250 2.0.0 Ok\r\n")
        elif verb == "starttls":
            if self.say(b.starttls).startswith(b"220"):
                self.writer.write(b.behind_starttls)
                await self.writer.drain()
                assert b.context is not None
                await self.writer.start_tls(b.context)
        else:
            self.say(b"500 5.5.2 Unknown command\r\n")

    async def body(self) -> None:
        b = self.b
        await self.writer.drain()
        await self.at("body")
        wire = bytearray(b"\r\n")
        while b"\r\n.\r\n" not in wire[-5:]:
            if b.close_at == "in body" and len(wire) > 100:
                raise _Closed
            wire += await self.reader.readuntil(b"\n")
        await self.at("dot")
        taken = Taken(self.mail, self.rcpts, bytes(wire[2:-3]), self.xclient, self.xforward)
        if b.lmtp:
            answers = [b.each(rcpt) for rcpt in self.rcpts]
            kept = any(answer.startswith(b"2") for answer in answers)
            self.writer.write(b"".join(answers))
        elif "PRDR" in self.mail:
            answers = [b.each(rcpt) for rcpt in self.rcpts]
            kept = any(answer.startswith(b"2") for answer in answers)
            self.writer.write(b"353 PRDR begins\r\n" + b"".join(answers))
            self.say(b.final)
        else:
            kept = self.say(b.final).startswith(b"2")
        if kept:
            b.taken.append(taken)
        self.mail = ""


def tls_contexts(host: str = "backend.example") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return (the server's context, a client's that trusts its authority)."""
    import trustme

    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client
