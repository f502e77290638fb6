"""Keeps the snapshot in force, and says once what is wrong with it.

A policy that cannot be read leaves the snapshot in force as it is; after a restart with a damaged
database the last good copy answers (CONTRACT 4).
"""

from __future__ import annotations

from pathlib import Path

from gatepost.plugin.registry import Registry
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.server.gateway import Live
from gatepost.store.policy_follow import PolicyFollower
from gatepost.telemetry.log import Log


class Follower:
    """The policy of one process."""

    def __init__(self, data: Path, registry: Registry, log: Log) -> None:
        self._log = log
        self._store = PolicyFollower(data)
        self._defaults = registry.defaults()
        self._trouble = ""
        self._faults = 0
        self.live = Live(self._store.snapshot(self._defaults))
        self._tell()

    def look(self) -> bool:
        """Bring the snapshot up to date; true when there is a new one."""
        before = self.live.snapshot
        later = self._store.next(before, self._defaults)
        self.live.snapshot = later
        self._tell()
        return later is not before

    def hosts(self, domain: str) -> bool:
        """Say whether a domain is hosted; false too where nobody knows."""
        try:
            return self.live.snapshot.policy_for(domain) is not None
        except PolicyUnavailable:
            return False

    def new_registry(self, registry: Registry) -> None:
        """The plugins were loaded anew: their settings are read anew."""
        self._defaults = registry.defaults()
        try:
            self.live.snapshot = self._store.snapshot(self._defaults)
        except PolicyUnavailable as error:
            self._log.event("policy_unreadable", "error", why=str(error))
        self._tell()

    def _tell(self) -> None:
        """Say what changed for the worse or the better; not five times a second."""
        trouble = self._store.trouble
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                effect = "the last good policy stays in force"
                self._log.event("policy_unreadable", "error", why=trouble, effect=effect)
            else:
                self._log.event("policy_readable", "info")
        faults = self.live.snapshot.faults
        if len(faults) != self._faults:
            self._faults = len(faults)
            for fault in faults[-5:]:
                self._log.event("setting_ignored", "error", why=str(fault))
