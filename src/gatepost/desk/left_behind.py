"""What a removed domain leaves behind, so that the removal can be rolled back, and nobody inherits it.

`domain remove` takes the policy away, and nothing else: roll back, and the domain has its journal, kept mail,
model and counts again. All that stays under its name for `DAYS`, where nobody but an administrator sees it;
then the keeper deletes it. Who adds a domain of that name before then says whether he means the same one
(roll back) or a new one: then it is deleted first, with the accounts' rights to it. So no owner ever sees
what was another's. What `scanner`s outside learnt under the name is theirs; backups are what they were.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from secrets import randbelow

from gatepost.desk import journal
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError
from gatepost.spool.names import safe_name
from gatepost.store.base import Change
from gatepost.store.policy_db import CLOSED
from gatepost.store.policy_follow import keep_last_good
from gatepost.store.scopes import ALL

DAY = 86_400.0
DAYS = 30
"""For which a removal can be rolled back."""
SAME_FOLDER = DAY
"""A domain whose folder comes back to a followed tree within these seconds is the same one."""
GENERATION = "training.generation"
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


def make_way(desk: Desk, name: str, *, anew: bool | None) -> dict[str, int]:
    """Let a domain be added where one of its name was removed: another one (`anew`), or the same.

    StillThere where nobody said which. Returns what another one has to begin with: what opened doors of the
    old one must not open its.
    """
    found = desk.policy.removal(name)
    if found is not None:
        if anew is None or (not anew and is_closed(found)):
            raise StillThere(name, found)
        if not anew:
            return {}
        forget(desk, name)
    # A training address holds for domain and generation, under the installation's one secret.
    return {GENERATION: 2 + randbelow(999_998)} if desk.policy.was_hosted(name) else {}


def is_closed(removal: Change) -> bool:
    """Return whether somebody has begun to delete what was left: nobody gets half of it."""
    return bool((removal.before or {}).get(CLOSED))


def make_way_for_files(desk: Desk, name: str) -> None:
    """The same for a followed tree, which cannot be asked: a folder that was long away is a new domain."""
    found = desk.policy.removal(name)
    if found is not None and desk.clock() - found.time >= SAME_FOLDER:
        forget(desk, name)


def keep_days(desk: Desk, name: str) -> int:
    """Return how long mail of a domain that is not hosted stays: as its policy said, if it may come back."""
    found = desk.policy.removal(name)
    if found is None:
        return DAYS
    said = ((found.before or {}).get("settings") or {}).get("", {})
    return int(said.get("keep_days") or desk.policy.settings(ALL).get("keep_days") or DAYS)


def look(desk: Desk, most: int = 20) -> list[str]:
    """Delete what domains left that were removed so long ago that nobody brings them back; returns which."""
    due = desk.policy.removed_before(desk.clock() - DAYS * DAY)[:most]
    for name in due:
        forget(desk, name)
    return due


def forget(desk: Desk, name: str) -> dict[str, int]:
    """Delete all that stands under the name of a domain which is hosted no longer; returns how much.

    From the first step on nobody can roll the removal back, so nobody gets half of it. The list of changes
    comes last: killed before that, it is begun again. What is done twice does no harm.
    """
    if not desk.policy.close_removal(name):
        return {}
    journal.collect(desk)
    people = desk.accounts.take_domain(name)
    for person in people:
        desk.accounts.end_all(person)
    done = {
        "kept": _kept(desk, name),
        "queue": sum(1 for one in desk.queue.list() if one.domain == name and desk.queue.drop(one.id)),
        "journal": desk.journal.forget_domain(name),
        "records": desk.records.forget_domain(name),
        "reviews": desk.reviews.forget_domain(name),
        "counts": desk.state.forget(name),
        "folders": sum(_remove(path) for path in _folders(desk.data_dir, name)),
        "accounts": len(people),
        "tokens": desk.tokens.take_domain(name),
    }
    done["changes"] = desk.policy.forget_domain(
        name, {kind: number for kind, number in done.items() if number}, desk.by
    )
    keep_last_good(desk.data_dir)
    return done


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
