"""What every store promises, as protocols; the rows that it gives; its own errors.

SQLite keeps the promises on one machine (`policy_db`, `journal_db`, `records_db`, `state_db`) and
`memory` does in tests; another store for many machines keeps the same ones, shown by one suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gatepost.policy.source import RecipientRow

__all__ = [
    "Change",
    "Conflict",
    "NotFound",
    "OutcomeRow",
    "RecipientRow",
    "Records",
    "Refused",
    "Reservation",
    "SessionRow",
    "State",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreLocked",
]


class StoreError(Exception):
    """A store cannot do what it was asked; the text says why, for the people of the machine."""


class StoreDamaged(StoreError):
    """The file is not a database, or one that is broken."""


class StoreLocked(StoreError):
    """Another process holds the database longer than we wait."""


class StoreFull(StoreError):
    """The disk is full or refuses to be written."""


class Refused(StoreError):
    """What is there does not allow it (it is locked, it was too large to be written down)."""


class NotFound(StoreError):
    """There is no such domain, entry or change."""


class Conflict(StoreError):
    """Someone else was faster: what is there now is not what the caller saw."""

    def __init__(
        self, scope: str, by: str, time: float, present: Mapping[str, Any], reason: str = ""
    ) -> None:
        self.scope = scope
        self.by = by
        """Who changed it."""
        self.time = time
        self.present = dict(present)
        """What is there now."""
        super().__init__(reason or f"{scope} was changed meanwhile by {by or 'someone'}")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the list of changes: who, when, from, to."""

    id: int
    version: int
    """Of the policy, with this change."""
    time: float
    by: str
    scope: str
    """`all`, `domain:example.org` or `mailbox:ann@example.org`."""
    what: str
    """`settings`, `domain`, `recipients`, `entry` or `load`."""
    before: Any
    """Keys (or rows) as they were; None: was not there."""
    after: Any
    undoes: int | None = None
    """The change that this one rolled back."""
    complete: bool = True
    """False: too large to be written down whole, so it cannot be rolled back."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in the journal."""

    id: str
    time: float
    client: str
    host: str
    helo: str
    tls: str
    outcome: str
    """How it ended: `quit`, `timeout`, ..."""
    transactions: int
    errors: int
    seconds: float
    steps: Any
    """What was noticed about the session as a whole (decoded JSON)."""


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of one recipient's copy."""

    seq: int
    """Order of arrival in the journal: the cursor for paging and following."""
    id: str
    """The transaction's: `SESSION.1`."""
    time: float
    domain: str
    recipient: str
    sender: str
    """"" is the null sender."""
    client: str
    fate: str
    """`accepted`, `rejected`, `deferred`, `quarantined`, `queued`, `taken`, `abandoned`."""
    plugin: str
    reason: str
    code: int
    score: float
    size: int
    subject: str
    archive_ref: str
    """Where the kept copy is, "" if none."""
    trace: Any
    """Every check, its result, its time (decoded JSON)."""
    seconds: float
    folded_into: str = ""
    """The id of the like refusal that has the trace (CONTRACT 8: a storm's traces are folded)."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is written down about one id."""

    session: SessionRow | None
    outcomes: list[OutcomeRow] = field(default_factory=list)


class State(Protocol):
    """Memory that may be lost: greylist, rates, reputation. No method ever suspends."""

    async def get(self, key: str) -> bytes | None:
        """Return a value that has not expired."""

    async def put(self, key: str, value: bytes, expires: float) -> None:
        """Keep a value for so many seconds."""

    async def add(self, key: str, n: int, window: float) -> int:
        """Count `n` more and return the count of about the last `window` seconds."""

    async def delete(self, key: str) -> None:
        """Forget a value."""

    async def sums(self, prefix: str) -> dict[str, int]:
        """Return the counts whose key begins so, each over all that is kept of it."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """One count that is held until the mail's fate is known."""

    id: int
    domain: str
    plugin: str
    key: str


class Records(Protocol):
    """Durable memory of checks, per domain, listable, in the backup. Values are what JSON has."""

    async def get(self, domain: str, plugin: str, key: str) -> Any:
        """Return a record, None if there is none."""

    async def put(self, domain: str, plugin: str, key: str, value: Any) -> None:
        """Keep a record; on return it is on disk."""

    async def delete(self, domain: str, plugin: str, key: str) -> None:
        """Delete a record."""

    async def list(
        self, domain: str, plugin: str, prefix: str = "", limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """Return (key, value) of records whose key begins so, by key."""

    async def reserve(
        self, domain: str, plugin: str, key: str, limit: int, lease: float
    ) -> Reservation | None:
        """Hold one of `limit` counts for `lease` seconds; None: all are used or held."""

    async def settle(self, reservation: Reservation, used: bool, record: Any = None) -> None:
        """The fate is known: the count is used for good, or given back. `record` is kept with one used."""

    async def count(self, domain: str, plugin: str, key: str) -> int:
        """Return how many counts are used."""
