"""The same house with its door open: real sockets, and a clock that can be turned."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from tests.server.indoors import Indoors
from tests.soon import soon


class Caller:
    """A client on a real socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> str:
        """Read one reply, all its lines; "" at the end of the connection."""
        lines = []
        while line := (await asyncio.wait_for(self.reader.readline(), 30)).decode():
            lines.append(line)
            if line[3:4] != "-":
                break
        return "".join(lines)

    async def say(self, text: str | bytes) -> str:
        """Say something and read the reply to it."""
        self.writer.write(text if isinstance(text, bytes) else text.encode() + b"\r\n")
        return await self.reply()

    def hang_up(self) -> None:
        """Go away."""
        self.writer.close()


async def call(port: int) -> Caller:
    """Connect."""
    return Caller(*await asyncio.open_connection("127.0.0.1", port))


@asynccontextmanager
async def opened(house: Indoors) -> AsyncIterator[int]:
    """Open the door; gives the port."""
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    house.hub.after_batch = house.gateway.flush
    house.door.open([sock])
    try:
        yield sock.getsockname()[1]
    finally:
        house.door.drain()
        for connection in list(house.door.connections):
            if connection.stream is not None:
                connection.stream.abort()
        sock.close()


async def empty(house: Indoors) -> None:
    """Wait until everybody is gone."""
    await soon(lambda: not house.door.connections and not house.gateway.column.open)


class Clock:
    """The door's clock, turned by hand."""

    def __init__(self, house: Indoors, patch: pytest.MonkeyPatch) -> None:
        self.house = house
        self.ahead = 0.0
        fake = SimpleNamespace(monotonic=lambda: time.monotonic() + self.ahead, time=time.time)
        patch.setattr("gatepost.server.listener.time", fake)

    def turn(self, seconds: float) -> None:
        """Let time pass, a tick a second as the worker does it, no more than is needed."""
        self.ahead += seconds
        self.house.door.tick()
