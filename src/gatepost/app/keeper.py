"""The keeper: one process beside the workers for everything that nobody waits for.

It brings the workers' journal lines into the database, empties the spool, sends digests, lets old things go,
keeps the last good copy of the policy, and shows metrics and health.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from pathlib import Path

from gatepost.app.alarm_ways import Ways
from gatepost.app.alarms import Alarms
from gatepost.app.clocks import every
from gatepost.app.digests import Digests
from gatepost.app.followed_tree import FollowedTree
from gatepost.app.following import Follower
from gatepost.app.left_behind import LeftBehind
from gatepost.app.silences import Silences
from gatepost.app.status import StatusServer
from gatepost.app.tools import make_log, make_relay, make_resolver, make_tools, teaching_tools
from gatepost.app.tutor import Tutor
from gatepost.app.unjudged import Unjudged
from gatepost.app.worker import Parts, new_loop
from gatepost.plugin import registry as plugins
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.relay.courier import Courier
from gatepost.relay.results import Result
from gatepost.server.board import Board
from gatepost.spool.archive import Archive
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.queue import Queue
from gatepost.store.errands import Errands
from gatepost.store.journal_db import JournalStore
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.policy_follow import keep_last_good
from gatepost.store.records_db import RecordsStore
from gatepost.store.reviews_db import ReviewsStore
from gatepost.store.state_db import StateStore
from gatepost.store.under_way import UnderWay
from gatepost.store.unwritten import UnwrittenRecords, UnwrittenState
from gatepost.telemetry import metrics
from gatepost.telemetry.conditions import HERE

COLLECT = 0.5
"""Seconds between two looks at what the workers wrote."""
TIDY = 600.0
ENDING = 5.0
"""Seconds that what was cancelled has to end, before the stores under it are closed."""
KEEP_FAILED = 30 * 86_400
"""Seconds that an entry of the spool stays that could not be delivered."""


def run_keeper(parts: Parts, board: Board) -> None:
    """Be the keeper until told to stop."""
    loop = new_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(Keeper(parts, board).run())
    finally:
        loop.close()


class Keeper:
    """The parts of the keeper and its clocks."""

    def __init__(self, parts: Parts, board: Board) -> None:
        config = parts.config
        metrics.reset()
        HERE.reset()
        self._config = config
        self._board = board
        self._column = board.open_column(board.keeper)
        self._log = make_log(config)
        self._data: Path = config.data_dir
        self._conditions = self._data / "run" / "conditions-keeper.json"
        self._conditions.parent.mkdir(exist_ok=True)
        self._stopping = asyncio.Event()
        self._journal = JournalStore(self._data / "journal.db")
        self._lines = JournalWriter(self._data, "keeper")
        self._under_way = UnderWay(self._data, "keeper", self._written)
        self._registry = registry = plugins.load(config.plugins.folder)
        self._follower = Follower(self._data, registry, self._log)
        kept = config.archive
        self._archive = Archive(
            self._data / "archive", kept.max_bytes, kept.min_free, domain_bytes=kept.of_domain
        )
        self._queue = Queue(self._data / "spool", log=self._log.event)
        self._reviews = ReviewsStore(self._data / "records.db")
        self._state = StateStore(self._data / "state.db")
        self._records = RecordsStore(self._data / "records.db")
        self._resolver = make_resolver(config)
        self._relay = make_relay(config, self._resolver)
        self._unjudged = self._new_unjudged()
        self._courier = Courier(
            self._queue,
            self._relay,
            hostname=config.hostname,
            routes_for=self._routes_for,
            clock=time.time,
            log=self._log.event,
            outcome=self._sent,
            judge=self._unjudged.judge,
            work=self._under_way.work,
        )
        self._tutor = Tutor(
            Errands(self._data / "learn"),
            registry,
            teaching_tools(config),
            lambda: self._follower.live.snapshot,
            time.time,
            self._log.event,
        )
        self._status = StatusServer(config.metrics.listen, self._data, board, self._follower, self._log)
        self._good_version = -1
        self._silences = Silences(config, registry, self._log)
        self._left = LeftBehind(config, self._log)
        self._digests = Digests(config, registry, self._log, lambda: self._follower.live.snapshot.version)
        self._alarms = Alarms(config, registry, Ways(config, self._relay), self._log)
        self._files = FollowedTree(config, registry, self._log) if config.files.srv is not None else None

    async def run(self) -> None:
        """Keep going until told to stop; then bring in what is left."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        await self._status.start()
        self._recover()
        clocks = [
            loop.create_task(every(1.0, self._beat, self._log, at_once=True)),
            loop.create_task(every(COLLECT, self._collect, self._log, at_once=True)),
            loop.create_task(every(TIDY, self._tidy, self._log, at_once=True)),
            loop.create_task(every(0.5, self._follow, self._log, at_once=True)),
            loop.create_task(every(0.5, self._state.flush, self._log)),
            loop.create_task(self._courier.run()),
            loop.create_task(self._tutor.run()),
            loop.create_task(self._digests.run()),
            loop.create_task(self._silences.run()),
            loop.create_task(self._left.run()),
            loop.create_task(self._alarms.run()),
        ]
        if self._files is not None:
            clocks.append(loop.create_task(self._files.run()))
        gc.collect()
        gc.freeze()
        await self._stopping.wait()
        for clock in clocks:
            clock.cancel()
        await asyncio.wait(clocks, timeout=ENDING)
        self._lines.close()
        self._collect()
        self._under_way.close()
        self._relay.pool.close()
        await self._resolver.close()
        await self._status.stop()
        self._alarms.close()
        self._journal.close()
        self._reviews.close()
        self._state.close()
        self._records.close()

    def _reload(self) -> None:
        """HUP: what waits unjudged is judged by the plugins that load now."""
        self._registry = plugins.load(self._config.plugins.folder, previous=self._registry)
        self._column.name_plugins([one.name for one in self._registry])
        self._follower.new_registry(self._registry)
        self._unjudged.use(self._registry)
        self._alarms.reload()

    def _new_unjudged(self) -> Unjudged:
        """Return who judges what a check could not when it came."""
        column = self._column
        column.name_plugins([one.name for one in self._registry])
        tools = make_tools(
            self._config,
            UnwrittenState(self._state),
            UnwrittenRecords(self._records),
            self._resolver,
            self._relay,
            column.running,
            column.hands,
            self._alert,
            self._archive,
        )
        return Unjudged(
            self._registry,
            tools,
            lambda: self._follower.live.snapshot,
            self._archive,
            self._lines,
            self._log,
        )

    def _alert(self, plugin: str, text: str) -> None:
        metrics.ALERTS.inc(1, plugin)
        self._log.event("alert", "warning", plugin=plugin, why=text)

    def _recover(self) -> None:
        aside = self._archive.recover(time.time())
        if aside:
            self._log.event("archive_recovered", "warning", files=len(aside))
        self._archive.recount()

    def _beat(self) -> None:
        self._column.beat()
        metrics.SPOOL_MESSAGES.set(len(self._queue))
        HERE.write(self._conditions, time.time())

    def _collect(self) -> None:
        self._lines.flush()
        self._journal.collect(self._data)

    def _follow(self) -> None:
        self._follower.look()
        version = self._follower.live.snapshot.version
        self._column.set_version(version)
        if version != self._good_version:
            keep_last_good(self._data)
            self._good_version = version
        self._under_way.tell(version, self._follower.hosts)

    def _written(self) -> bool:
        self._lines.flush()
        return not self._lines.trouble

    def _tidy(self) -> None:
        now = time.time()
        self._archive.roll()
        self._queue.expire_failed(now, KEEP_FAILED)
        removed = self._archive.expire(now, self._keep_days)
        pruned = self._journal.prune(now, self._keep_days)
        self._reviews.expire(now, self._keep_days)
        if removed or pruned:
            self._log.event("tidied", archive=removed, journal=pruned)

    def _keep_days(self, domain: str) -> int:
        try:
            policy = self._follower.live.snapshot.policy_for(domain)
        except PolicyUnavailable:
            return 3650  # not known now: nothing is thrown away for it
        return policy.keep_days if policy is not None else self._left.keep_days(domain)

    def _routes_for(self, domain: str) -> tuple[str, ...] | None:
        try:
            policy = self._follower.live.snapshot.policy_for(domain)
        except PolicyUnavailable:
            return None
        return policy.routes if policy is not None else None

    def _sent(self, envelope: Envelope, recipient: Rcpt, result: Result) -> None:
        """The fate of a spooled copy is final."""
        fate = "accepted" if result.kind == "delivered" else "rejected"
        self._lines.add(
            outcome_line(
                envelope.session or envelope.id,
                envelope.domain,
                recipient.address,
                envelope.sender or "",
                envelope.client,
                fate,
                "courier",
                f"{envelope.reason}: {result.text}",
                result.code,
                size=envelope.size,
            )
        )
        self._log.event(
            "courier",
            id=envelope.session,
            entry=envelope.id,
            recipient=recipient.address,
            fate=fate,
            why=result.text,
        )
