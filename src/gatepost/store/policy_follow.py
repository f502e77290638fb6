"""Following the policy: each process looks twice a second and takes the next snapshot.

And what happens when the database is damaged or locked: what is in memory goes on, what is not
comes from `policy.last-good.db` (a checked copy that one process makes after each change), and
where that is missing too it is "not readable", never "no such domain". `trouble` says so in words
for log and health page.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from gatepost.policy.settings import PluginDefaults
from gatepost.policy.snapshot import Snapshot
from gatepost.policy.source import DomainRows, Everywhere, RecipientRow
from gatepost.store.base import StoreDamaged, StoreError, StoreLocked
from gatepost.store.policy_db import FILE, PolicyStore
from gatepost.store.policy_rows import PolicyReader
from gatepost.store.policy_write import LAST_GOOD, is_there
from gatepost.store.sqlite import READ_WAIT, open_read_only

CACHE_KIB = 32_768
"""Pages in memory at most; only what is asked for. Enough for a million recipients; no mmap: a file that
someone cuts short would kill the process."""
T = TypeVar("T")


class Degraded(StoreError):
    """The last good copy does not know the domain, which may have come after it."""


class PolicyFollower:
    """The policy as a process on the way of mail reads it (`policy.source.PolicySource`).

    Make it after the fork. All methods may raise StoreError, which a snapshot turns into a 4xx.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.trouble = ""
        """Why the last good copy is in use, "" when the database is well."""
        self._last_good = folder / LAST_GOOD
        self._main: PolicyReader | None = None
        self._copy: PolicyReader | None = None
        self._token = -1
        self._open()

    def close(self) -> None:
        """Close what is open."""
        for reader in (self._main, self._copy):
            if reader is not None:
                reader.close()
        self._main = self._copy = None

    def snapshot(self, defaults: Mapping[str, PluginDefaults]) -> Snapshot:
        """Return the policy as it is now; PolicyUnavailable if it cannot be read at all."""
        try:
            if self._main is not None:
                self._main.release()
                self._token = self._main.follow_token()
            version = self._ask(PolicyReader.version)
        except StoreError:
            version = -1
        return Snapshot(version, self, defaults)

    def next(self, snapshot: Snapshot, defaults: Mapping[str, PluginDefaults]) -> Snapshot:
        """Return the snapshot to use from now on: the same one while nothing changed. Never raises.

        Call it twice a second; it costs a few microseconds when nothing changed. While the database
        cannot be read the same snapshot goes on, and the database is tried again each time.
        """
        try:
            if self._main is None or self.trouble:
                return self._back(snapshot, defaults)
            self._main.release()
            token = self._main.follow_token()
            if token == self._token:
                return snapshot
            version, domains = self._main.changed_domains(snapshot.version)
            self._token = token
            if version == snapshot.version:
                return snapshot
            return snapshot.with_changes(version, domains)
        except StoreError as error:
            self._failed(error)
        except Exception as error:
            # The new snapshot could not be made: the old one goes on, whole.
            self.trouble = f"the policy cannot be followed: {error}"
        return snapshot

    # -- policy.source.PolicySource -----------------------------------------------------------

    def domain(self, name: str) -> DomainRows | None:
        """Return a domain's rows; Degraded where only the last good copy says that there is none."""
        rows = self._ask(PolicyReader.domain, name)
        if rows is None and self.trouble:
            raise Degraded(f"{name} is not in the last good copy of the policy; {self.trouble}")
        return rows

    def everywhere(self) -> Everywhere:
        """Return what is set for all domains."""
        return self._ask(PolicyReader.everywhere)

    def recipient(self, domain: str, local: str) -> RecipientRow | None:
        """Return what is known of a folded local part."""
        main = self._main
        if main is not None and not self.trouble:
            try:
                main.hold()  # reads until the next look then take no lock each
                return main.recipient(domain, local)
            except StoreError as error:
                self._failed(error)
        return self._ask(PolicyReader.recipient, domain, local)

    def recipients_up_to(self, domain: str, limit: int) -> list[RecipientRow] | None:
        """Return all recipients of a domain, None if there are more than `limit`."""
        return self._ask(PolicyReader.recipients_up_to, domain, limit)

    def first_domain(self) -> str | None:
        """Return the first hosted domain by name."""
        return self._ask(PolicyReader.first_domain)

    # -- which database -------------------------------------------------------------------------

    def _ask(self, question: Callable[..., T], *values: object) -> T:
        """Ask the database, or the last good copy when the database cannot answer."""
        if self._main is not None and not self.trouble:
            try:
                self._main.hold()
                return question(self._main, *values)
            except StoreError as error:
                self._failed(error)
        if self._copy is None:
            self._open_copy()
        if self._copy is None:
            raise StoreError(f"{self.trouble}; there is no last good copy of it")
        try:
            return question(self._copy, *values)
        except StoreError as error:
            raise StoreError(f"{self.trouble}; nor can its last good copy be read: {error}") from error

    def _open(self) -> None:
        if not is_there(self.path):
            # A reader does not make one: an empty policy would hide the loss of the real one.
            self._failed(StoreError(f"{self.path} does not exist, or is empty"))
            return
        try:
            self._main = PolicyStore(self.path, wait=READ_WAIT)
            self._main.db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._main.version()
        except StoreError as error:
            self._failed(error)
        else:
            self.trouble = ""

    def _failed(self, error: StoreError) -> None:
        self.trouble = str(error)

    def _open_copy(self) -> None:
        try:
            self._copy = PolicyReader(self._last_good, open_read_only(self._last_good, "policy"))
        except (StoreError, sqlite3.Error):
            self._copy = None

    def _back(self, snapshot: Snapshot, defaults: Mapping[str, PluginDefaults]) -> Snapshot:
        """Try the database again; when it is well, take a wholly new snapshot."""
        if self._main is not None:
            self._main.close()
            self._main = None
        self._open()
        if self.trouble:
            return snapshot
        later = self.snapshot(defaults)
        if self._copy is not None:
            self._copy.close()
            self._copy = None
        return later


def keep_last_good(folder: Path) -> bool:
    """Make the last good copy anew from a sound policy; return whether that was done.

    For one process, after each change. A damaged, locked or empty policy leaves the old copy in
    place: who follows it says so. Raises StoreFull where the copy cannot be written.
    """
    path = folder / FILE
    if not path.exists():
        return False
    try:
        store = PolicyStore(path)
        try:
            if store.first_domain() is None:
                return False
            store.copy_to(folder / LAST_GOOD)
        finally:
            store.close()
    except (StoreDamaged, StoreLocked):
        return False
    return True
