"""Which domains are hosted here: for lists and for completion, so it imports next to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.desk.desk import Desk
from gatepost.policy.settings import SETTINGS
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
    everywhere = desk.policy.settings(ALL)
    found = []
    for name in desk.policy.domains(limit=limit):
        own = desk.policy.settings(f"domain:{name}")
        mode = own.get("recipients", everywhere.get("recipients", SETTINGS["recipients"].default))
        count = desk.policy.count_recipients(name)
        found.append(Summary(name, tuple(own.get("route", ())), str(mode), count))
    return found
