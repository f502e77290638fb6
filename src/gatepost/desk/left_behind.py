"""What a removed domain leaves behind, so that the removal can be rolled back, and nobody inherits it.

`domain remove` takes the policy away, and nothing else: roll back, and the domain has its journal, kept mail,
model and counts again. All that stays under its name for `DAYS`, where nobody but an administrator sees it;
then the keeper deletes it. Who adds a domain of that name before then says whether he means the same one
(roll back) or a new one: then it is deleted first, with the accounts' rights to it. So no owner ever sees
what was another's. Who deletes, and who hosts or removes a domain, is `alone` meanwhile. What scanners
outside learnt under the name is theirs; backups are what they were.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gatepost.desk import journal
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError
from gatepost.spool.names import safe_name
from gatepost.store.base import Change
from gatepost.store.durable import locked
from gatepost.store.policy_db import CLOSED
from gatepost.store.policy_follow import keep_last_good
from gatepost.store.scopes import ALL
from gatepost.store.under_way import held_up

DAY = 86_400.0
DAYS = 30
"""For which a removal can be rolled back."""
LOCK = "left_behind.lock"
"""In data_dir: held while what a domain left is deleted, and while a domain is hosted or removed."""
PATIENCE, GLANCE = 5.0, 0.1
"""Seconds that the deletion waits for what is under way, and between two looks at it."""
TRIES = 3
LEARN = ("domains", "delivered", "errands")
"""Folders of `learn/` with one for each domain: what was taught, features, what others are to be taught."""


class StillThere(Conflict):
    """A domain of this name was removed lately; is this the same one?"""

    def __init__(self, name: str, change: Change) -> None:
        self.change = change
        day = time.strftime("%Y-%m-%d", time.gmtime(change.time))
        back = f"gatepost changes --roll-back {change.id} brings it back with its mail and settings; "
        same = "" if is_closed(change) else "the same one, which has them again (--again), or "
        super().__init__(
            f"{name} was hosted here until {day} and its data are still kept:"
            f" {back if change.complete else ''}to add it, say that it is {same}"
            "another one, and they are deleted for good (--anew)"
        )


class BeingDelivered(Conflict):
    """A mail of the removed domain comes or goes right now: it would end with whoever has the name next."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"a mail of the {name} that was removed is coming in or being delivered right now:"
            " what it left cannot be deleted before that ends; try again in some minutes"
        )


@contextmanager
def alone(desk: Desk) -> Iterator[None]:
    """Let nobody else, in any process, delete what a domain left, host or remove one. Not to be nested."""
    desk.policy.version()  # with the store comes the folder
    with locked(desk.data_dir / LOCK):
        yield


def make_way(desk: Desk, name: str, *, anew: bool | None) -> None:
    """Let a domain be added where one of its name was removed: another one (`anew`), or the same.

    The caller is `alone` until it is hosted: else what he adds could be taken for what was left.
    StillThere where nobody said which.
    """
    found = desk.policy.removal(name)
    if found is None:
        return
    if anew is None or (not anew and is_closed(found)):
        raise StillThere(name, found)
    if anew:
        _forget(desk, name)


def is_closed(removal: Change) -> bool:
    """Return whether somebody has begun to delete what was left: nobody gets half of it."""
    return bool((removal.before or {}).get(CLOSED))


def make_way_for_files(desk: Desk, name: str) -> None:
    """The same for a followed tree, which cannot be asked.

    A domain that the tree itself took away (its folder was moved, restored, not mounted) is the same one when
    the folder is back. One that a person removed is not hosted again by a folder that still lies there:
    StillThere, until a person says what he means or its time is over.
    """
    found = desk.policy.removal(name)
    if found is None:
        return
    if is_closed(found) or desk.clock() - found.time >= DAYS * DAY:
        _forget(desk, name)
    elif found.by != desk.by:
        raise StillThere(name, found)


def keep_days(desk: Desk, name: str) -> int:
    """Return how long mail of a domain that is not hosted stays: as its policy said, if it may come back."""
    found = desk.policy.removal(name)
    if found is None:
        return DAYS
    said = ((found.before or {}).get("settings") or {}).get("", {})
    return int(said.get("keep_days") or desk.policy.settings(ALL).get("keep_days") or DAYS)


