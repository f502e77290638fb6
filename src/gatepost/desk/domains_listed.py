"""Which domains are hosted here and what is set for them: for lists and completion, so it imports little."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gatepost.desk.desk import Desk
from gatepost.desk.scopes import hosted
from gatepost.store.scopes import ALL

Names = list[str]


@dataclass(frozen=True, slots=True)
class Summary:
    """One domain as it stands in the list."""

    name: str
    routes: tuple[str, ...]
    recipients: str
    """`list`, `callout` or `any`."""
    listed: int
    """Recipients on the list."""


@dataclass(frozen=True, slots=True)
class About:
    """One domain with what is set for it."""

    name: str
    version: int
    """Of the policy that was read: what `expect` wants."""
    settings: dict[str, Any]
    listed: int
    entries: int
    mailboxes: list[str]
    """Local parts with settings or entries of their own."""


def names(desk: Desk, prefix: str = "", limit: int = -1) -> Names:
    """Return the hosted domains that begin so, in order."""
    found = [prefix] if prefix and desk.policy.domain(prefix) is not None else []
    for name in desk.policy.domains(after=prefix, limit=limit):
        if not name.startswith(prefix):
            break
        found.append(name)
    return found


def listing(desk: Desk, limit: int = -1) -> list[Summary]:
    """Return all domains with the little that a list shows."""
    return summaries(desk, desk.policy.domains(limit=limit))


def summaries(desk: Desk, hosted_names: Iterable[str]) -> list[Summary]:
    """Return hosted domains with the little that a list shows."""
    everywhere = desk.policy.settings(ALL)
    found = []
    for name in hosted_names:
        own = desk.policy.settings(f"domain:{name}")
        mode = own.get("recipients", everywhere.get("recipients", "list"))
        count = desk.policy.count_recipients(name)
        found.append(Summary(name, tuple(own.get("route", ())), str(mode), count))
    return found


def about(desk: Desk, name: str) -> About:
    """Return what is set for a domain."""
    domain = hosted(desk, name)
    store = desk.policy
    mailboxes = store.mailboxes(domain)
    scopes = [f"domain:{domain}", *(f"mailbox:{local}@{domain}" for local in mailboxes)]
    return About(
        domain,
        store.version(),
        store.settings(f"domain:{domain}"),
        store.count_recipients(domain),
        sum(len(store.entries(scope)) for scope in scopes),
        mailboxes,
    )
