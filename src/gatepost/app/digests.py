"""The keeper's clock for digests: a quarter of an hour begins somewhere, or a setting changed, so look.

Every time zone's hour begins with a quarter of ours, so that is often enough; what a look finds due goes
into the queue in a thread, since it reads the archive's index. A look that fails is tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gatepost.config.desks import desk_from
from gatepost.desk import digest_post
from gatepost.desk.digest_post import SLACK, Render
from gatepost.telemetry.log import Log

if TYPE_CHECKING:
    from gatepost.config import Config
    from gatepost.plugin.registry import Registry

BY = "digest"
QUARTER = 900.0
LOOK = 2.0
"""Seconds between two looks at the clock."""
SHARE = 20
"""A look that took a second is followed by so many without one: somebody may change settings all day."""
AGAIN = 60.0
"""Seconds until a look that failed is tried again."""
MISSING = "digests cannot be written: pip install 'gatepost[console]'"


class Digests:
    """Sends the digests of all domains until cancelled."""

    def __init__(
        self, config: Config, registry: Registry, log: Log, version: Callable[[], int],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._config = config
        self._registry = registry
        self._log = log
        self._version = version
        self._clock = clock
        self._said = ""

    async def run(self) -> None:
        """Look at each quarter of an hour, and when the policy is another one."""
        seen: tuple[int, int] | None = None
        while True:
            now = int((self._clock() - SLACK) // QUARTER), self._version()
            wait = LOOK
            if now != seen:
                started = time.monotonic()
                try:
                    await asyncio.to_thread(self.look)
                    seen, why = now, ""
                    wait = max(LOOK, SHARE * (time.monotonic() - started))
                except Exception as error:  # a disk or a store in trouble, or a fault of ours: later
                    wait, why = AGAIN, f"{type(error).__name__}: {error}"
                self._tell(why)
            await asyncio.sleep(wait)

    def look(self) -> int:
        """Put what is due into the queue; returns how many digests that are."""
        with desk_from(self._config, BY, registry=self._registry, clock=self._clock) as desk:
            if not digest_post.enabled(desk):
                return 0
            made = digest_post.send_due(desk, render())
        for one in made:
            self._log.event("digest", domain=one.domain, to=one.reader, mails=one.number)
        return len(made)

    def _tell(self, why: str) -> None:
        if why != self._said:
            self._said = why
            self._log.event("digests", "error" if why else "info", why=why or "they are sent again")


def render() -> Render:
    """Return what makes a mail of a digest; it needs the extra `console`."""
    try:
        from gatepost.console import digest_mail
    except ImportError as error:
        raise RuntimeError(f"{MISSING} ({error.name} is missing)") from error
    return digest_mail.make