def look(desk: Desk, most: int = 20) -> list[str]:
    """Delete what domains left that were removed so long ago that nobody brings them back; returns which."""
    done = []
    for name in desk.policy.removed_before(desk.clock() - DAYS * DAY)[:most]:
        with suppress(BeingDelivered):  # at the next look
            forget(desk, name)
            done.append(name)
    return done


def forget(desk: Desk, name: str) -> dict[str, int]:
    """Delete all that stands under the name of a domain which is hosted no longer; returns how much.

    From the first step on nobody can roll the removal back, so nobody gets half of it. The list of changes
    comes last: killed before that, it is begun again. What is done twice does no harm. BeingDelivered: later.
    """
    with alone(desk):
        return _forget(desk, name)


def _forget(desk: Desk, name: str) -> dict[str, int]:
    if not desk.policy.close_removal(name):
        return {}
    # The queue first: what is delivered now still writes into the rest. Then all who began before the
    # removal have ended; what they queued goes with what waited.
    steps: dict[str, Callable[[], int]] = {
        "queue": lambda: _queue(desk, name),
        "queued since": lambda: _behind_all(desk, name) + _queue(desk, name),
        "kept": lambda: _kept(desk, name),
        "journal": lambda: _journal(desk, name),
        "records": lambda: desk.records.forget_domain(name),
        "reviews": lambda: desk.reviews.forget_domain(name),
        "counts": lambda: desk.state.forget(name),
        "folders": lambda: sum(_remove(path) for path in _folders(desk.data_dir, name)),
        "accounts": lambda: _accounts(desk, name),
        "tokens": lambda: desk.tokens.take_domain(name),
    }
    done = {}
    for kind, step in steps.items():
        found = desk.policy.removal(name)
        if found is None or not is_closed(found):
            raise Conflict(
                f"{name} was hosted again while what was left of it was deleted: no more is deleted"
            )
        done[kind] = step()
    done["queue"] += done.pop("queued since")
    done["changes"] = desk.policy.forget_domain(
        name, {kind: number for kind, number in done.items() if number}, desk.by
    )
    keep_last_good(desk.data_dir)
    return done


def _behind_all(desk: Desk, name: str) -> int:
    """Wait until no process works for the domain any more; BeingDelivered where that takes long."""
    removal = desk.policy.removal(name)
    ends = time.monotonic() + PATIENCE
    while removal is not None and held_up(desk.data_dir, name, removal.version):
        if time.monotonic() > ends:
            raise BeingDelivered(name)
        time.sleep(GLANCE)
    return 0


def _queue(desk: Desk, name: str) -> int:
    """Drop what waits; BeingDelivered where the courier holds some of it, after all else is dropped."""
    waiting = [one.id for one in desk.queue.list() if one.domain == name]
    dropped = [desk.queue.drop(one) for one in waiting]
    if any(not gone and desk.queue.get(one) for one, gone in zip(waiting, dropped, strict=True)):
        raise BeingDelivered(name)
    return sum(dropped)


def _journal(desk: Desk, name: str) -> int:
    journal.collect(desk)
    return desk.journal.forget_domain(name)


def _accounts(desk: Desk, name: str) -> int:
    people = desk.accounts.take_domain(name)
    for person in people:
        desk.accounts.end_all(person)
    return len(people)


def _kept(desk: Desk, name: str) -> int:
    from gatepost.desk.archive import queue_name

    for day in desk.archive.index.days():
        for kept in desk.archive.index.read_of(day, {name}):
            desk.queue.forget_sent(queue_name(kept))
    return desk.archive.forget(name)


def _folders(data_dir: Path, name: str) -> list[Path]:
    """Return a domain's own folders. The name is one that was hosted, so it is no path."""
    from gatepost.plugin.commands import FOLDER as FILTERS  # with it comes asyncio

    filters = data_dir / FILTERS
    commands = sorted(filters.iterdir()) if filters.is_dir() else []
    return [
        *(data_dir / "learn" / folder / name for folder in LEARN),
        *(command / safe_name(name) for command in commands),
    ]


def _remove(folder: Path) -> bool:
    """Remove a folder, though another process may still write into it, or remove it too."""
    there = folder.is_dir()
    for _ in range(TRIES):
        if folder.is_dir():
            with suppress(OSError):
                shutil.rmtree(folder)
    if folder.is_dir():
        raise DeskError(f"{folder} cannot be removed")
    return there
