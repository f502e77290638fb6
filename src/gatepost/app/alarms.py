"""The keeper's part that watches over the machine: alarms begin, end, are remembered, and go out.

It looks every second or two at what the processes wrote, once a minute at what costs more (held mail,
the disk, the stored policy). Each way has a task of its own, so one that hangs holds up neither the looks
nor the other; what failed is tried again, ever later. No mail ever waits for any of this.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatepost.app.alarm_ways import AT_ONCE, Undelivered, Ways
from gatepost.app.clocks import TROUBLE
from gatepost.config.desks import desk_from
from gatepost.desk import alarm_book, alarms, troubles
from gatepost.desk.alarm_words import Notice
from gatepost.desk.alarms import Alarm, Trouble
from gatepost.desk.desk import Desk
from gatepost.plugin import registry as plugins
from gatepost.telemetry import conditions, metrics
from gatepost.telemetry.conditions import Condition

if TYPE_CHECKING:
    from gatepost.config import Config
    from gatepost.plugin.registry import Registry
    from gatepost.telemetry.log import Log

BY = "alarms"
LOOK = 1.5
"""Seconds between two looks."""
SLOW = 60.0
"""Seconds between two looks at what costs more."""
SEND = 1.0
"""Seconds between two looks at what is to be told."""
RETRY, LONGEST = 5.0, 600.0
"""Seconds until a way that failed is tried again; twice as long each time, up to the second."""


@dataclass
class Look:
    """What one look saw."""

    troubles: list[Trouble] = field(default_factory=list)
    well: dict[str, float] = field(default_factory=dict)
    """Key -> when it was seen well."""


class Alarms:
    """Watches until cancelled."""

    def __init__(
        self, config: Config, registry: Registry, ways: Ways, log: Log,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._config = config
        self._registry = registry
        self._ways = ways
        self._log = log
        self._clock = clock
        self._looks: Desk | None = None
        """What a look reads with, in its thread; closed by nobody while it does."""
        self._looking = threading.Lock()
        self._book: Desk | None = None
        self._known: dict[str, Alarm] = {}
        self._slow: list[Trouble] = []
        self._slow_at = float("-inf")
        self._said = ""
        self._stale = False
        self._fails: dict[str, str] = {}

    async def run(self) -> None:
        """Look, and tell on each way that is set."""
        await asyncio.gather(self._watch(), *(self._tell(way) for way in self._config.alarms.ways))

    def reload(self) -> None:
        """HUP: at the next look the plugins are those that load now."""
        self._stale = True

    def close(self) -> None:
        """Close the stores when no look goes on any more; the next one opens them anew."""
        with self._looking:
            self._close_looks()
        if self._book is not None:
            self._book.close()
            self._book = None

    def _close_looks(self) -> None:
        if self._looks is not None:
            self._looks.close()
            self._looks = None

    # -- looking -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            why = ""
            try:
                self.take(await asyncio.to_thread(self.look))
            except TROUBLE as error:
                why = str(error)
                self.close()
            except Exception as error:  # a fault of ours must not end the watch
                why = f"{type(error).__name__}: {error}"
            if why != self._said:
                self._said = why
                self._log.event("alarms", "error" if why else "info", why=why or "the watch goes on")
            await asyncio.sleep(LOOK)

    def look(self) -> Look:
        """Return what is wrong now, and who was seen well; it reads files and stores."""
        with self._looking:
            return self._look()

    def _look(self) -> Look:
        if self._stale:
            self._stale = False
            self._registry = plugins.load(self._config.plugins.folder, previous=self._registry)
            self._slow_at = float("-inf")
            self._close_looks()
        if self._looks is None:
            self._looks = self._desk()
        desk, now = self._looks, self._clock()
        if now - self._slow_at >= SLOW or now < self._slow_at:
            self._slow = [
                *troubles.loaded(desk, now),
                *troubles.disk(desk, now),
                *troubles.policy(desk, now),
                *troubles.held(desk, now),
                *troubles.poison(desk, now),
            ]
            self._slow_at = now
        seen = conditions.written(desk.data_dir / "run")
        found = [*self._slow, *troubles.processes(desk, now), *troubles.backups(desk, now)]
        return Look([*found, *troubles.asked(desk, seen, now)], _well(seen))

    def take(self, look: Look) -> list[Alarm]:
        """Begin and end alarms by a look; returns those that began, changed or ended."""
        desk = self._open()
        now = self._clock()
        changed = alarms.follow(
            self._known.values(), look.troubles, look.well, now, self._config.alarms.after
        )
        for one in changed:
            before = self._known.get(one.key)
            alarm_book.remember(desk, one)
            self._known[one.key] = one
            if not one.open:
                self._log.event("alarm_over", "info", alarm=one.key, text=one.text)
            elif before is None or not before.open:
                self._log.event("alarm", "error", alarm=one.key, text=one.text)
        if any(not one.open for one in changed):
            alarm_book.forget_old(desk, now)
        metrics.ALARMS_OPEN.set(sum(one.open for one in self._known.values()))
        return changed

    def _open(self) -> Desk:
        if self._book is None:
            self._book = self._desk()
            self._known = {one.key: one for one in alarm_book.remembered(self._book)}
            self._fails = alarm_book.ways_that_fail(self._book)
        return self._book

    def _desk(self) -> Desk:
        return desk_from(self._config, BY, registry=self._registry, clock=self._clock)

    # -- telling -------------------------------------------------------------------------------

    async def _tell(self, way: str) -> None:
        failures = 0
        while True:
            try:
                failures = 0 if await self.tell(way) else failures + 1
            except Exception as error:  # the book cannot be written, or a fault of ours: later
                failures += 1
                self._log.event("alarm_not_told", "error", way=way, why=f"{type(error).__name__}: {error}")
            wait = min(LONGEST, RETRY * 2.0 ** min(failures - 1, 20)) if failures else SEND
            await asyncio.sleep(wait)

    async def tell(self, way: str) -> bool:
        """Tell what is due on a way; false where nobody could be told."""
        for notices in _by(AT_ONCE[way], self._due(way)):
            try:
                await self._ways.send(way, notices, self._clock())
            except Undelivered as error:
                self._note(way, str(error))
                return False
            self._note(way, "")
            for one in notices:
                self._was_told(way, one)
        return True

    def _due(self, way: str) -> list[Notice]:
        now, repeat = self._clock(), self._config.alarms.repeat
        due = [(alarms.due(one, way, now, repeat), one) for one in self._known.values()]
        return [Notice(what, one) for what, one in due if what]

    def _was_told(self, way: str, notice: Notice) -> None:
        """Remember it with the alarm as it is now: it may have changed while the way was busy."""
        assert notice.alarm is not None
        now = self._known.get(notice.alarm.key, notice.alarm)
        later = alarms.told(now, way, notice.what, self._clock())
        alarm_book.remember(self._open(), later)
        self._known[later.key] = later
        self._log.event("alarm_told", "info", way=way, what=notice.what, alarm=later.key)

    def _note(self, way: str, why: str) -> None:
        if self._fails.get(way, "") == why:
            return
        self._fails[way] = why
        alarm_book.way_fails(self._open(), way, why)
        if why:
            self._log.event("alarm_not_told", "error", way=way, why=why)


def _well(seen: Iterable[Condition]) -> dict[str, float]:
    return {f"{one.kind}:{one.name}": one.seen for one in seen if not one.why}


def _by(number: int, notices: list[Notice]) -> Iterable[list[Notice]]:
    return (notices[at : at + number] for at in range(0, len(notices), number))
