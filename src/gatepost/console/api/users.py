"""`/users`: who may sign in; for administrators."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Body, Page, Text, Time
from gatepost.console.auth import Admin
from gatepost.desk import passwords, users

router = APIRouter(tags=["users"])
Role = Literal["admin", "owner", "reader"]


class User(Answer):
    """Somebody who may sign in."""

    name: str
    role: str
    domains: list[str]
    language: str
    zone: str
    has_totp: bool
    disabled: bool
    created: Time


class NewUser(Body):
    """Somebody to be added."""

    name: Text
    role: Role = "owner"
    domains: list[Text] = []
    password: Text | None = None
    """Left out: one is made and returned, this once."""
    language: Text = ""
    zone: Text = ""


class Changed(Body):
    """What is to be changed; what is left out stays."""

    role: Role | None = None
    domains: list[Text] | None = None
    disabled: bool | None = None


class MadeUser(Answer):
    """Somebody with the password that was made."""

    user: User
    password: str | None
    """null: the caller knows it."""


class Password(Body):
    """Another password."""

    password: Text | None = None
    """Left out: one is made and returned, this once."""


@router.get("/users")
def list_users(here: Admin) -> Page[User]:
    """List everybody, by name."""
    return Page(items=[User.of(one) for one in users.everyone(here.desk)])


@router.post("/users", status_code=201)
def add_user(here: Admin, new: NewUser) -> MadeUser:
    """Add somebody."""
    made = passwords.made() if new.password is None else None
    user = users.add(
        here.desk, new.name, made or new.password or "", new.role, new.domains, new.language, new.zone
    )
    return MadeUser(user=User.of(user), password=made)


@router.get("/users/{name}")
def show_user(here: Admin, name: str) -> User:
    """Show one person."""
    return User.of(users.get(here.desk, name))


@router.patch("/users/{name}")
def change_user(here: Admin, name: str, new: Changed) -> User:
    """Change what somebody may."""
    return User.of(users.change(here.desk, name, **new.model_dump(exclude_none=True)))


@router.post("/users/{name}/password")
def set_password(here: Admin, name: str, new: Password) -> MadeUser:
    """Give somebody another password; all their sessions end."""
    users.get(here.desk, name)
    made = passwords.made() if new.password is None else None
    users.set_password(here.desk, name, made or new.password or "")
    return MadeUser(user=User.of(users.get(here.desk, name)), password=made)


@router.delete("/users/{name}", status_code=204)
def remove_user(here: Admin, name: str) -> None:
    """Remove somebody, with sessions and tokens."""
    users.remove(here.desk, name)
