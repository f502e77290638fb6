"""Who might be trusted to forward: whoever stood behind wanted mail on which DMARC failed.

The check `dmarc` writes them down (at 1, 3, 10, 30 ... mails); here they are offered, and trusted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gatepost.desk.desk import Desk
from gatepost.desk.domains import resolved, set_values
from gatepost.desk.errors import NotFound

PREFIX = "forwarder "
KEY = "arc.forwarders"


@dataclass(frozen=True, slots=True)
class Forwarder:
    """One candidate."""

    name: str
    mails: int
    """Wanted mails on which it broke DMARC, at least so many."""
    last: float
    trusted: bool


def candidates(desk: Desk, domain: str) -> list[Forwarder]:
    """Return who broke DMARC on wanted mail of a domain, the most mails first."""
    policy, _ = resolved(desk, domain)
    trust = policy.plugins["arc"].settings
    rows = asyncio.run(desk.records.list(policy.domain, "dmarc", PREFIX))
    found = [
        Forwarder(name := key.removeprefix(PREFIX), row["mails"], row["last"], bool(trust.named(name)))
        for key, row in rows
    ]
    return sorted(found, key=lambda one: (-one.mails, one.name))


def trusted(desk: Desk, domain: str) -> tuple[str, ...]:
    """Return the names and networks that a domain trusts."""
    policy, _ = resolved(desk, domain)
    return tuple(policy.plugins["arc"].settings.forwarders)


def trust(desk: Desk, domain: str, name: str, *, expect: int | None = None) -> None:
    """Add a name or network to the domain's trusted forwarders.

    `expect`, here and below: the version of the policy that the caller saw; Conflict if it changed since.
    """
    policy, _ = resolved(desk, domain)
    known = policy.plugins["arc"].settings.forwarders
    set_values(desk, policy.domain, {} if name in known else {KEY: [*known, name]}, expect)


def distrust(desk: Desk, domain: str, name: str, *, expect: int | None = None) -> None:
    """Take a name or network off the domain's trusted forwarders."""
    policy, _ = resolved(desk, domain)
    known = policy.plugins["arc"].settings.forwarders
    if name not in known:
        raise NotFound(f"{name} is no trusted forwarder of {domain}")
    set_values(desk, policy.domain, {KEY: [one for one in known if one != name]}, expect)
