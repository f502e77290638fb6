"""The keeper's eye on a tree of files: what says that something changed, and when to look.

The kernel tells of changes (inotify, through `watchfiles`), so a touch is in force within a second
however large the tree is; every few seconds everything is looked at all the same, since a network
file system tells nobody, a queue may overflow, and a tree may be mounted anew. Where nothing tells,
each look is at everything. Looking blocks, so it has a thread of its own, with its own database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from gatepost.app.tools import doors_of
from gatepost.desk.desk import Desk
from gatepost.desk.srv_follow import Told, TreeFollower
from gatepost.desk.srv_read import GLOBAL
from gatepost.telemetry.log import Log

if TYPE_CHECKING:
    from gatepost.config import Config
    from gatepost.plugin.registry import Registry

BY = "files under {}"
PACE = 0.2
"""Seconds between two looks, at least."""
SHARE = 4
"""A look that took a second is followed by so many without one."""
EVERYTHING = 5.0
"""Seconds after which all is looked at, though nothing told of a change."""
BEAT = 1.0
"""Seconds after which whoever watches says so, though nothing changed."""
AGAIN = 10.0
"""Seconds until it is tried again to be told."""


class FollowedTree:
    """One tree, followed until cancelled."""

    def __init__(self, config: Config, registry: Registry, log: Log) -> None:
        assert config.files.srv is not None
        self._top: Path = config.files.srv
        self._config = config
        self._registry = registry
        self._log = log
        self._dirty: set[str] = set()
        self._told = asyncio.Event()
        self._watching = False
        self._follower: TreeFollower | None = None

    async def run(self) -> None:
        """Look again and again."""
        loop = asyncio.get_running_loop()
        watch = loop.create_task(self._watch())
        with ThreadPoolExecutor(1, "files") as thread:
            try:
                last = 0.0
                while True:
                    started = time.monotonic()
                    everything = not self._watching or started - last >= EVERYTHING
                    if everything:
                        last = started
                    dirty, self._dirty = self._dirty, set()
                    self._told.clear()
                    try:
                        told = await loop.run_in_executor(thread, self._look, None if everything else dirty)
                    except Exception as error:  # a fault of ours, or a database that is gone: look again
                        told = [("error", "the tree", f"the look failed: {error!r}")]
                        self._dirty |= dirty
                    for level, where, what in told:
                        self._log.event("files", level, where=where, what=what, tree=str(self._top))
                    took = time.monotonic() - started
                    await asyncio.sleep(max(PACE, SHARE * took))
                    await self._until_told()
            finally:
                watch.cancel()

    async def _until_told(self) -> None:
        """Wait for a change, but not long where something waits to be quiet or nobody tells."""
        if not self._watching or (self._follower is not None and self._follower.unfinished):
            return
        try:
            await asyncio.wait_for(self._told.wait(), EVERYTHING)
        except TimeoutError:
            return

    def _look(self, dirty: set[str] | None) -> list[Told]:
        if self._follower is None:
            files = self._config.files
            by = BY.format(self._top)
            desk = Desk(self._config.data_dir, by, doors=doors_of(self._config))
            self._follower = TreeFollower(
                desk,
                self._top,
                self._registry.defaults(),
                route=files.route,
                blacklist_d=files.blacklist_d,
            )
        return self._follower.look(dirty)

    async def _watch(self) -> None:
        """Note which folders changed; give up and begin anew when the tree is another one."""
        from watchfiles import awatch

        while True:
            shared = self._config.files.blacklist_d
            places = [self._top] + ([shared] if shared is not None and shared.is_dir() else [])
            try:
                identity = _identity(self._top)
                changes = awatch(
                    *places,
                    watch_filter=None,
                    debounce=100,
                    step=20,
                    rust_timeout=int(1000 * BEAT),
                    yield_on_timeout=True,
                    ignore_permission_denied=True,
                )
                async for some in changes:
                    # Not before: what changes while the watches are set up is found by looking.
                    self._watching = True
                    self._note(path for _, path in some)
                    if _identity(self._top) != identity:
                        break
            except (OSError, RuntimeError) as error:
                self._watching = False
                self._log.event("files", "debug", where="the tree", what=f"nobody tells of changes: {error}")
                await asyncio.sleep(AGAIN)
            self._watching = False

    def _note(self, paths: Iterable[str]) -> None:
        top = self._top.resolve()
        for path in paths:
            place = Path(path)
            inside = place.relative_to(top).parts if place.is_relative_to(top) else (GLOBAL,)
            self._dirty.add(inside[0] if inside else GLOBAL)
            self._told.set()


def _identity(place: Path) -> tuple[int, int]:
    found = place.stat()
    return found.st_dev, found.st_ino
