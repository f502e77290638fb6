"""The policy at one version, asked at RCPT: a domain's policy is built when first asked for.

A snapshot never changes. `with_changes` makes the next one, which shares what did not change; a
transaction keeps the one it began with. 100,000 domains built eagerly would be 168 MB and two
seconds of standing still, so only the domains that get mail are in memory, within a bound.

Nothing here may make "I cannot read the policy" look like "no such domain": that is
`PolicyUnavailable` and becomes a 4xx (CONTRACT 4).
"""

from __future__ import annotations

from collections.abc import Mapping

from gatepost.policy.policy import DomainPolicy
from gatepost.policy.resolve import Fault, PluginDefaults, Resolver
from gatepost.policy.source import PolicySource, RecipientRow

CAP = 5_000
"""Domains in memory."""
SMALL_LIST = 20_000
"""Recipient lists up to here are kept in memory with their domain; longer ones are asked of the source."""
ALL_LISTS = 200_000
"""Local parts in memory of all domains together (some 150 bytes each)."""
MAX_FAULTS = 100
RECIPIENTS = "policy.recipients"
"""Key in `DomainPolicy.cache`: local part -> row, or how often it was asked for, or `TOO_LONG`."""
TOO_LONG = -1
LOAD_AT = 4
"""A list is taken into memory when its domain is asked so often: most domains get one mail a day."""


class PolicyUnavailable(Exception):
    """The policy cannot be read now; what was read before is still in force."""


class Snapshot:
    """The policy at one version. `policy_for` is on the way of every mail."""

    __slots__ = (
        "_cap",
        "_defaults",
        "_held",
        "_nobody",
        "_old",
        "_resolver",
        "_source",
        "_young",
        "everywhere",
        "faults",
        "version",
    )

    def __init__(
        self,
        version: int,
        source: PolicySource,
        defaults: Mapping[str, PluginDefaults],
        cap: int = CAP,
    ) -> None:
        self.version = version
        self._source = source
        self._defaults = defaults
        self._cap = cap
        # Two generations: what is asked for moves into the young one, what is not is forgotten
        # with the old one. As good as a list by last use, and a hit costs one look-up.
        self._young: dict[str, DomainPolicy] = {}
        self._old: dict[str, DomainPolicy] = {}
        self._nobody: set[str] = set()
        """Names that are not hosted here, kept apart so that strangers cannot push domains out."""
        self._held = 0
        """Local parts in memory, about."""
        try:
            self._resolver = Resolver(source.everywhere(), defaults)
        except Exception as error:
            raise PolicyUnavailable(str(error) or type(error).__name__) from error
        self.faults: list[Fault] = []
        """Values that could not be and were left out (health page, log); the newest last."""
        self.everywhere: DomainPolicy = self._resolver.everywhere(version)
        """What is set for all domains: for checks that act for the whole machine."""
        self.faults.extend(self._resolver.faults[:MAX_FAULTS])

    def policy_for(self, domain: str) -> DomainPolicy | None:
        """Return the policy of a domain (lower case, A-labels), None if it is not hosted here."""
        policy = self._young.get(domain)
        if policy is not None:
            return policy
        return self._seldom(domain)

    def recipient(self, domain: str, local: str) -> RecipientRow | None:
        """Return what is known of a folded local part: invalid, then itself, then `*`; None: nothing."""
        policy = self._young.get(domain) or self._seldom(domain)
        if policy is None:
            return None
        rows = policy.cache.get(RECIPIENTS)
        if type(rows) is not dict:
            if rows is not TOO_LONG:
                rows = self._load(policy, rows)
            if type(rows) is not dict:
                return self._one(domain, local)
        return rows.get(local) or rows.get("*")

    def _one(self, domain: str, local: str) -> RecipientRow | None:
        try:
            return self._source.recipient(domain, local)
        except Exception as error:
            raise PolicyUnavailable(str(error) or type(error).__name__) from error

    def first_domain(self) -> str | None:
        """Return the first hosted domain by name: whose postmaster a bare `postmaster` is at last."""
        try:
            return self._source.first_domain()
        except Exception as error:
            raise PolicyUnavailable(str(error) or type(error).__name__) from error

    def with_changes(self, version: int, domains: set[str] | None) -> Snapshot:
        """Return the snapshot of a later version; `domains`: what changed, None for everything.

        What is set for all domains is shared while only single domains changed.
        """
        if domains is None:
            return Snapshot(version, self._source, self._defaults, self._cap)
        later = Snapshot.__new__(Snapshot)
        later.version = version
        later._source = self._source
        later._defaults = self._defaults
        later._cap = self._cap
        later._resolver = self._resolver
        later.everywhere = self.everywhere
        later._young = {name: p for name, p in self._young.items() if name not in domains}
        later._old = {name: p for name, p in self._old.items() if name not in domains}
        later._nobody = self._nobody - domains
        later._held = self._held
        later.faults = [f for f in self.faults if f.domain not in domains]
        return later

    def _seldom(self, domain: str) -> DomainPolicy | None:
        """A domain that was not asked for of late."""
        policy = self._old.get(domain)
        if policy is None:
            if domain in self._nobody:
                return None
            policy = self._build(domain)
            if policy is None:
                return None
        if len(self._young) >= self._cap // 2:
            self._old, self._young = self._young, {}
            self._held = sum(
                len(rows) for p in self._old.values() if type(rows := p.cache.get(RECIPIENTS)) is dict
            )
        self._young[domain] = policy
        return policy

    def _build(self, domain: str) -> DomainPolicy | None:
        faults: list[Fault] = []
        try:
            rows = self._source.domain(domain)
            if rows is None:
                if self._source.first_domain() is None:
                    raise PolicyUnavailable("no domain is hosted here yet: the policy is empty")
                if len(self._nobody) >= self._cap:
                    self._nobody.clear()
                self._nobody.add(domain)
                return None
            policy = self._resolver.domain(rows, self.version, faults)
        except PolicyUnavailable:
            raise
        except Exception as error:
            raise PolicyUnavailable(str(error) or type(error).__name__) from error
        self.faults = [*self.faults, *faults][-MAX_FAULTS:]
        return policy

    def _load(self, policy: DomainPolicy, asked: int | None) -> dict[str, RecipientRow] | None:
        """Take a short list of recipients into memory where that is worth it and possible."""
        asked = (asked or 0) + 1
        if asked < LOAD_AT:
            policy.cache[RECIPIENTS] = asked
            return None
        try:
            room = min(SMALL_LIST, max(0, ALL_LISTS - self._held))
            found = self._source.recipients_up_to(policy.domain, room) if room else None
        except Exception as error:
            raise PolicyUnavailable(str(error) or type(error).__name__) from error
        if found is None:
            policy.cache[RECIPIENTS] = TOO_LONG
            return None
        rows: dict[str, RecipientRow] = {}
        for row in found:
            if row.kind == "invalid" or row.local not in rows:  # invalid beats valid
                rows[row.local] = row
        self._held += len(rows)
        policy.cache[RECIPIENTS] = rows
        return rows
