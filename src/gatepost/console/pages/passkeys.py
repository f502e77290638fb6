"""Passkeys: a new one on one's own account, and signing in with one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from gatepost.console.auth import SignedIn
from gatepost.console.cookies import SESSION, SESSION_AGE, set_cookie, site_of
from gatepost.console.pages.login import inside
from gatepost.console.render import go, words_of
from gatepost.console.text import mark
from gatepost.console.typed import Typed
from gatepost.desk import passkeys, sessions
from gatepost.desk.errors import DeskError
from gatepost.desk.passkeys import Party

router = APIRouter()
LONGEST = 20_000
"""Characters of a device's answer."""
JSON = "application/json"
Credential = Annotated[str, Form(max_length=LONGEST)]


def party_of(request: Request) -> Party:
    """Return who we are for the browser: the public address, else what it asked for."""
    public = site_of(request).public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    parts = urlsplit(public)
    return Party(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


@router.post("/account/passkeys/begin")
def begin(here: SignedIn, fields: Typed) -> Response:
    """Return what to ask the device for; the password is asked for again."""
    client = here.request.client.host if here.request.client else ""
    try:
        sessions.prove(here.desk, here.user.name, fields.get("password", "")[:1000], client)
        return Response(
            passkeys.add_options(here.desk, here.user.name, party_of(here.request)), media_type=JSON
        )
    except DeskError as error:
        return PlainTextResponse(str(error), 422)


@router.post("/account/passkeys")
def add(here: SignedIn, credential: Credential = "", label: Annotated[str, Form()] = "") -> Response:
    """Keep the passkey that the device made."""
    words = words_of(here.request, here)
    try:
        made = passkeys.add(here.desk, here.user.name, label, credential, party_of(here.request))
    except DeskError as error:
        return go(here, "/account", str(error))
    return go(here, "/account", words.say(mark("The passkey %(name)s opens your account."), name=made.label))


@router.post("/account/passkeys/remove")
def remove(here: SignedIn, id: Annotated[str, Form(max_length=1500)]) -> Response:  # noqa: A002
    """Remove a passkey."""
    passkeys.remove(here.desk, here.user.name, id)
    said = mark("The passkey opens nothing any more.")
    return go(here, "/account", words_of(here.request, here).say(said))


@router.post("/login/passkey/begin")
def sign_in_begin(request: Request) -> Response:
    """Return what to ask any device for."""
    with site_of(request).desk_for("console", False) as desk:
        return Response(passkeys.sign_in_options(desk, party_of(request)), media_type=JSON)


@router.post("/login/passkey")
def sign_in(
    request: Request,
    credential: Credential = "",
    next: Annotated[str, Form(max_length=4_000)] = "",  # noqa: A002 - the field's name
) -> Response:
    """Begin a session for whose passkey signed."""
    client = request.client.host if request.client else ""
    try:
        with site_of(request).desk_for("console", False) as desk:
            agent = request.headers.get("user-agent", "")
            token = passkeys.sign_in(desk, credential, party_of(request), client, agent)
    except DeskError:
        return RedirectResponse("/login?passkey=no", 303)
    response = RedirectResponse(inside(next) or "/", 303)
    set_cookie(request, response, SESSION, token, SESSION_AGE)
    return response
