"""What is remembered of digests, with the domain's records: up to when each told, and what reached whom.

For a domain how far its digests have told; for a reader the entry of the queue that his last one went out
as, so that what did not reach him is told again; and each link that was used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk

PLUGIN = "digest"
"""Under this name among the records; no check is called so."""
LEASE = 60.0
"""Seconds after which a link is good again whose use a crash cut off."""
MOST = 10_000
_LAST, _READER, _USED = "last", "reader\x1f", "used\x1f"


@dataclass(frozen=True, slots=True)
class Last:
    """How far a domain's digests have told."""

    until: float
    period: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The last digest of one reader."""

    entry: str
    """Its id in the queue."""
    since: float
    until: float


def last(desk: Desk, domain: str) -> Last | None:
    """Return how far a domain's digests have told; None where none was ever due."""
    row = at_once(desk.records.get(domain, PLUGIN, _LAST))
    return None if row is None else Last(float(row["until"]), str(row["period"]))


def told(desk: Desk, domain: str, until: float, period: str) -> None:
    """Remember that everybody's digest up to a moment is in the queue."""
    at_once(desk.records.put(domain, PLUGIN, _LAST, {"until": until, "period": period}))


def readers(desk: Desk, domain: str) -> dict[str, Sent]:
    """Return the last digest of each reader."""
    rows = at_once(desk.records.list(domain, PLUGIN, _READER, MOST))
    return {key.removeprefix(_READER): _sent(row) for key, row in rows}


def reader(desk: Desk, domain: str, name: str) -> Sent | None:
    """Return the last digest of one reader."""
    row = at_once(desk.records.get(domain, PLUGIN, _READER + name))
    return None if row is None else _sent(row)


def sent(desk: Desk, domain: str, name: str, one: Sent) -> None:
    """Remember a reader's last digest."""
    row = {"entry": one.entry, "since": one.since, "until": one.until}
    at_once(desk.records.put(domain, PLUGIN, _READER + name, row))


def forget(desk: Desk, domain: str, before: float) -> None:
    """Forget readers who got nothing since `before`, and used links that have expired anyway."""
    for name, one in readers(desk, domain).items():
        if one.until < before:
            at_once(desk.records.delete(domain, PLUGIN, _READER + name))
    for key, row in at_once(desk.records.list(domain, PLUGIN, _USED, MOST)):
        if float(row["expires"]) < desk.clock():
            at_once(desk.records.forget(domain, PLUGIN, key))


def is_used(desk: Desk, domain: str, link: str) -> bool:
    """Return whether a link was used."""
    return at_once(desk.records.count(domain, PLUGIN, _USED + link)) > 0


class Use:
    """The use of a link: `begin` gets it for one at a time, `end` makes it the only one, or gives it back."""

    def __init__(self, desk: Desk, domain: str, link: str) -> None:
        self._desk = desk
        self._place = domain, PLUGIN, _USED + link
        self._held: Any = None

    def begin(self) -> bool:
        """Take it; false where it was used, or is being used."""
        self._held = at_once(self._desk.records.reserve(*self._place, 1, LEASE))
        return self._held is not None

    def end(self, expires: float, *, used: bool) -> None:
        """It was used for good, durably; or it was not, and is good again."""
        row = {"time": self._desk.clock(), "expires": expires}
        at_once(self._desk.records.settle(self._held, used, row if used else None))


def _sent(row: Any) -> Sent:
    return Sent(str(row["entry"]), float(row["since"]), float(row["until"]))
