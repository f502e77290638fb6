"""Follow a tree of files: what it says is in force soon, and what it no longer says goes.

What only adds (a list entry, a recipient) is taken over at once. All else waits until the domain's
folder has been quiet for a second: in a tree that is half unpacked, or half removed, most is
missing that is not meant to be. A folder that cannot be read says nothing, and a tree that is
gone or empty (not mounted) is trouble to be told and not a policy: what was taken over stays.

Work is bounded: a domain is read again only when something in its folder has another stamp, or
somebody changed its policy; a look that takes too long goes on in the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError
from gatepost.desk.left_behind import alone, make_way_for_files
from gatepost.desk.srv import domain_folders, with_route
from gatepost.desk.srv_read import Defaults, DomainReader, read_blacklist_d
from gatepost.desk.srv_tree import Problem, Stamp, Tree, stamp
from gatepost.store.base import StoreError
from gatepost.store.policy_files import DOMAIN, Key, bring, edited_since, followed, let_go, said_by_files
from gatepost.store.scopes import EVERYWHERE

QUIET = 1.0
"""Seconds without a change after which a folder is believed to be whole."""
BUSY = 10.0
"""Seconds after which a folder that is never quiet is believed all the same."""
GONE = 10.0
"""Seconds after which a domain whose folder is gone goes too."""
BUDGET = 1.0
"""Seconds of one look."""
ROUTE: Key = ("setting", "", "route")
Told = tuple[Literal["error", "info"], str, str]
"""`error` or `info`, where, what."""


@dataclass(slots=True)
class Folder:
    """What is known of one domain's folder."""

    rows: dict[Key, Any]
    seen: dict[Path, Stamp]
    problems: list[Problem]
    since: float | None = None
    """When the first change came that is not yet wholly taken over; None: all is."""
    last: float = 0.0
    """When the newest came."""

    def changed(self) -> bool:
        """Tell whether something in it has another stamp."""
        return any(stamp(place) != old for place, old in self.seen.items())


