"""What one domain wants, frozen: the result of defaults, all domains, the domain and a mailbox.

A `DomainPolicy` is built once per snapshot when the domain is first asked for, and never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gatepost.policy.lists import Lists

TRAINING = "training"
"""The check whose addresses are below `train.DOMAIN`."""


class Mode(StrEnum):
    """The switch of a check in a domain."""

    OFF = "off"
    WATCH = "watch"
    """Run and write down, never act."""
    ON = "on"


class Action(StrEnum):
    """What the refusal of a check becomes."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    DEFER = "defer"
    TAG = "tag"


class OnFailure(StrEnum):
    """What happens when a check cannot answer."""

    PASS = "pass"  # noqa: S105 - a policy, not a password
    DEFER = "defer"


@dataclass(frozen=True, slots=True)
class PluginPolicy:
    """One plugin as one domain (or mailbox) wants it."""

    name: str
    mode: Mode
    action: Action
    on_failure: OnFailure
    settings: Any
    """An instance of the plugin's settings model, validated."""
    key: str
    """Equal for equal settings: part of the key under which answers are remembered."""
    lists: Lists
    """Entries that hold for this plugin only (mailbox, domain, all domains)."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """setting -> `default`, `all`, `domain` or `mailbox`."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class DomainPolicy:
    """Everything that the way of a mail needs to know of a domain."""

    domain: str
    version: int
    routes: tuple[str, ...]
    """Route URLs (`smtp://host:port`), as CONTRACT section 5."""
    recipients: str
    """`list`, `callout` or `any`."""
    refuse_at: str
    refuse_unknown_at: str
    on_backend_down: str
    mixed: str
    """`hold` or `split`."""
    keep_days: int
    tag_at: float | None
    quarantine_at: float | None
    reject_at: float | None
    bypass: bool
    subjects: bool
    """Subjects may be written to journal and archive index."""
    plugins: Mapping[str, PluginPolicy]
    lists: Lists
    """General entries (mailbox, domain, all domains)."""
    origin: Mapping[str, str] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """For those who derive something costly from the policy (the pipeline's plan); dies with it."""
    mailboxes: Mapping[str, DomainPolicy] = field(default_factory=dict)
    """localpart (folded) -> policy of a mailbox that overrides something; most domains have none."""
    preset: str = "usual"
    """Where the defaults of modes, actions and points come from (gatepost.policy.presets)."""
    digest: str = "off"
    """`off`, `daily` or `weekly`: how often a mail tells what was kept."""
    poison: str = "quarantine"
    """`quarantine` or `reject`: what becomes of a message that killed our processes twice."""
    digest_to: tuple[str, ...] = ()
    """Mailboxes of the domain that get a digest of all its mail."""
    digest_mailboxes: bool = False
    """This mailbox (in the domain's own policy: each) gets a digest of its own mail."""
    digest_hour: int = 7
    digest_language: str = "en"
    digest_zone: str = "UTC"
    why_page: bool = False
    """Refused senders are told the address of a page that says why."""
    owned_since: float = 0.0
    """As in `policy.source.DomainRows`."""
    ordinary: DomainPolicy | None = None
    """Of the policy of training addresses (`for_training`): the domain's own."""

    @property
    def trains(self) -> bool:
        """Whether this is the policy of the domain's training addresses."""
        return self.ordinary is not None

    def for_mailbox(self, localpart: str) -> DomainPolicy:
        """Return the policy of a mailbox (localpart folded to lower case): usually the domain's own."""
        return self.mailboxes.get(localpart, self) if self.mailboxes else self

    def for_training(self) -> DomainPolicy | None:
        """Return the policy of `train.DOMAIN`, None where the domain has that switched off.

        Only the check `training` is asked, nothing leads past it, and what it cannot answer is deferred:
        such mail is never scored, greylisted or let through to the domain's own server.
        """
        known: DomainPolicy | None = self.cache.get(TRAINING)
        if known is not None:
            return known
        check = self.plugins.get(TRAINING)
        if check is None or check.mode is Mode.OFF:
            return None
        alone = replace(
            check, mode=Mode.ON, action=Action.REJECT, on_failure=OnFailure.DEFER, lists=Lists.EMPTY
        )
        known = self.cache[TRAINING] = replace(
            self,
            refuse_at="rcpt",
            refuse_unknown_at="rcpt",
            on_backend_down="defer",
            bypass=False,
            plugins={TRAINING: alone},
            lists=Lists.EMPTY,
            mailboxes={},
            cache={},
            ordinary=self,
        )
        return known
