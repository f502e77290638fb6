"""Who may sign in, and to which domains: add, change, remove; the first administrator.

`admin` may everything, `owner` changes the domains given, `reader` looks at them (`console/rights.py`).
A new password, another role and a removal end the person's sessions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from gatepost.desk import passwords
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.desk.scopes import hosted
from gatepost.store.accounts_db import LoginRow, PersonRow
from gatepost.store.base import Conflict as StoreConflict
from gatepost.store.base import NotFound as StoreNotFound

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
FIRST = "admin"
"""The name of the first administrator."""


class Role(StrEnum):
    """What somebody is."""

    ADMIN = "admin"
    OWNER = "owner"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in, without what opens the door."""

    name: str
    role: Role
    domains: tuple[str, ...] = ()
    language: str = ""
    zone: str = ""
    has_totp: bool = False
    disabled: bool = False
    created: float = 0.0


def add(
    desk: Desk,
    name: str,
    password: str,
    role: str,
    domains: Iterable[str] = (),
    language: str = "",
    zone: str = "",
) -> User:
    """Add somebody; Conflict where the name is taken."""
    _admins_only(desk)
    name = login_name(name)
    row = PersonRow(
        name,
        _role(role),
        passwords.hashed(password),
        language,
        _zone(zone),
        created=desk.clock(),
        domains=tuple(hosted(desk, domain) for domain in domains),
    )
    try:
        desk.accounts.add(row)
    except StoreConflict as error:
        raise Conflict(str(error)) from error
    made = user_of(row)
    _note(desk, None, made)
    return made


def get(desk: Desk, name: str) -> User:
    """Return somebody; NotFound for nobody."""
    row = desk.accounts.person(name)
    if row is None:
        raise NotFound(f"there is no user {name}")
    return user_of(row)


def everyone(desk: Desk) -> list[User]:
    """Return everybody, by name."""
    return [user_of(row) for row in desk.accounts.people()]


def administrators(desk: Desk) -> list[str]:
    """Return who may do everything, by name, less those who are shut out."""
    return [one.name for one in everyone(desk) if one.role is Role.ADMIN and not one.disabled]


def change(
    desk: Desk,
    name: str,
    *,
    role: str | None = None,
    domains: Iterable[str] | None = None,
    disabled: bool | None = None,
) -> User:
    """Change what somebody may; the last administrator stays one."""
    _admins_only(desk)
    before = get(desk, name)
    values: dict[str, Any] = {}
    if role is not None:
        values["role"] = _role(role)
    if domains is not None:
        values["domains"] = tuple(hosted(desk, domain) for domain in domains)
    if disabled is not None:
        values["disabled"] = int(disabled)
    if before.role is Role.ADMIN and (values.get("role", "admin") != "admin" or disabled):
        _another_admin(desk, name)
    desk.accounts.change(name, values)
    if values.get("role", before.role) != before.role or disabled:
        desk.accounts.end_all(name)
    after = get(desk, name)
    if after != before:
        _note(desk, before, after)
    return after


def set_password(desk: Desk, name: str, password: str, keep_session: str = "") -> None:
    """Give somebody another password; all their sessions end, but the one of whoever does it for himself."""
    if desk.by != name:
        _admins_only(desk)
    get(desk, name)
    desk.accounts.change(name, {"password": passwords.hashed(password)})
    desk.accounts.end_all(name, keep_session)
    desk.policy.note("user", {"name": name}, {"name": name, "password": "changed"}, desk.by)


def set_reader(desk: Desk, name: str, language: str, zone: str) -> None:
    """Keep how somebody wants things written."""
    desk.accounts.change(name, {"language": language, "zone": _zone(zone)})


def remove(desk: Desk, name: str) -> None:
    """Remove somebody; the last administrator stays."""
    _admins_only(desk)
    before = get(desk, name)
    if before.role is Role.ADMIN:
        _another_admin(desk, name)
    try:
        desk.accounts.remove(name)
    except StoreNotFound as error:
        raise NotFound(str(error)) from error
    _note(desk, before, None)


def logins(desk: Desk, name: str | None = None, limit: int = 50) -> list[LoginRow]:
    """Return the last tries to sign in, the newest first."""
    return desk.accounts.logins(name, limit)


def first_admin(desk: Desk) -> tuple[str, str] | None:
    """Make the first administrator where there is nobody; returns the name and the password, kept nowhere."""
    if desk.accounts.people():
        return None
    password = passwords.made()
    add(desk, FIRST, password, Role.ADMIN)
    return FIRST, password


def user_of(row: PersonRow) -> User:
    """Return what others may know of somebody."""
    return User(
        row.name,
        Role(row.role),
        row.domains,
        row.language,
        row.zone,
        bool(row.totp),
        row.disabled,
        row.created,
    )


def login_name(text: str) -> str:
    """Return a name to sign in with as it is kept; DeskError where it cannot be one."""
    name = text.strip().lower()
    if not NAME.fullmatch(name):
        raise DeskError(
            f"{text!r:.80} is no name to sign in with: letters, digits and . _ @ + - (at most 64)"
        )
    return name


def _role(text: str) -> str:
    if text not in tuple(Role):
        raise DeskError(f"{text!r} is not admin, owner or reader")
    return str(text)


def _zone(text: str) -> str:
    try:
        if text:
            ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise DeskError(f"{text!r} is not a time zone such as Europe/Berlin") from None
    return text


def _admins_only(desk: Desk) -> None:
    if not desk.admin:
        raise DeskError("only administrators do that")


def _note(desk: Desk, before: User | None, after: User | None) -> None:
    """Write into the list of changes what somebody may now."""
    desk.policy.note("user", before and _told(before), after and _told(after), desk.by)


def _told(user: User) -> dict[str, Any]:
    domains = list(user.domains)
    return {"name": user.name, "role": str(user.role), "domains": domains, "disabled": user.disabled}


def _another_admin(desk: Desk, name: str) -> None:
    if not [one for one in administrators(desk) if one != name]:
        raise DeskError(f"{name} is the last administrator")
