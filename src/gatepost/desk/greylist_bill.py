"""What greylisting costs a domain: minutes that mail waited which came back, against mail that never did.

The check `greylist` counts under the day on which a mail first came, while it is on (on watch
nobody waits). A mail that came back costs its delay; one that never did was mostly spam, and
sometimes a letter whose sender gave up: the two columns side by side are the bill.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from gatepost.desk.desk import Desk
from gatepost.desk.domains import resolved
from gatepost.desk.errors import DeskError
from gatepost.plugins.greylist import BILL_DAYS, DAY, Greylist
from gatepost.store.state_db import FILE, StateStore

WORDS = ("first", "back", "seconds")


@dataclass(frozen=True, slots=True)
class Day:
    """The bill of one day (UTC), or of all days together."""

    day: str
    """`2026-11-25`; "" for the sum."""
    put_off: int
    """Mails of strangers that were put off, each counted once however often it came."""
    came_back: int
    minutes: float
    """Minutes that those waited which came back, together."""
    never: int
    """Mails that did not come back while they could."""
    waiting: int
    """Mails that may still come back."""

    @property
    def average(self) -> float:
        """Minutes that a mail which came back waited."""
        return self.minutes / self.came_back if self.came_back else 0.0


def bill(desk: Desk, domain: str, since: float) -> list[Day]:
    """Return the days with strangers from a moment on, the newest first, and their sum at the end."""
    policy, _ = resolved(desk, domain)
    window: int = policy.plugins[Greylist.name].settings.window
    counted = _counted(desk, policy.domain)
    now = desk.clock()
    first_day = max(int(since // DAY), int(now // DAY) - BILL_DAYS)
    days = []
    for number in sorted((n for n in counted if n >= first_day), reverse=True):
        put_off, came_back, seconds = (counted[number].get(word, 0) for word in WORDS)
        missing = max(0, put_off - came_back)
        over = (number + 1) * DAY + window <= now
        name = time.strftime("%Y-%m-%d", time.gmtime(number * DAY))
        days.append(
            Day(name, put_off, came_back, seconds / 60, missing if over else 0, 0 if over else missing)
        )
    return [*days, _sum(days)] if days else []


def _counted(desk: Desk, domain: str) -> dict[int, dict[str, int]]:
    """Return day -> what was counted, as the processes have written it."""
    path = desk.data_dir / FILE
    if not path.exists():
        return {}
    try:
        state = StateStore(path, clock=desk.clock)
    except Exception as error:
        raise DeskError(f"{path}: {error}") from error
    try:
        sums = asyncio.run(state.sums(f"{Greylist.name}\x1f{domain}\x1fbill "))
    finally:
        state.close()
    days: dict[int, dict[str, int]] = {}
    for key, number in sums.items():
        _, day, word = key.split(" ")
        days.setdefault(int(day), {})[word] = number
    return days


def _sum(days: list[Day]) -> Day:
    return Day(
        "",
        sum(d.put_off for d in days),
        sum(d.came_back for d in days),
        sum(d.minutes for d in days),
        sum(d.never for d in days),
        sum(d.waiting for d in days),
    )
