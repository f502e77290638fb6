"""What is wrong now, on this machine: of it alarms are made (`desk/alarms.py`).

Whom we ask (DNS lists, scanners, next hops) and checks that cannot answer stand in what each process saw
(`telemetry/conditions.py`); processes that die in what the parent wrote, backups in what the last one left;
the disk, the stored policy and held mail are looked at.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gatepost.desk import domains
from gatepost.desk.alarms import BACKUP, DISK, HELD, POISON, POLICY, PROCESS, UNSEEN, Trouble, shortened
from gatepost.desk.desk import Desk
from gatepost.desk.health import LITTLE
from gatepost.policy.resolve import Resolver
from gatepost.store.base import StoreError
from gatepost.telemetry.conditions import ASKED, BACKEND, CHECK, SPOOL, Condition

FAILURES, WITHIN = 5, 300.0
"""A check that could not answer so often within so many seconds is in trouble."""
DEATHS, DEATHS_WITHIN = 3, 900.0
"""A process that ended unasked so often within so many seconds keeps dying."""
HELD_WITHIN = 86_400.0
HELD_MOST = 1_000
"""Domains that one alarm names."""
DEATHS_FILE, BACKUP_FILE = "deaths.json", "backup.json"
"""In `data_dir/run`."""


def asked(desk: Desk, seen: Iterable[Condition], now: float) -> Iterator[Trouble]:
    """Yield whom we ask and who is in trouble, checks that fail by themselves, and mail that is stuck."""
    ill = [one for one in seen if one.why and now - one.seen <= UNSEEN]
    names = [one.name for one in ill if one.kind in ASKED]
    for one in ill:
        if one.kind == CHECK:
            often = [at for at in one.times if now - at <= WITHIN]
            # A check that fails because its scanner is dead: that is told already.
            if len(often) >= FAILURES and not any(name in one.why for name in names):
                yield Trouble(CHECK, one.name, shortened(one.why), often[0], one.seen)
            continue
        if one.kind == SPOOL:  # of a domain that was removed too: that may be why
            yield Trouble(SPOOL, one.name, shortened(one.why), one.since, one.seen)
            continue
        hosted: tuple[str, ...] = ()
        if one.kind == BACKEND:
            rows = [desk.policy.domain(name) for name in one.domains]
            hosted = tuple(row.name for row in rows if row is not None and row.owned_since < one.seen)
            if not hosted:
                continue  # a domain that was removed, or no domain of ours
        yield Trouble(one.kind, one.name, shortened(one.why), one.since, one.seen, hosted)


def loaded(desk: Desk, now: float) -> Iterator[Trouble]:
    """Yield checks that did not load."""
    for name, error in desk.registry.errors().items():
        yield Trouble(CHECK, name, shortened(f"it did not load: {error}"), 0.0, now)


def disk(desk: Desk, now: float) -> Iterator[Trouble]:
    """Yield the disk, where little is left or kept mail has no room."""
    space = shutil.disk_usage(desk.data_dir)
    if space.free < LITTLE * space.total or space.free < desk.archive_min_free:
        why = f"{_size(space.free)} of {_size(space.total)} are free on the disk of {desk.data_dir}"
        yield Trouble(DISK, "data_dir", why, 0.0, now)


def policy(desk: Desk, now: float) -> Iterator[Trouble]:
    """Yield a policy that cannot be read, and values for all domains that cannot be used."""
    try:
        _, faults = domains.resolved(desk, None)
    except StoreError as error:
        yield Trouble(POLICY, "policy.db", shortened(str(error)), 0.0, now)
        return
    if faults:
        said = "; ".join(f"{one.key}: {one.reason}" for one in faults[:5])
        yield Trouble(POLICY, "settings", shortened(said), 0.0, now)


def processes(desk: Desk, now: float) -> Iterator[Trouble]:
    """Yield processes that keep dying."""
    deaths = _read(desk.data_dir / "run" / DEATHS_FILE)
    for name, rows in deaths.items():
        recent = [(float(at), str(how)) for at, how in rows if now - at <= DEATHS_WITHIN]
        if len(recent) >= DEATHS:
            why = f"{len(recent)} times in the last {DEATHS_WITHIN / 60:.0f} minutes, last {recent[-1][1]}"
            yield Trouble(PROCESS, name, shortened(why), recent[0][0], recent[-1][0])


def died(data_dir: Path, name: str, how: str, now: float) -> None:
    """Write down that a process ended unasked; the parent calls it, who has no database."""
    path = data_dir / "run" / DEATHS_FILE
    deaths = _read(path)
    rows = [row for row in deaths.get(name, []) if now - row[0] <= DEATHS_WITHIN]
    deaths[name] = [*rows[-20:], [now, how]]
    _write(path, deaths)


def backups(desk: Desk, now: float) -> Iterator[Trouble]:
    """Yield backups, where the last one failed."""
    last = _read(desk.data_dir / "run" / BACKUP_FILE)
    if last.get("why"):
        yield Trouble(BACKUP, "backup", shortened(str(last["why"])), float(last["at"]), now)


def backed_up(data_dir: Path, now: float, why: str = "") -> None:
    """Write down how a backup went; `why` it failed."""
    _write(data_dir / "run" / BACKUP_FILE, {"at": now, "why": why})


def held(desk: Desk, now: float) -> Iterator[Trouble]:
    """Yield domains that held mail within a day and whose digest nobody gets."""
    tally = desk.journal.tally(since=now - HELD_WITHIN)
    names = sorted({name for name, fate, _, number in tally.outcomes if fate == "quarantined" and number})
    unread: list[str] = []
    if names:
        resolver = Resolver(desk.policy.everywhere(), desk.registry.defaults())
        version = desk.policy.version()
        for name in names[:HELD_MOST]:
            rows = desk.policy.domain(name)
            if rows is None:
                continue
            one = resolver.domain(rows, version, [])
            if one.digest == "off" or not (one.digest_to or one.digest_mailboxes):
                unread.append(name)
    if unread:
        yield Trouble(HELD, "", "", 0.0, now, tuple(unread))


def poison(desk: Desk, now: float) -> Iterator[Trouble]:
    """Yield the domains for which mail was set aside within a day, since it killed who read it."""
    tally = desk.journal.tally(since=now - HELD_WITHIN)
    aside = [
        (name, number)
        for name, fate, plugin, number in tally.outcomes
        if plugin == POISON and fate in ("quarantined", "rejected")
    ]
    if aside:
        why = f"{sum(number for _, number in aside)} set aside within a day, see the journal of `{POISON}`"
        names = sorted({name for name, _ in aside})[:HELD_MOST]
        yield Trouble(POISON, "", why, 0.0, now, tuple(names))


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value))
    if os.geteuid() == 0:  # a backup that root makes: the keeper reads how it went
        owner = path.parent.stat()
        os.chown(temporary, owner.st_uid, owner.st_gid)
    temporary.replace(path)


def _size(number: int) -> str:
    return f"{number / (1 << 30):.1f} GiB"
