"""The whole way of a mail in one process and without a socket: for tests of the conversation.

Real policy database, real plugins, real archive, spool and journal in a temporary folder; the
client is a list of bytes, the domain's own server a function.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from gatepost.app import prepare
from gatepost.app.following import Follower
from gatepost.config import Config, load
from gatepost.dns.zone import Zone
from gatepost.mail.session import Session
from gatepost.plugin import registry as plugins
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.relay.results import Result, Target
from gatepost.server.board import Board
from gatepost.server.connection import Connection
from gatepost.server.gateway import Gateway
from gatepost.server.listener import Door
from gatepost.server.wire import Hub
from gatepost.spool.archive import Archive
from gatepost.spool.queue import Queue
from gatepost.store.base import OutcomeRow
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.memory import MemoryRecords, MemoryState
from gatepost.store.policy_db import PolicyStore
from gatepost.telemetry.log import Log

Answer = Callable[[Target, bytes], list[Result] | Awaitable[list[Result]]]
DELIVERED = Result("delivered", 250, "2.0.0", "Ok", "back end", True)


class BackEnd:
    """Stands for every domain's own server: keeps what it took, answers as the test says."""

    def __init__(self) -> None:
        self.taken: list[tuple[str | None, list[str], bytes]] = []
        self.answer: Answer = lambda target, _data: [DELIVERED] * len(target.recipients)

    async def hand_off(
        self,
        _session: Any,
        sender: Any,
        _params: Any,
        groups: Sequence[Target],
        chunks: Iterable[bytes],
        stuffed: bool,
        top: bytes,
        _deadline: float,
        *,
        proven: bool = False,
    ) -> list[Result]:
        data = b"".join(chunks)
        if stuffed:
            data = data.replace(b"\r\n.", b"\r\n")
        results: list[Result] = []
        for group in groups:
            answered = self.answer(group, top + data)
            part = answered if isinstance(answered, list) else await answered
            for to, result in zip(group.recipients, part, strict=True):
                if result.kind == "delivered":
                    self.taken.append((sender.text if sender else None, [to.address.text], top + data))
            results += part
        return results


class Indoors:
    """A gateway without a network."""

    def __init__(self, folder: Path, registry: Registry | None = None, **smtp: Any) -> None:
        self.folder = folder
        overrides = {"hostname": "mx.test", "data_dir": str(folder), "archive.min_free": "1KiB"}
        overrides |= {f"smtp.{key}": str(value) for key, value in smtp.items()}
        self.config: Config = load(None, {}, overrides=overrides, search=())
        prepare(folder)
        self.store = PolicyStore(folder / "policy.db")
        self.registry = registry or plugins.load(None, entries=False)
        self.back_end = BackEnd()
        self.zone = Zone("")
        self.loop = asyncio.get_running_loop()
        self.log_file = folder / "log"
        self._log_stream = self.log_file.open("wb")
        self.log = Log(self._log_stream.fileno(), "logfmt", "info")
        self.hub = Hub(self.loop)
        self.board = Board.create(None, 1, 100)
        self.state = MemoryState()
        self.records = MemoryRecords()
        self.tools = Tools(
            state=self.state, records=self.records, dns=self.zone, hostname="mx.test", verify_recipient=None
        )
        self.archive = Archive(folder / "archive", 1 << 30, 1024)
        self.queue = Queue(folder / "spool")
        self.journal = JournalWriter(folder, "test")
        self.follower: Follower | None = None
        self.gateway: Gateway = None  # type: ignore[assignment]  # made by `open`
        self.door: Door = None  # type: ignore[assignment]

    def open(self) -> "Indoors":
        """Begin with the policy as it is now."""
        self.follower = Follower(self.folder, self.registry, self.log)
        pipeline = Pipeline(self.registry, self.tools, time.time)
        pipeline.configure_gateway(self.follower.live.snapshot.everywhere)
        self.gateway = Gateway(
            config=self.config,
            loop=self.loop,
            column=self.board.open_column(0),
            live=self.follower.live,
            pipeline=pipeline,
            journal=self.journal,
            relay=self.back_end,  # type: ignore[arg-type]
            archive=self.archive,
            queue=self.queue,
            log=self.log,
            worker=0,
        )
        self.door = Door(self.gateway, self.loop, self.hub)
        return self

    def client(self, address: str = "192.0.2.7") -> "Client":
        """Return a client that has just connected and read the greeting."""
        return Client(self, address)

    def outcomes(self) -> list[OutcomeRow]:
        """Return what the journal says, oldest first."""
        self.gateway.flush()
        store = JournalStore(self.folder / "journal.db")
        try:
            store.collect(self.folder)
            return sorted(store.search(limit=1000), key=lambda row: row.seq)
        finally:
            store.close()

    def log_text(self) -> str:
        """Return the log."""
        self.gateway.flush()
        return self.log_file.read_text()

    def close(self) -> None:
        """End."""
        self.hub.close()
        self._log_stream.close()
        self.store.close()


class Stream:
    """The client's end of the wire."""

    def __init__(self) -> None:
        self.out = b""
        self.closed = False
        self.paused = False
        self.wrote = asyncio.Event()

    def write(self, data: bytes) -> None:
        assert not self.closed, "wrote after close"
        self.out += data
        self.wrote.set()

    def close(self) -> None:
        self.closed = True
        self.wrote.set()

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Client:
    """Says things and reads the replies."""

    def __init__(self, house: Indoors, address: str) -> None:
        self.house = house
        session = Session(house.gateway.ids.make(int(time.time() * 1000)), address, 1, time.time())
        self.connection = Connection(house.door, session, 0)
        self.connection.ends = house.hub.now + 7200
        house.gateway.column.enter(0)
        house.door.connections.add(self.connection)
        self.stream = Stream()
        self.connection.start(self.stream, proxied=False, wait=0)
        self.greeting = self._take()

    def _take(self) -> str:
        said, self.stream.out = self.stream.out, b""
        return said.decode("ascii")

    async def say(self, data: bytes | str) -> str:
        """Send bytes and return everything that is answered until nothing more happens."""
        if isinstance(data, str):
            data = data.encode() + b"\r\n"
        self.connection.data_received(data)
        await self.quiet()
        return self._take()

    async def quiet(self) -> None:
        """Wait until our side has nothing left to do."""
        for _ in range(2000):
            await asyncio.sleep(0)
            if not self.connection.busy:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("the connection never became quiet")

    async def mail(
        self, sender: str, recipients: Sequence[str], body: bytes = b"Subject: hi\r\n\r\nhello\r\n"
    ) -> tuple[list[str], str]:
        """Send one mail; returns the replies to RCPT and the reply to the data ("" if none was sent)."""
        await self.say("EHLO client.example")
        await self.say(f"MAIL FROM:<{sender}>")
        said = [(await self.say(f"RCPT TO:<{one}>")).strip() for one in recipients]
        if not any(line.startswith("250") for line in said):
            return said, ""
        ready = await self.say("DATA")
        assert ready.startswith("354"), ready
        return said, (await self.say(body + b".\r\n")).strip()

    @property
    def closed(self) -> bool:
        return self.stream.closed

    def hang_up(self) -> None:
        """Go away without a word."""
        self.connection.connection_lost(None)
