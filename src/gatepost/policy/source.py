"""What a snapshot asks of those who keep the policy: rows, and the promise of who gives them.

The store implements `PolicySource`; tests hand in a dictionary. Rows are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gatepost.policy.lists import Entry

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """What is known of a local part. `local` is `*` where the wildcard answered."""

    local: str
    kind: str = "valid"
    """`valid` or `invalid`; invalid beats valid and the wildcard."""
    acl: tuple[str, ...] | None = None
    """Addresses and networks from which alone the recipient takes mail, or None."""


@dataclass(frozen=True, slots=True)
class Everywhere:
    """What is set for all domains."""

    values: Values = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainRows:
    """What is set for one domain and its mailboxes."""

    name: str
    values: Values = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    mailboxes: Mapping[str, Values] = field(default_factory=dict)
    """folded local part -> its own values."""
    mailbox_entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    owned_since: float = 0.0
    """When what a former domain of its name left was deleted; 0: it is the first. Tells it from that one."""


class PolicySource(Protocol):
    """Who keeps the policy. Any exception of these means: not readable now."""

    def domain(self, name: str) -> DomainRows | None:
        """Return a domain's rows, None if it is not hosted here."""

    def everywhere(self) -> Everywhere:
        """Return what is set for all domains."""

    def recipient(self, domain: str, local: str) -> RecipientRow | None:
        """Return what is known of a folded local part, the wildcard included."""

    def recipients_up_to(self, domain: str, limit: int) -> list[RecipientRow] | None:
        """Return all recipients of a domain, None if there are more than `limit`."""

    def first_domain(self) -> str | None:
        """Return the first hosted domain by name, None if there is none."""
