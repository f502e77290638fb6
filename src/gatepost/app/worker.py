"""One worker process: its loop, its parts put together, and the small clocks that keep it going."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from gatepost.app.clocks import every
from gatepost.app.following import Follower
from gatepost.app.tools import make_log, make_relay, make_resolver, make_tools
from gatepost.config import Config
from gatepost.desk.secret import installation_secret
from gatepost.plugin import registry as plugins
from gatepost.plugin.pipeline import Pipeline
from gatepost.server.board import Board
from gatepost.server.connection import Connection
from gatepost.server.gateway import Gateway
from gatepost.server.listener import Door
from gatepost.server.outgoing import OutgoingDoor
from gatepost.server.overload import Bounds, Overload
from gatepost.server.tls import Certificate
from gatepost.server.training import Marks
from gatepost.server.why import Pages
from gatepost.server.wire import Hub
from gatepost.server.workers import say_ready
from gatepost.spool.archive import Archive
from gatepost.spool.queue import Queue
from gatepost.store.delivered import Delivered
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.records_db import RecordsStore
from gatepost.store.state_db import StateStore
from gatepost.store.under_way import UnderWay
from gatepost.telemetry import metrics
from gatepost.telemetry.conditions import HERE

DRAIN_LOOK = 0.25
FOLLOW = 0.2
"""Seconds between looks at the policy's version: a change is in force everywhere within one."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the parent made before it forked."""

    config: Config
    socks: list[socket.socket]
    outgoing: list[socket.socket]
    """Where the domains' own servers hand in mail ([smtp.outgoing])."""
    certificate: Certificate


def new_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's loop, or the standard library's where it is not to be had."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run_worker(parts: Parts, n: int, board: Board, notify_fd: int) -> None:
    """Be a worker until told to stop."""
    loop = new_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(Worker(parts, n, board, loop).run(notify_fd))
    finally:
        loop.close()


