"""Tokens of programs: what a script sends as `Authorization: Bearer ...` instead of signing in.

A token never opens more than its person may: at each use it is narrowed to the person's present role
and domains, so whoever loses a right loses it in his tokens too. It is shown once, when it is made.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gatepost.desk import users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import hosted
from gatepost.desk.sessions import digest
from gatepost.desk.users import Role, User
from gatepost.store.tokens_db import TokenRow

PREFIX = "gp_"
"""So that a token which strayed into a public place can be found there."""
RIGHTS = ("look", "change", "admin")
MOST = 100
"""Tokens of one person."""
LONGEST_LABEL = 100
TOUCH = 60.0
_ROLES = {"look": Role.READER, "change": Role.OWNER, "admin": Role.ADMIN}
_MOST = {Role.READER: ("look",), Role.OWNER: ("look", "change"), Role.ADMIN: RIGHTS}


@dataclass(frozen=True, slots=True)
class Token:
    """One token, without what opens the door."""

    id: int
    user: str
    label: str
    rights: str
    domains: tuple[str, ...]
    """Empty: all of the person's."""
    made: float
    expires: float | None
    used: float | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who bears a token; a `console.site.Visit`."""

    id: str
    user: User
    """The person, narrowed to what the token opens."""


def add(
    desk: Desk,
    name: str,
    label: str,
    *,
    rights: str = "look",
    domains: Iterable[str] = (),
    expires: float | None = None,
) -> tuple[Token, str]:
    """Make a token of a person; returns it, and what the program has to send (kept nowhere)."""
    _own_or_admin(desk, name)
    user = users.get(desk, name)
    if rights not in RIGHTS:
        raise DeskError(f"{rights!r} is not look, change or admin")
    if rights not in _MOST[user.role]:
        raise DeskError(f"{name} is {user.role} and may not give the right {rights!r}")
    label = label.strip()
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise DeskError(f"a token needs a name that says what it is for (at most {LONGEST_LABEL} characters)")
    given = tuple(sorted({hosted(desk, domain) for domain in domains}))
    if user.role is Role.ADMIN and rights != "admin" and not given:
        raise DeskError("name the domains, or give the right 'admin': an administrator has no own domains")
    if user.role is not Role.ADMIN and not set(given) <= set(user.domains):
        raise DeskError(f"{name} may give only own domains")
    if rights == "admin" and given:
        raise DeskError("the right 'admin' is the whole machine's: leave the domains out")
    now = desk.clock()
    if expires is not None and expires <= now:
        raise DeskError("that time is past")
    if len(desk.tokens.listing(name)) >= MOST:
        raise DeskError(f"{name} has {MOST} tokens already; revoke one first")
    bearer = PREFIX + secrets.token_urlsafe(32)
    row = desk.tokens.add(TokenRow(0, digest(bearer), name, label, rights, given, now, expires, None))
    desk.policy.note("token", None, _told(row), desk.by)
    return _token(row), bearer


def may_give(role: Role) -> tuple[str, ...]:
    """Return the rights that somebody's tokens can have."""
    return _MOST[role]


def listing(desk: Desk, name: str | None = None) -> list[Token]:
    """Return the tokens of a person (None: of all), the oldest first."""
    return [_token(row) for row in desk.tokens.listing(name)]


def revoke(desk: Desk, number: int, name: str | None = None) -> Token:
    """End a token (of that person, if one is named); NotFound where there is none."""
    row = desk.tokens.get(number)
    if row is None or name not in (None, row.name) or not (desk.admin or desk.by == row.name):
        raise NotFound(f"there is no token {number}")
    if not desk.tokens.remove(number):
        raise NotFound(f"there is no token {number}")
    desk.policy.note("token", _told(row), None, desk.by)
    return _token(row)


def who_bears(desk: Desk, bearer: str) -> Bearer | None:
    """Return whose token it is, with what it opens now; None for one unknown, expired or of somebody gone."""
    row = desk.tokens.find(digest(bearer)) if bearer.startswith(PREFIX) else None
    now = desk.clock()
    if row is None or (row.expires is not None and row.expires <= now):
        return None
    person = desk.accounts.person(row.name)
    if person is None or person.disabled:
        return None
    if row.used is None or now - row.used > TOUCH:
        desk.tokens.used(row.id, now)
    return Bearer(f"token {row.id}", narrowed(users.user_of(person), row.rights, row.domains))


def narrowed(user: User, rights: str, domains: tuple[str, ...]) -> User:
    """Return a person with no more than a token opens, and no more than the person still may."""
    if rights not in _MOST[user.role]:
        rights = "look"
    if user.role is Role.ADMIN:
        # A token that was an administrator's for all, or for some domains of his choice; an owner
        # who became administrator meant the domains of then, which nobody knows: none.
        return replace(user, role=_ROLES[rights], domains=domains)
    mine = user.domains if not domains else tuple(name for name in domains if name in user.domains)
    return replace(user, role=_ROLES[rights], domains=mine)


def _own_or_admin(desk: Desk, name: str) -> None:
    if desk.by != name and not desk.admin:
        raise DeskError("only administrators do that for others")


def _token(row: TokenRow) -> Token:
    return Token(row.id, row.name, row.label, row.rights, row.domains, row.made, row.expires, row.used)


def _told(row: TokenRow) -> dict[str, object]:
    return {"name": row.label, "user": row.name, "rights": row.rights, "domains": list(row.domains)}
