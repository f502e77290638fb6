"""The keeper's clock for what removed domains left: deleted when nobody can bring them back any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gatepost.config.desks import desk_from
from gatepost.desk import left_behind
from gatepost.store.base import StoreError
from gatepost.telemetry.log import Log

if TYPE_CHECKING:
    from gatepost.config import Config

BY = "keeper"
LOOK = 3_600.0
"""Seconds between two looks."""
FOR_EVER = 3_650
"""Days, where it is not known now: nothing is thrown away for it."""


class LeftBehind:
    """Deletes what is over, until cancelled."""

    def __init__(self, config: Config, log: Log, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._log = log
        self._clock = clock

    async def run(self) -> None:
        """Look again and again; in a thread, since there may be much to delete."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except Exception as error:  # a disk or a store in trouble, or a fault of ours: later
                self._log.event("left_behind", "error", why=f"{type(error).__name__}: {error}")
            await asyncio.sleep(LOOK)

    def look(self) -> list[str]:
        """Delete what some domains left; returns which."""
        with desk_from(self._config, BY, clock=self._clock) as desk:
            done = left_behind.look(desk)
        for name in done:
            self._log.event("left_behind", domain=name)
        return done

    def keep_days(self, domain: str) -> int:
        """Return for how long mail of a domain that is not hosted stays."""
        if not domain:
            return left_behind.DAYS
        try:
            with desk_from(self._config, BY, clock=self._clock) as desk:
                return left_behind.keep_days(desk, domain)
        except StoreError:
            return FOR_EVER
