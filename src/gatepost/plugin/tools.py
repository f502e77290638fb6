"""What `app` hands to the plugins, and how it is bound to one plugin and one domain.

Protocols, so that this room needs neither the store nor the relay: tests hand in fakes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from gatepost.dns.lookups import Hosts
from gatepost.dns.names import DnsError
from gatepost.mail.address import Address
from gatepost.policy.policy import DomainPolicy


class PluginMistake(Exception):
    """A plugin asked for something that its scope or its hook does not have: the plugin's fault."""


class CannotAnswer(Exception):
    """A plugin says that it cannot answer now: `on_failure` is followed, journalled and counted."""


class ToolMissing(Exception):
    """The house was built without this tool (as `gatepost plugin try` without a network)."""


class WorkerError(Exception):
    """Work for a killable process was not done: it raised, died, took too long or gave something odd."""


class WorkerBusy(WorkerError):
    """No process was free for most of the time: nothing is known against the work."""


class Killed(WorkerError):
    """The process died over its work or had to be killed: by its time, its memory, or a crash."""

    def __init__(self, why: str, *, late: bool = False) -> None:
        super().__init__(why)
        self.late = late
        """It took too long."""


class RecipientRow(Protocol):
    """What the store knows of a recipient."""

    @property
    def local(self) -> str:
        """The folded local part; `*` where the wildcard answered."""

    @property
    def kind(self) -> str:
        """`valid` or `invalid`."""

    @property
    def acl(self) -> Any:
        """Networks from which alone the recipient takes mail, or None."""


class Dns(Protocol):
    """The resolver (gatepost.dns.resolver.Resolver), or a zone in tests (gatepost.dns.zone.Zone)."""

    async def look(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the records of one type as text."""

    async def look_all(self, names: Sequence[str], kind: str) -> list[tuple[str, ...] | DnsError]:
        """Ask for many names at once; errors stand in the list."""

    def peek(self, name: str, kind: str) -> tuple[str, ...] | DnsError | None:
        """Return what is known without asking anybody; None: nothing is."""

    async def a(self, name: str) -> list[str]:
        """Return IPv4 addresses."""

    async def aaaa(self, name: str) -> list[str]:
        """Return IPv6 addresses."""

    async def mx(self, name: str) -> list[tuple[int, str]]:
        """Return (preference, host), best first."""

    async def a_all(self, names: Sequence[str]) -> list[list[str] | DnsError]:
        """Return IPv4 addresses of many names, all asked at once; errors stand in the list."""

    async def txt(self, name: str) -> list[str]:
        """Return texts, each joined from its strings."""

    async def ptr(self, ip: str) -> list[str]:
        """Return the names of an address."""

    async def hosts(self, ip: str) -> Hosts:
        """Return all PTR names, each with whether it resolves back."""

    async def confirmed_host(self, ip: str) -> tuple[str | None, bool]:
        """Return the PTR name and whether it resolves back."""


def _nothing(_index: int, _hand: int = 0) -> None:
    """Stand in for the board of a worker."""


def _no_alert(_plugin: str, _text: str) -> None:
    """Stand in for the log."""


@dataclass(slots=True)
class Tools:
    """What `app` hands in. What is None raises ToolMissing when a plugin asks for it."""

    state: Any = None
    """gatepost.store.base.State."""
    records: Any = None
    """gatepost.store.base.Records."""
    dns: Any = None
    verify_recipient: Callable[[DomainPolicy, Address, str], Awaitable[str]] | None = None
    """(policy, address, client) -> `yes`, `no` or `unknown`: a callout to the domain's own server."""
    recipient_row: Callable[[str, str], RecipientRow | None] | None = None
    """(domain, folded local part) -> row, asked only when nobody handed the row in."""
    stream: Callable[[str], AbstractAsyncContextManager[Any]] | None = None
    """gatepost.plugin.outside.stream."""
    http: Callable[..., Awaitable[Any]] | None = None
    """gatepost.plugin.outside.http."""
    in_worker: Callable[..., Awaitable[Any]] | None = None
    """gatepost.plugin.worker.Workers.run."""
    models: Callable[[], Any] | None = None
    """Gives gatepost.store.models.Models; ImportError where numpy is missing."""
    scanners: Mapping[str, str] = field(default_factory=dict)
    """`clamav`, `spamassassin`, `rspamd` -> where it is, as gatepost.toml says."""
    commands: Any = None
    """gatepost.plugin.commands.Commands."""
    teacher: Any = None
    """gatepost.plugin.training.Teacher."""
    alert: Callable[[str, str], None] = _no_alert
    """(plugin, text): something that a person should know; into the log and the counts."""
    hostname: str = ""
    """Our own name, lower case."""
    running: Callable[..., None] = _nothing
    """Writes the index of the plugin that runs (0: none) and its message's slot where the parent sees it."""
    deaths: Any = None
    """gatepost.store.deaths.Deaths: messages that killed a process of ours."""
    hands: Any = None
    """gatepost.server.hands.Hands: the messages that are read now, where the parent process sees them."""


class BoundState:
    """The house's state under one plugin's name and domain."""

    __slots__ = ("_place", "state")

    def __init__(self, state: Any, place: str) -> None:
        self.state = state
        self._place = place

    @classmethod
    def of(cls, state: Any, plugin: str, owner: str) -> BoundState:
        """Return the state of a plugin for one domain, or for the whole machine (`*`)."""
        return cls(state, f"{plugin}\x1f{owner}\x1f")

    def get(self, key: str) -> Awaitable[bytes | None]:
        """Return a value."""
        return self.state.get(self._place + key)  # type: ignore[no-any-return]

    def put(self, key: str, value: bytes, expires: float) -> Awaitable[None]:
        """Keep a value for so many seconds."""
        return self.state.put(self._place + key, value, expires)  # type: ignore[no-any-return]

    def add(self, key: str, n: int, window: float) -> Awaitable[int]:
        """Count, and return the count within so many seconds."""
        return self.state.add(self._place + key, n, window)  # type: ignore[no-any-return]

    def delete(self, key: str) -> Awaitable[None]:
        """Forget a value."""
        return self.state.delete(self._place + key)  # type: ignore[no-any-return]


class BoundRecords:
    """The house's records under one plugin's name and domain."""

    __slots__ = ("_domain", "_plugin", "_records")

    def __init__(self, records: Any, domain: str, plugin: str) -> None:
        self._records = records
        self._domain = domain
        self._plugin = plugin

    def get(self, key: str) -> Awaitable[Any]:
        """Return a record."""
        return self._records.get(self._domain, self._plugin, key)  # type: ignore[no-any-return]

    def put(self, key: str, value: Any) -> Awaitable[None]:
        """Keep a record until it is deleted."""
        return self._records.put(self._domain, self._plugin, key, value)  # type: ignore[no-any-return]

    def delete(self, key: str) -> Awaitable[None]:
        """Delete a record."""
        return self._records.delete(self._domain, self._plugin, key)  # type: ignore[no-any-return]

    def count(self, key: str) -> Awaitable[int]:
        """Return how many counts of `ctx.reserve` are used."""
        return self._records.count(self._domain, self._plugin, key)  # type: ignore[no-any-return]

    def list(self, prefix: str = "") -> Awaitable[Any]:
        """List records whose key begins so."""
        return self._records.list(self._domain, self._plugin, prefix)  # type: ignore[no-any-return]
