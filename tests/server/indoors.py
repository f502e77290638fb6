"""The whole way of a mail in one process and without a socket: for tests of the conversation.

Real policy database, real plugins, real archive, spool and journal in a temporary folder; the
client is a list of bytes, the domain's own server a function. A check called `probe` says what the
test tells it to say.
"""

import asyncio
import functools
import inspect
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gatepost.app import prepare
from gatepost.app.following import Follower
from gatepost.config import Config, load
from gatepost.dns.zone import Zone
from gatepost.mail.session import Session
from gatepost.plugin import registry as plugins
from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.policy.policy import Mode
from gatepost.relay.results import Result, Target
from gatepost.server.board import Board
from gatepost.server.connection import Connection
from gatepost.server.gateway import Gateway
from gatepost.server.listener import Door
from gatepost.server.wire import Hub
from gatepost.spool.archive import Archive
from gatepost.spool.queue import Queue
from gatepost.store.base import OutcomeRow, SessionRow
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.memory import MemoryRecords, MemoryState
from gatepost.store.policy_db import PolicyStore
from gatepost.telemetry.log import Log
from tests.soon import soon

Answer = Callable[[Target, bytes], list[Result] | Awaitable[list[Result]]]
SHIPPED = ("recipients", "deny_list", "helo_name", "client_rate", "bounce")
DELIVERED = Result("delivered", 250, "2.0.0", "Ok", "back end", True)
MAIL = b"Subject: hi\r\n\r\nhello\r\n"


class BackEnd:
    """Stands for every domain's own server: keeps what it took, answers as the test says."""

    def __init__(self) -> None:
        self.taken: list[tuple[str | None, str, bytes]] = []
        self.params: list[Any] = []
        self.says: dict[str, Result] = {}
        """Domain -> what it says to each recipient; others take everything."""
        self.answer: Answer = lambda target, _data: [
            self.says.get(to.address.domain, DELIVERED) for to in target.recipients
        ]

    async def hand_off(
        self,
        _session: Any,
        sender: Any,
        params: Any,
        groups: Sequence[Target],
        chunks: Iterable[bytes],
        stuffed: bool,
        top: bytes,
        _deadline: float,
        *,
        proven: bool = False,
    ) -> list[Result]:
        """Answer for each recipient; what is delivered is kept as the reader of the mail would see it."""
        self.params.append(params)
        data = b"".join(chunks)
        if stuffed:
            data = data.replace(b"\r\n.", b"\r\n").removeprefix(b".")
        results: list[Result] = []
        for group in groups:
            answered = self.answer(group, top + data)
            part = answered if isinstance(answered, list) else await answered
            for to, result in zip(group.recipients, part, strict=True):
                if result.kind == "delivered":
                    self.taken.append((sender.text if sender else None, to.address.text, top + data))
            results += part
        return results


class Probe(Plugin):
    """Says what a test tells it to say."""

    scope = Scope.RECIPIENT
    default_mode = Mode.ON
    public = "The probe says no"

    def __init__(self) -> None:
        self.says: dict[tuple[str, str], Any] = {}
        """(hook, domain) -> a verdict, or an exception, or a function that gives it."""

    def _say(self, hook: str, ctx: Any) -> Any:
        answer = self.says.get((hook, ctx.recipient.domain))
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def rcpt(self, ctx: Any) -> Any:
        """Speak at RCPT."""
        return self._say("rcpt", ctx)

    def message(self, ctx: Any) -> Any:
        """Speak about the message."""
        return self._say("message", ctx)


