"""The quick way for plain domains: a route, perhaps a core setting or two, no lists, no own checks.

Of a hundred thousand domains nearly all are so. Their policies are one pattern with a few fields
changed: checks, lists and origins are the very same objects, so that a domain costs memory and
time for its own name and route only. Whatever is not plain, or wrong, goes the long way
(`resolve.Resolver`) to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gatepost.policy.policy import DomainPolicy
from gatepost.policy.settings import SETTINGS
from gatepost.policy.source import DomainRows


def _same(value: Any) -> Any:
    return value


def threshold(value: Any) -> float | None:
    """Return a number of points as the policy has it: None is off."""
    return None if value == "off" else float(value)


FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "route": ("routes", tuple),
    "recipients": ("recipients", _same),
    "refuse_at": ("refuse_at", _same),
    "refuse_at.unknown": ("refuse_unknown_at", _same),
    "on_backend_down": ("on_backend_down", _same),
    "mixed": ("mixed", _same),
    "poison": ("poison", _same),
    "keep_days": ("keep_days", _same),
    "score.tag_at": ("tag_at", threshold),
    "score.quarantine_at": ("quarantine_at", threshold),
    "score.reject_at": ("reject_at", threshold),
    "bypass": ("bypass", _same),
    "subjects": ("subjects", _same),
    "digest": ("digest", _same),
    "digest.to": ("digest_to", tuple),
    "digest.mailboxes": ("digest_mailboxes", _same),
    "digest.hour": ("digest_hour", _same),
    "digest.language": ("digest_language", _same),
    "digest.zone": ("digest_zone", _same),
    "why.page": ("why_page", _same),
}
"""Core setting -> field of the policy, and how its value gets there. `preset` changes others too."""

_OWN = frozenset({"domain", "version", "cache", "mailboxes", "origin", "owned_since"})


class Plain:
    """Makes policies of plain domains from that of no domain in particular."""

    def __init__(self, pattern: DomainPolicy) -> None:
        self._fields = {
            name: getattr(pattern, name) for name in DomainPolicy.__dataclass_fields__ if name not in _OWN
        }
        self._origin = pattern.origin
        self._origins: dict[tuple[str, ...], Mapping[str, str]] = {}

    def policy(self, rows: DomainRows, version: int) -> DomainPolicy | None:
        """Return the policy of a plain domain, None for one that is not plain."""
        if rows.entries or rows.mailboxes or rows.mailbox_entries:
            return None
        fields = dict(self._fields)
        try:
            for key, value in rows.values.items():
                name, convert = FIELDS[key]
                fields[name] = convert(SETTINGS[key].check(value))
        except (KeyError, ValueError):
            return None
        origin = self._origin_of(tuple(rows.values))
        return DomainPolicy(rows.name, version, origin=origin, owned_since=rows.owned_since, **fields)

    def _origin_of(self, keys: tuple[str, ...]) -> Mapping[str, str]:
        origin = self._origins.get(keys)
        if origin is None:
            origin = self._origins[keys] = {**self._origin, **dict.fromkeys(keys, "domain")}
        return origin
