"""Where people's requests are done: what one request needs of the house, opened when first used.

The command line and the console make a `Desk` out of values (a room cannot see the configuration)
and hand it to the functions of this room. It works on the stores directly, so it does not matter
whether the server runs: a running one follows within a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatepost.plugin.commands import Commands
    from gatepost.plugin.registry import Registry
    from gatepost.plugin.tools import BoundRecords, BoundState
    from gatepost.policy.commands import Command
    from gatepost.relay.routes import Network
    from gatepost.spool.archive import Archive
    from gatepost.spool.queue import Queue
    from gatepost.store.accounts_db import AccountsStore
    from gatepost.store.delivered import Delivered
    from gatepost.store.errands import Errands
    from gatepost.store.journal_db import JournalStore
    from gatepost.store.models import Models
    from gatepost.store.passkeys_db import PasskeysStore
    from gatepost.store.policy_db import PolicyStore
    from gatepost.store.records_db import RecordsStore
    from gatepost.store.reviews_db import ReviewsStore
    from gatepost.store.state_db import StateStore
    from gatepost.store.tokens_db import TokensStore

ARCHIVE, QUEUE, JOURNAL = "archive", "spool", "journal"
"""Folders below data_dir."""


class Desk:
    """The stores of one installation and who asks."""

    def __init__(
        self,
        data_dir: Path,
        by: str,
        *,
        plugin_folder: Path | None = None,
        archive_bytes: int = 20 << 30,
        archive_min_free: int = 0,
        archive_domain_bytes: int = 0,
        doors: Sequence[tuple[str, int]] = (),
        dns_servers: Sequence[str] = (),
        dns_timeout: float = 5.0,
        hostname: str = "localhost",
        public_url: str = "",
        relay_allow: Sequence[Network] = (),
        commands: Mapping[str, Command] = MappingProxyType({}),
        scanners: Mapping[str, str] = MappingProxyType({}),
        admin: bool = True,
        registry: Registry | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.data_dir = data_dir
        self.by = by
        """Who changes what is changed, for the list of changes."""
        self.plugin_folder = plugin_folder
        self.archive_bytes = archive_bytes
        self.archive_min_free = archive_min_free
        self.archive_domain_bytes = archive_domain_bytes
        self.doors = tuple(doors)
        """Our own SMTP addresses: no route may lead there."""
        self.dns_servers = tuple(dns_servers)
        self.dns_timeout = dns_timeout
        self.hostname = hostname
        self.public_url = public_url.rstrip("/")
        """The console as people reach it, for links; "" where nobody said."""
        self.relay_allow = tuple(relay_allow)
        """Private networks that an owner's route may lead to ([relay] allow)."""
        self._commands = commands
        self.scanners = scanners
        """`clamav`, `spamassassin`, `rspamd` -> where it is, as gatepost.toml says."""
        self.admin = admin
        """Who asks may do what only administrators may (at the command line: everybody who reaches it)."""
        self.clock = clock
        self._open = ExitStack()
        self._registry = registry

    @cached_property
    def policy(self) -> PolicyStore:
        """Domains, recipients, settings, lists, changes."""
        from gatepost.store.policy_db import PolicyStore

        store = PolicyStore(self.data_dir / "policy.db", clock=self.clock)
        self._open.callback(store.close)
        return store

    @cached_property
    def journal(self) -> JournalStore:
        """What became of each mail."""
        from gatepost.store.journal_db import JournalStore

        store = JournalStore(self.data_dir / "journal.db")
        self._open.callback(store.close)
        return store

    @cached_property
    def accounts(self) -> AccountsStore:
        """People who may sign in, and their sessions."""
        from gatepost.store.accounts_db import AccountsStore

        store = AccountsStore(self.data_dir / "accounts.db")
        self._open.callback(store.close)
        return store

    @cached_property
    def records(self) -> RecordsStore:
        """What checks and people's deeds leave behind."""
        from gatepost.store.records_db import RecordsStore

        store = RecordsStore(self.data_dir / "records.db", clock=self.clock)
        self._open.callback(store.close)
        return store

    @cached_property
    def tokens(self) -> TokensStore:
        """Tokens of programs."""
        from gatepost.store.accounts_db import FILE
        from gatepost.store.tokens_db import TokensStore

        store = TokensStore(self.data_dir / FILE)
        self._open.callback(store.close)
        return store

    @cached_property
    def passkeys(self) -> PasskeysStore:
        """Keys in people's devices."""
        from gatepost.store.accounts_db import FILE
        from gatepost.store.passkeys_db import PasskeysStore

        store = PasskeysStore(self.data_dir / FILE)
        self._open.callback(store.close)
        return store

    @cached_property
    def reviews(self) -> ReviewsStore:
        """What refused senders asked for."""
        from gatepost.store.records_db import FILE
        from gatepost.store.reviews_db import ReviewsStore

        store = ReviewsStore(self.data_dir / FILE)
        self._open.callback(store.close)
        return store

    @cached_property
    def state(self) -> StateStore:
        """What checks count and may lose. A change is in force in the workers within half a second."""
        from gatepost.store.state_db import StateStore

        store = StateStore(self.data_dir / "state.db", clock=self.clock)
        self._open.callback(store.close)
        return store

    def state_of(self, plugin: str, domain: str) -> BoundState:
        """Return what one check counts for one domain, as the check itself sees it."""
        from gatepost.plugin.tools import BoundState

        return BoundState.of(self.state, plugin, domain)

    def records_of(self, plugin: str, domain: str) -> BoundRecords:
        """Return what one check keeps for one domain, as the check itself sees it."""
        from gatepost.plugin.tools import BoundRecords

        return BoundRecords(self.records, domain, plugin)

    @cached_property
    def archive(self) -> Archive:
        """Kept mail."""
        from gatepost.spool.archive import Archive

        return Archive(
            self.data_dir / ARCHIVE,
            self.archive_bytes,
            self.archive_min_free,
            self.clock,
            domain_bytes=self.archive_domain_bytes,
        )

    @cached_property
    def queue(self) -> Queue:
        """Mail that waits to be handed on."""
        from gatepost.spool.queue import Queue

        return Queue(self.data_dir / QUEUE, clock=self.clock)

    @cached_property
    def delivered(self) -> Delivered:
        """Features of delivered mail."""
        from gatepost.store.delivered import Delivered

        return Delivered(self.data_dir / "learn", clock=self.clock)

    @cached_property
    def errands(self) -> Errands:
        """What other filters are still to be taught."""
        from gatepost.store.errands import Errands

        return Errands(self.data_dir / "learn", self.clock)

    @cached_property
    def models_in(self) -> Callable[[], Models]:
        """Opens what people taught; ImportError without numpy."""
        from gatepost.plugin.learning import models_in

        return models_in(self.data_dir)

    @property
    def models(self) -> Models:
        """What people taught; a DeskError that names the extra where numpy is missing."""
        try:
            return self.models_in()
        except ImportError as error:
            from gatepost.desk.errors import DeskError
            from gatepost.plugin.learning import MISSING

            raise DeskError(MISSING) from error

    @cached_property
    def commands(self) -> Commands:
        """Filters that run as commands."""
        from gatepost.plugin.commands import Commands

        return Commands(self._commands, self.data_dir)

    @cached_property
    def registry(self) -> Registry:
        """The checks."""
        if self._registry is not None:
            return self._registry
        from gatepost.plugin.registry import load

        return load(self.plugin_folder)

    def close(self) -> None:
        """Close what was opened."""
        self._open.close()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