class Indoors:
    """A gateway without a network."""

    def __init__(self, folder: Path, **smtp: Any) -> None:
        self.folder = folder
        overrides = {"hostname": "mx.test", "data_dir": str(folder), "archive.min_free": "1KiB"}
        overrides |= {f"smtp.{key}": str(value) for key, value in smtp.items()}
        self.config: Config = load(None, {}, overrides=overrides, search=())
        prepare(folder)
        self.store = PolicyStore(folder / "policy.db")
        self.probe = Probe()
        shipped = [one for one in plugins.load(None, entries=False) if one.name in SHIPPED]
        found = [(one.name, one.plugin, one.origin, one.error) for one in shipped]
        self.registry = Registry([*found, ("probe", self.probe, "test", "")])
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

    def host(self, name: str, settings: Mapping[str, Any] | None = None, *recipients: str) -> None:
        """Host a domain; ann and bob are there."""
        self.store.add_domain(name, "smtp://127.0.0.1:1", settings or {})
        self.store.add_recipients(name, ("ann", "bob", *recipients))

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

    def sessions(self) -> list[SessionRow]:
        """Return the sessions in the journal, oldest first."""
        self.gateway.flush()
        store = JournalStore(self.folder / "journal.db")
        try:
            store.collect(self.folder)
            return store.sessions(limit=1000)[::-1]
        finally:
            store.close()

    def fates(self) -> Counter[tuple[str, str]]:
        """Return how often each (recipient, fate) stands in the journal."""
        return Counter((row.recipient, row.fate) for row in self.outcomes())

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

    def __init__(self, lost: Callable[[], None]) -> None:
        self.out = b""
        self.closed = False
        self.aborted = False
        self.paused = False
        self.reads = True
        """False: a client that takes nothing, so that closing never ends."""
        self._lost = lost

    def write(self, data: bytes) -> None:
        """Take what is said."""
        if not self.closed:
            self.out += data

    def close(self) -> None:
        """Our side is done: the client hears it."""
        if not self.closed:
            self.closed = True
            if self.reads:
                asyncio.get_running_loop().call_soon(self._lost)

    def abort(self) -> None:
        """Gone at once."""
        self.closed = self.aborted = True
        self._lost()

    def is_closing(self) -> bool:
        """Say whether it is closed."""
        return self.closed

    def pause_reading(self) -> None:
        """Hold the client back."""
        self.paused = True

    def resume_reading(self) -> None:
        """Let it go on."""
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
        self.stream = Stream(lambda: self.connection.connection_lost(None))
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
        await asyncio.sleep(0)
        await soon(lambda: not self.connection.busy)
        await asyncio.sleep(0)

    async def envelope(self, sender: str, recipients: Sequence[str], words: str = "") -> list[str]:
        """Say EHLO, MAIL and RCPT; returns the replies to RCPT."""
        await self.say("EHLO client.example")
        ready = await self.say(f"MAIL FROM:<{sender}>{words}")
        assert ready.startswith("250"), ready
        return [(await self.say(f"RCPT TO:<{one}>")).strip() for one in recipients]

    async def mail(
        self, sender: str, recipients: Sequence[str], body: bytes = MAIL, words: str = ""
    ) -> tuple[list[str], str]:
        """Send one mail; returns the replies to RCPT and the reply to the data ("" if none was sent)."""
        said = await self.envelope(sender, recipients, words)
        if not any(line.startswith("250") for line in said):
            return said, ""
        ready = await self.say("DATA")
        assert ready.startswith("354"), ready
        return said, (await self.say(body + b".\r\n")).strip()

    @property
    def closed(self) -> bool:
        """Say whether we closed the connection."""
        return self.stream.closed

    def hang_up(self) -> None:
        """Go away without a word."""
        self.connection.connection_lost(None)


def inside(**smtp: Any) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """Make a test of a coroutine that takes a house with these settings of `smtp`."""

    def wrap(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(tmp_path: Path, **given: Any) -> None:
            async def whole() -> None:
                house = Indoors(tmp_path, **smtp)
                try:
                    await asyncio.wait_for(test(house, **given), 60)
                finally:
                    house.close()

            asyncio.run(whole())

        first, *others = inspect.signature(test).parameters.values()
        path = inspect.Parameter("tmp_path", first.kind)
        run.__signature__ = inspect.Signature([path, *others])  # type: ignore[attr-defined]
        return run

    return wrap
