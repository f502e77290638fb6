"""Who may sign in: for administrators. A password that is made is shown this once."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gatepost.console.auth import Admin
from gatepost.console.pages.account import RIGHTS
from gatepost.console.render import go, show, words_of
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import codes, domains_listed, passwords, sessions, tokens, users
from gatepost.desk.errors import DeskError

router = APIRouter()
OFFERED = 500
"""Domains that a form offers while one types."""
ROLES = {"admin": mark("administrator"), "owner": mark("owner"), "reader": mark("reader")}
"""What somebody is, for people."""


@router.get("/users")
def listing(here: Admin) -> Response:
    """List everybody."""
    return _list(here, {})


@router.post("/users")
def add(here: Admin, fields: Typed) -> Response:
    """Add somebody and show the password once."""
    password = passwords.made()
    name = fields.get("name", "")
    try:
        user = users.add(
            here.desk, name, password, fields.get("role", "owner"), fields.get("domains", "").split()
        )
    except DeskError as error:
        return _list(here, fields, str(error))
    return _one(here, user.name, made=password)


@router.get("/users/{name}")
def one(here: Admin, name: str) -> Response:
    """Show one person."""
    return _one(here, name)


@router.post("/users/{name}")
def change(here: Admin, name: str, fields: Typed) -> Response:
    """Change what somebody may."""
    try:
        users.change(
            here.desk,
            name,
            role=fields.get("role", ""),
            domains=fields.get("domains", "").split(),
            disabled=fields.get("disabled") == "on",
        )
    except DeskError as error:
        users.get(here.desk, name)
        return _one(here, name, fault=str(error))
    return go(here, f"/users/{name}", words_of(here.request, here).say(mark("Saved.")))


@router.post("/users/{name}/password")
def password(here: Admin, name: str) -> Response:
    """Give somebody another password and show it once; all their sessions end."""
    made = passwords.made()
    users.set_password(here.desk, name, made, here.session_id if name == here.user.name else "")
    return _one(here, name, made=made)


@router.post("/users/{name}/codes-off")
def codes_off(here: Admin, name: str) -> Response:
    """Let somebody in without a one-time code again (the authenticator was lost)."""
    codes.switch_off(here.desk, name)
    said = words_of(here.request, here).say(mark("One-time codes are off."))
    return go(here, f"/users/{name}", said)


@router.post("/users/{name}/remove")
def remove(here: Admin, name: str) -> Response:
    """Remove somebody."""
    try:
        users.remove(here.desk, name)
    except DeskError as error:
        users.get(here.desk, name)
        return _one(here, name, fault=str(error))
    return go(here, "/users", words_of(here.request, here).say(mark("%(name)s is removed."), name=name))


def _list(here: Admin, fields: dict[str, str], fault: str = "") -> Response:
    return show(
        here,
        "users.html",
        status=422 if fault else 200,
        users=users.everyone(here.desk),
        fields=fields,
        fault=fault,
        ROLES=ROLES,
        offered=domains_listed.names(here.desk, limit=OFFERED),
    )


def _one(here: Admin, name: str, *, made: str = "", fault: str = "") -> Response:
    user = users.get(here.desk, name)
    return show(
        here,
        "user.html",
        status=422 if fault else 200,
        person=user,
        made=made,
        fault=fault,
        ROLES=ROLES,
        RIGHTS=RIGHTS,
        sessions=sessions.sessions_of(here.desk, name),
        tokens=tokens.listing(here.desk, name),
        logins=users.logins(here.desk, name, 20),
        offered=domains_listed.names(here.desk, limit=OFFERED),
    )
