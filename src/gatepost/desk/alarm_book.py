"""The alarms that are remembered, with the records: they outlive every process, and go into backups."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gatepost.desk.alarms import FORGOTTEN, SENTENCES, Alarm, Told
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk

PLUGIN = "alarms"
"""Under this name among the records, of no domain; no check is called so."""
MOST = 1_000
"""Alarms that are remembered; the oldest that are over go first."""
_ALARM, _WAY = "alarm\x1f", "way\x1f"


def remembered(desk: Desk) -> list[Alarm]:
    """Return all alarms: those that go on first, the newest first."""
    rows = at_once(desk.records.list("", PLUGIN, _ALARM, 10 * MOST))
    found = [_alarm(row) for _, row in rows if row.get("kind") in SENTENCES]
    return sorted(found, key=lambda one: (not one.open, -(one.ended or one.began)))


def shown(desk: Desk, domains: Collection[str] | None, *, ended: bool = False) -> list[Alarm]:
    """Return the alarms that somebody may see: all (None), or those of their domains as far as theirs.

    One that was seen last before a former owner's data were deleted is the former one's.
    """
    found = [one for one in remembered(desk) if ended or one.open]
    if domains is None:
        return found
    named = {name for one in found for name in one.domains} & set(domains)
    since = {name: rows.owned_since for name in named if (rows := desk.policy.domain(name)) is not None}
    theirs = (one.of([name for name in named if since.get(name, 0.0) < one.seen]) for one in found)
    return [one for one in theirs if one is not None]


def remember(desk: Desk, alarm: Alarm) -> None:
    """Keep an alarm as it is now, durably."""
    row = {
        "kind": alarm.kind,
        "name": alarm.name,
        "why": alarm.why,
        "began": alarm.began,
        "seen": alarm.seen,
        "ended": alarm.ended,
        "domains": list(alarm.domains),
        "times": alarm.times,
        "told": {way: [one.at, one.word] for way, one in alarm.told.items()},
    }
    at_once(desk.records.put("", PLUGIN, _ALARM + alarm.key, row))


def forget_old(desk: Desk, now: float) -> None:
    """Forget those that are over for long, and the oldest where there are too many."""
    for place, one in enumerate(remembered(desk)):
        if not one.open and (now - one.ended > FORGOTTEN or place >= MOST):
            at_once(desk.records.delete("", PLUGIN, _ALARM + one.key))


def way_fails(desk: Desk, way: str, why: str) -> None:
    """Remember that nothing gets out on a way, and why; "": it does."""
    at_once(desk.records.put("", PLUGIN, _WAY + way, {"why": why, "at": desk.clock()}))


def ways_that_fail(desk: Desk) -> dict[str, str]:
    """Return way -> why nothing gets out on it."""
    rows = at_once(desk.records.list("", PLUGIN, _WAY))
    return {key.removeprefix(_WAY): str(row["why"]) for key, row in rows if row["why"]}


def _alarm(row: Any) -> Alarm:
    return Alarm(
        str(row["kind"]),
        str(row["name"]),
        str(row["why"]),
        float(row["began"]),
        float(row["seen"]),
        float(row["ended"]),
        tuple(str(name) for name in row["domains"]),
        int(row["times"]),
        {str(way): Told(float(at), str(word)) for way, (at, word) in row["told"].items()},
    )