class Worker:
    """Puts the parts of one worker together and keeps its clocks."""

    def __init__(self, parts: Parts, n: int, board: Board, loop: asyncio.AbstractEventLoop) -> None:
        config = parts.config
        metrics.reset()
        HERE.reset()
        self._n = n
        self._loop = loop
        self._config = config
        self._certificate = parts.certificate
        self._column = board.open_column(n)
        self._log = make_log(config)
        data: Path = config.data_dir
        self._metrics = data / "run" / f"metrics-w{n}.json"
        self._conditions = data / "run" / f"conditions-w{n}.json"
        self._metrics.parent.mkdir(exist_ok=True)
        self._state = StateStore(data / "state.db")
        self._records = RecordsStore(data / "records.db")
        self._journal = JournalWriter(data, f"w{n}")
        self._under_way = UnderWay(data, f"w{n}", self._written)
        self._registry = plugins.load(config.plugins.folder)
        self._column.name_plugins([one.name for one in self._registry])
        self._follower = Follower(data, self._registry, self._log)
        self._resolver = make_resolver(config)
        self._relay = make_relay(config, self._resolver)
        kept = config.archive
        self._archive = Archive(data / "archive", kept.max_bytes, kept.min_free, domain_bytes=kept.of_domain)
        self._tools = make_tools(
            config,
            self._state,
            self._records,
            self._resolver,
            self._relay,
            self._column.running,
            self._column.hands,
            self._alert,
            self._archive,
        )
        self._pipeline = self._new_pipeline()
        self._hub = Hub(loop)
        self.gateway = Gateway(
            config=config,
            loop=loop,
            column=self._column,
            live=self._follower.live,
            pipeline=self._pipeline,
            journal=self._journal,
            relay=self._relay,
            archive=self._archive,
            queue=Queue(data / "spool", log=self._log.event),
            log=self._log,
            worker=n,
            marks=self._marks(n),
            why=self._pages(),
            under_way=self._under_way,
        )
        self.gateway.offer_tls(parts.certificate.context)
        self._doors = (Door(self.gateway, loop, self._hub), OutgoingDoor(self.gateway, loop, self._hub))
        self._hub.after_batch = self.gateway.flush
        bounds = config.overload
        self._overload = Overload(Bounds(bounds.load_per_core, bounds.min_free_memory, bounds.open_files))
        self._socks = parts.socks, parts.outgoing
        self._stopping = asyncio.Event()
        self._terms = 0

    async def run(self, notify_fd: int) -> None:
        """Serve until told to stop, then drain."""
        loop = self._loop
        loop.add_signal_handler(signal.SIGTERM, self._term)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._configure_gateway()
        for door, socks in zip(self._doors, self._socks, strict=True):
            door.open(socks)
        clocks = [
            loop.create_task(every(1.0, self._second, self._log)),
            loop.create_task(every(FOLLOW, self._follow, self._log)),
            loop.create_task(every(0.5, self._state.flush, self._log)),
            loop.create_task(every(2.0, self._write_metrics, self._log)),
            loop.create_task(every(10.0, self._write_uses, self._log)),
        ]
        self._column.beat()
        # What lives now lives for good; a collection over it would only cost time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)
        say_ready(notify_fd)
        await self._stopping.wait()
        self.gateway.draining = True
        for door in self._doors:
            door.drain()
        while self._terms < 2 and (self._connections() or self.gateway.busy):  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_LOOK)
        for clock in clocks:
            clock.cancel()
        for connection in self._connections():
            connection.close()
        self._relay.pool.close()
        await self._resolver.close()
        self._state.flush()
        self._write_uses()
        self.gateway.flush()
        self._journal.close()
        self._under_way.close()
        self._write_metrics()

    def _connections(self) -> list[Connection]:
        return [connection for door in self._doors for connection in door.connections]

    def _new_pipeline(self) -> Pipeline:
        pipeline = Pipeline(self._registry, self._tools, time.time)
        pipeline.runner.on_failure = self._plugin_failed
        return pipeline

    # -- clocks ---------------------------------------------------------------------------

    def _second(self) -> None:
        self._column.beat()
        for door in self._doors:
            door.tick()
        self._overload.look()
        reason = self._overload.reason
        if reason != self.gateway.overloaded:
            self._log.event("overload" if reason else "overload_over", "warning", why=reason or None)
            self.gateway.overloaded = reason
        seconds, failures = self._pipeline.runner.drain()
        for name, count in failures.items():
            metrics.PLUGIN_FAILURES.inc(count, name)
        for name, spent in seconds.items():
            metrics.PLUGIN_SECONDS.inc(spent, name)

    def _follow(self) -> None:
        if self._follower.look():
            metrics.POLICY_VERSION.set(self._follower.live.snapshot.version)
            self._configure_gateway()
        # Also where nothing is new: what it began with may have been the newest already.
        self._column.set_version(self._follower.live.snapshot.version)
        self._under_way.tell(self._follower.live.snapshot.version, self._follower.hosts)

    def _written(self) -> bool:
        self.gateway.flush()
        self._state.flush()
        return not (self._journal.trouble or self._state.trouble)

    def _configure_gateway(self) -> None:
        self._pipeline.configure_gateway(self._follower.live.snapshot.everywhere)
        self.gateway.guards_connect = self._pipeline.guards("connect")
        self.gateway.guards_mail = self._pipeline.guards("mail")
        self.gateway.guards_rcpt = self._pipeline.guards("rcpt")

    def _write_uses(self) -> None:
        """Which list entries decided, for those who look at their lists."""
        used, self.gateway.used = self.gateway.used, {}
        for entry, times in used.items():
            self._records.count_use(entry, times)
        self._records.flush()

    def _write_metrics(self) -> None:
        self.gateway.count()
        metrics.CONNECTIONS_OPEN.set(self._column.open)
        path = self._metrics
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(metrics.snapshot()))
        temporary.replace(path)
        HERE.write(self._conditions, time.time())

    # -- what happens ---------------------------------------------------------------------

    def _term(self) -> None:
        self._terms += 1
        self._stopping.set()

    def _reload(self) -> None:
        """HUP: certificate and plugins anew; sessions that run keep what they began with."""
        try:
            self._certificate.reload()
            self.gateway.offer_tls(self._certificate.context)
        except Exception as error:
            self._log.event("certificate", "error", why=str(error))
        self._registry = plugins.load(self._config.plugins.folder, previous=self._registry)
        for name, why in self._registry.errors().items():
            self._log.event("plugin_failed", "error", plugin=name, why=why)
        self._column.name_plugins([one.name for one in self._registry])
        self._follower.new_registry(self._registry)
        self._pipeline = self._new_pipeline()
        self._configure_gateway()
        self.gateway.pipeline = self._pipeline

    def _plugin_failed(self, plugin: str, hook: str, text: str) -> None:
        HERE.failed(plugin, text, time.time())
        self._log.event("plugin_no_answer", "error", plugin=plugin, hook=hook, why=text)

    def _marks(self, n: int) -> Marks | None:
        try:
            secret = installation_secret(self._config.data_dir)
        except OSError:  # said by `make_tools`
            return None
        return Marks(secret, Delivered(self._config.data_dir / "learn", f"w{n}"), self._not_remembered)

    def _pages(self) -> Pages | None:
        try:
            return Pages(installation_secret(self._config.data_dir), self._config.console.public_url)
        except OSError:  # said by `make_tools`
            return None

    def _not_remembered(self, why: str) -> None:
        self._log.event("not_remembered", "error", why=why)

    def _alert(self, plugin: str, text: str) -> None:
        metrics.ALERTS.inc(1, plugin)
        self._log.event("alert", "warning", plugin=plugin, why=text)
