"""Who may do what: three roles, and the domains that were given.

`admin` may everything. `owner` looks at and changes the domains given, `reader` looks at them.
What somebody may not even look at does not exist for them: the answer is that of an unknown domain.
"""

from __future__ import annotations

from enum import StrEnum

from gatepost.console.site import Person


class Right(StrEnum):
    """What somebody wants with a domain."""

    LOOK = "look"
    CHANGE = "change"
    ADMIN = "admin"
    """What is the whole machine's: users, domains added and removed, all domains' settings."""


ROLES: dict[str, frozenset[Right]] = {
    "admin": frozenset(Right),
    "owner": frozenset({Right.LOOK, Right.CHANGE}),
    "reader": frozenset({Right.LOOK}),
}


def is_admin(user: Person) -> bool:
    """Return whether everything is open to them."""
    return str(user.role) == "admin"


def may(user: Person, domain: str | None, right: Right) -> bool:
    """Return whether they may do so with a domain; None is the whole machine."""
    if right not in ROLES.get(str(user.role), frozenset()):
        return False
    return is_admin(user) or (domain is not None and domain in user.domains)
