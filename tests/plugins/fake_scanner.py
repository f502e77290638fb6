"""A scanner that says what the test tells it to say, however wrong; and one message put to a check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gatepost.mail.address import parse_address
from gatepost.mail.message import Message, find_border
from gatepost.mail.transaction import Recipient
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.lesson import Lesson
from gatepost.plugin.outside import http, stream
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Finding

REGISTRY = load(entries=False)
MAIL = b"From: Eve <eve@example.net>\r\nSubject: hello\r\n\r\nhello\r\n"


class Fake:
    """Counts its callers; `says` None: never answers."""

    def __init__(self, says: bytes | None, piece: int = 0) -> None:
        self.says = says
        self.piece = piece
        """Bytes that it says at a time; 0: all at once."""
        self.asked: list[bytes] = []
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Fake]:
        """Listen."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            data = await reader.read(65_536)
            self.asked.append(data)
            if self.says is None:
                await asyncio.sleep(30)
                return
            step = self.piece or max(1, len(self.says))
            for at in range(0, len(self.says), step):
                writer.write(self.says[at : at + step])
                await writer.drain()
                await asyncio.sleep(0.001 if self.piece else 0)
        finally:
            writer.close()


def patience(says: object) -> float:
    """Seconds for its answer: for silence as few as a test likes, else as many as a busy machine needs."""
    return 0.3 if says is None else 30


class Ward:
    """One domain with the check on."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.name = name
        self.alerts: list[str] = []
        self.now = 1_795_000_000.0
        tools = Tools(stream=stream, http=http, alert=lambda _plugin, text: self.alerts.append(text))
        self.bench = Bench(REGISTRY, tools, lambda: self.now)
        self.policy = self.bench.policy("example.org", {name: {"mode": "on", **settings}})

    async def teach(self, raw: bytes = MAIL, *, spam: bool = True) -> None:
        """Teach the filter behind it."""
        settings = self.policy.plugins[self.name].settings
        tools = self.bench.tools
        await REGISTRY[self.name].plugin.teach(Lesson(settings, "example.org", raw, spam, tools))

    async def ask(self, raw: bytes = MAIL) -> Finding:
        """Return what the check finds."""
        case = Case()
        address = parse_address("ann@example.org")
        recipient = Recipient(address, address, policy=self.policy)
        transaction = case.transaction()
        transaction.recipients.append(recipient)
        message = Message(raw[: find_border(raw)], raw)
        (found,) = await self.bench.pipeline.run_message(case.session(), transaction, [recipient], message)
        (finding,) = [one for one in found if one.plugin == self.name]
        return finding
