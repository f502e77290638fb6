"""How the machine is: versions in force, checks that fail, the next hops, the queue, the disk.

Counts are those of the processes since they started, as `/metrics` has them; a process that just came
has none yet.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.desk import alarm_book, domains
from gatepost.desk.alarms import UNSEEN, Alarm
from gatepost.desk.desk import Desk
from gatepost.spool.usage import ALL
from gatepost.telemetry import conditions, metrics
from gatepost.telemetry.conditions import ASKED, Condition
from gatepost.telemetry.metrics import Snapshot

LITTLE = 0.05
"""Of a disk: with less than this free it is in trouble."""
SHOWN = 20
"""Domains that are named as waiting."""
MOST_ASKED = 500
"""Lists, scanners and next hops that are shown."""
LATE = 3600.0
"""Seconds after which mail that waits is worth a look."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The version of the policy that one process uses."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Check:
    """A check in trouble."""

    name: str
    failures: int
    """Times that it could not answer, since the processes started."""
    error: str
    """Why it did not load, "" where it did."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A domain whose mail waits."""

    domain: str
    number: int
    since: float
    """When the oldest came."""
    said: str
    """What the next hop said last."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the data lie on, and the archive's part of it; bytes."""

    free: int
    total: int
    archive: int
    archive_most: int

    @property
    def little(self) -> bool:
        """Return whether it is nearly full."""
        return self.free < LITTLE * self.total


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the machine now."""

    version: int
    """Of the policy as it is stored."""
    processes: list[InForce]
    checks: list[Check]
    faults: list[str]
    """Stored values for all domains that cannot be used; the defaults hold instead."""
    waiting: list[Waiting]
    """The oldest first."""
    relayed: dict[str, int]
    """What the domains' servers said, since the processes started."""
    dns: dict[str, int]
    """What DNS answered, since the processes started."""
    disk: Disk
    asked: list[Condition]
    """Each DNS list, scanner and next hop as it was seen last; those in trouble first."""
    alarms: list[Alarm]
    """Those that go on."""
    untold: dict[str, str]
    """Way that alarms go -> why nothing gets out on it."""

    @property
    def current(self) -> int:
        """How many processes have the stored version in force."""
        return sum(one.version >= self.version for one in self.processes)

    @property
    def good(self) -> bool:
        """Return whether nothing here wants a person."""
        return (
            self.current == len(self.processes)
            and not any(one.error for one in self.checks)
            and not self.faults
            and not self.disk.little
            and not self.alarms
            and not self.untold
        )


def look(desk: Desk, processes: Iterable[InForce]) -> Health:
    """Return how the machine is; `processes` is what the board says."""
    told = counts(desk)
    failed = _by_label(told, metrics.PLUGIN_FAILURES.name)
    errors = dict(desk.registry.errors())
    checks = [
        Check(name, failed.get(name, 0), errors.get(name, ""))
        for name in sorted(failed.keys() | errors.keys())
    ]
    _, faults = domains.resolved(desk, None)
    space = shutil.disk_usage(desk.data_dir)
    return Health(
        desk.policy.version(),
        list(processes),
        checks,
        [f"{one.key}: {one.reason}" for one in faults],
        waiting(desk),
        _by_label(told, metrics.RELAY_ATTEMPTS.name),
        _by_label(told, metrics.DNS_QUERIES.name),
        Disk(space.free, space.total, desk.archive.usage.get(ALL), desk.archive_bytes),
        asked(desk),
        alarm_book.shown(desk, None),
        alarm_book.ways_that_fail(desk),
    )


def waiting(desk: Desk) -> list[Waiting]:
    """Return the domains whose mail waits, the oldest first."""
    number: Counter[str] = Counter()
    first: dict[str, tuple[float, str]] = {}
    for one in desk.queue.list():
        number[one.domain] += 1
        said = next((r.last for r in one.recipients if r.last), "")
        if one.domain not in first or one.created < first[one.domain][0]:
            first[one.domain] = one.created, said
    found = [Waiting(name, number[name], *first[name]) for name in first]
    return sorted(found, key=lambda one: one.since)[:SHOWN]


def asked(desk: Desk) -> list[Condition]:
    """Return how those are whom we ask, as the processes saw them within a day; who is in trouble first."""
    now = desk.clock()
    found = [
        one
        for one in conditions.written(desk.data_dir / "run")
        if one.kind in ASKED and now - one.seen <= UNSEEN
    ]
    found.sort(key=lambda one: (not one.why, ASKED.index(one.kind), one.name))
    return found[:MOST_ASKED]


def counts(desk: Desk) -> Snapshot:
    """Return the counters of all processes together, as they last wrote them down."""
    return metrics.merge(metrics.written(desk.data_dir / "run"))


def _by_label(told: Snapshot, name: str) -> dict[str, int]:
    return {labels[0]: int(value) for labels, value in told.get(name, ()) if labels and value}
