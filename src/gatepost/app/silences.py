"""The keeper's clock for what was delivered: learn from silence, a few domains at a time; forget what is old.

In a thread: there may be very many files.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gatepost.config.desks import desk_from
from gatepost.desk import silence
from gatepost.desk.errors import DeskError
from gatepost.telemetry.log import Log

if TYPE_CHECKING:
    from gatepost.config import Config
    from gatepost.plugin.registry import Registry

LOOK = 600.0
"""Seconds between two looks; a domain has one day to be learnt in a day."""


class Silences:
    """Learns what nobody objected to, until cancelled."""

    def __init__(
        self, config: Config, registry: Registry, log: Log, clock: Callable[[], float] = time.time
    ) -> None:
        self._config = config
        self._registry = registry
        self._log = log
        self._clock = clock
        self._said = ""

    async def run(self) -> None:
        """Look again and again; what fails is said once."""
        while True:
            try:
                await asyncio.to_thread(self.look)
                why = ""
            except Exception as error:  # a disk or a store in trouble, or a fault of ours: later
                why = f"{type(error).__name__}: {error}"
            if why != self._said:
                self._said = why
                self._log.event("silence", "error" if why else "info", why=why or "it is listened to again")
            await asyncio.sleep(LOOK)

    def look(self) -> int:
        """Learn the next day of some domains; returns how many mails were learnt."""
        with desk_from(self._config, silence.BY, registry=self._registry, clock=self._clock) as desk:
            desk.delivered.expire(self._clock())
            if not desk.delivered.domains():
                return 0
            try:
                done = silence.look(desk)
            except DeskError:  # numpy is missing: then nothing was delivered with features lately
                return 0
        count = sum(one.wanted + one.spam for one in done)
        if count:
            self._log.event("silence", domains=len(done), learnt=count)
        return count