class TreeFollower:
    """One tree and what has been taken over from it. Everything in one thread: it may block."""

    def __init__(
        self,
        desk: Desk,
        top: Path,
        defaults: Defaults,
        *,
        route: str = "",
        blacklist_d: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._top = top
        self._defaults = defaults
        self._route = route
        self._blacklist_d = blacklist_d
        self._clock = clock
        self._folders: dict[str, Folder] = {}
        self._followed: set[str] = set()
        """Domains of which something came from files."""
        self._gone: dict[str, float] = {}
        self._rest: set[str] = set()
        """Domains that the last look had no time for."""
        self._version = -1
        self._said: dict[str, str] = {}
        self._told: list[Told] = []
        self.unfinished = False
        """The look did not come to the end of its work, or something waits to be quiet."""

    def look(self, dirty: set[str] | None = None) -> list[Told]:
        """Take over what changed; `dirty`: look only at these folders (None: at all). Says what was new."""
        self._told = []
        self.unfinished = False
        tree = Tree(self._top)
        try:
            folders = domain_folders(tree)
        except OSError as error:
            self._say("", f"the tree cannot be read, what it said stays: {error}")
            return self._told
        if self._version < 0:
            self._followed = followed(self._desk.policy)
        if not folders and (self._followed or not self._top.is_dir()):
            self._say("", "the tree is gone or empty (not mounted?), what it said stays")
            return self._told
        self._say("", "; ".join(f"{p.path}: {p.why}" for p in tree.problems))
        if self._blacklist_d is not None and self._blacklist_d.is_dir():
            folders.setdefault(EVERYWHERE, self._top / "_global_")
        self._look_at(folders, self._changed_by_others(), dirty)
        self._look_for_gone(folders)
        return self._told

    def _look_at(self, folders: dict[str, Path], edited: set[str], dirty: set[str] | None) -> None:
        started = self._clock()
        edited = edited | self._rest
        self._rest = set()
        for domain, place in folders.items():
            known = self._folders.get(domain)
            waits = known is not None and known.since is not None
            asked = dirty is None or domain == EVERYWHERE or place.name in dirty
            if not (known is None or waits or asked or domain in edited):
                continue
            if self._clock() - started > BUDGET:
                self.unfinished = True
                self._rest.add(domain)
                continue
            try:
                self._domain(domain, place, known, domain in edited)
                self._say(domain, self._problems(domain))
            except (OSError, DeskError) as error:
                self._say(domain, f"cannot be taken over, what it said stays: {error}")
                if isinstance(error, Conflict):
                    self._rest.add(domain)  # what was left of a removed one goes without a change of a file
            except StoreError as error:
                self._folders.pop(domain, None)  # so that it is tried again
                self._say(domain, f"cannot be written: {error}")
            self.unfinished |= domain in self._folders and self._folders[domain].since is not None

    def _domain(self, domain: str, place: Path, known: Folder | None, edited: bool) -> None:
        now = self._clock()
        fresh = known is None or known.changed()
        if known is None or fresh:
            read = self._read(domain, place)
            read.since = now if known is None or known.since is None else known.since
            read.last = now
            self._folders[domain] = known = read
        elif known.since is None:
            if edited:
                self._take_over(domain, known.rows, whole=True)
            return
        if now - known.last < QUIET and now - (known.since or now) < BUSY:
            self._take_over(domain, known.rows, whole=False)
            return
        # Read once more: a file may have come in the same tick of the clock as the last reading.
        self._folders[domain] = read = self._read(domain, place)
        self._take_over(domain, read.rows, whole=True)

    def _read(self, domain: str, place: Path) -> Folder:
        tree = Tree(self._top)
        rows = DomainReader(tree, domain, place, self._defaults).read()
        if domain == EVERYWHERE and self._blacklist_d is not None:
            shared = Tree(self._blacklist_d)
            read_blacklist_d(shared, rows)
            tree.seen |= shared.seen
            tree.problems += shared.problems
        return Folder(rows, tree.seen, tree.problems)

    def _take_over(self, domain: str, rows: dict[Key, Any], *, whole: bool) -> None:
        store = self._desk.policy
        new = domain != EVERYWHERE and store.domain(domain) is None
        if not whole:
            if new:
                return
            rows = {key: value for key, value in rows.items() if key[0] in ("recipient", "entry")}
        elif domain != EVERYWHERE:
            self._give_route(domain, rows, new)
        with alone(self._desk) if new else nullcontext():
            if new:
                make_way_for_files(self._desk, domain)
            done = bring(store, domain, rows, self._desk.by, follow=True, remove=whole, host=new)
        self._followed.add(domain)
        if done:
            what = f"{done.added} added, {done.replaced} replaced, {done.removed} removed"
            self._told.append(("info", _name(domain), f"{what}{', new domain' if done.hosted else ''}"))

    def _give_route(self, domain: str, rows: dict[Key, Any], new: bool) -> None:
        """A domain that the tree brought has a route always; one that a person hosts has his."""
        if ROUTE not in rows:
            before = said_by_files(self._desk.policy, domain).get(ROUTE)
            if not new and before is None:
                return
            rows[ROUTE] = [self._route] if self._route else before
        if not with_route(self._desk, rows, self._route):
            raise DeskError("it has no route: say route=[...] in its file `settings`, or files.route")

    def _look_for_gone(self, folders: dict[str, Path]) -> None:
        now = self._clock()
        for domain in sorted(self._followed - folders.keys()):
            if now - self._gone.setdefault(domain, now) < GONE:
                self.unfinished = True
                continue
            self._folders.pop(domain, None)
            self._let_go(domain)
        for domain in self._gone.keys() & folders.keys():
            del self._gone[domain]

    def _let_go(self, domain: str) -> None:
        store, by = self._desk.policy, self._desk.by
        if domain != EVERYWHERE and store.domain(domain) is None:
            self._say(domain, "")  # a person removed it before
        elif DOMAIN not in said_by_files(store, domain):
            if bring(store, domain, {}, by, follow=True, remove=True, host=False):
                self._told.append(("info", _name(domain), "its folder is gone, and what it said"))
        elif self._gone_too(domain):
            self._told.append(("info", domain, "its folder is gone, it is hosted no longer"))
        else:
            self._say(domain, "its folder is gone, but somebody entered things for it: it stays")
            return
        self._followed.discard(domain)

    def _gone_too(self, domain: str) -> bool:
        with alone(self._desk):
            return let_go(self._desk.policy, domain, self._desk.by)

    def _changed_by_others(self) -> set[str]:
        if self._version < 0:
            self._version = self._desk.policy.version()
            return set()
        self._version, names = edited_since(self._desk.policy, self._version, self._desk.by)
        return names

    def _problems(self, domain: str) -> str:
        problems = self._folders[domain].problems if domain in self._folders else []
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        return "; ".join(f"{p.path}: {p.why}" for p in problems[:5]) + more

    def _say(self, domain: str, text: str) -> None:
        """Tell what is wrong when it begins, changes and ends, and not at every look."""
        if text == self._said.get(domain, ""):
            return
        self._said[domain] = text
        self._told.append(("error", _name(domain), text) if text else ("info", _name(domain), "well again"))


def _name(domain: str) -> str:
    return "all domains" if domain == EVERYWHERE else domain or "the tree"
