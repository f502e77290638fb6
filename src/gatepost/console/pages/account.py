"""One's own account: language and zone, password, one-time codes, sessions, tokens of programs.

What opens the door (another password, codes off, a token) asks for the password again, so that a browser
left open does not give the account away.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from gatepost.console.auth import Here, SignedIn
from gatepost.console.cookies import keep_language
from gatepost.console.errors import NotHere
from gatepost.console.render import go, show, words_of
from gatepost.console.text import language_names, languages, mark
from gatepost.console.typed import Typed
from gatepost.desk import codes, passkeys, sessions, tokens, users
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.spans import until

router = APIRouter()
RIGHTS = {"look": mark("look"), "change": mark("look and change"), "admin": mark("everything")}
"""What a token opens, for people."""


@router.get("/account")
def page(here: SignedIn) -> Response:
    """Show one's own account."""
    return _page(here)


@router.post("/account/reader")
def reader(here: SignedIn, fields: Typed) -> Response:
    """Keep the language and the zone."""
    language = fields.get("language", "")
    if language and language not in languages():
        raise NotHere
    try:
        users.set_reader(here.desk, here.user.name, language, fields.get("zone", "").strip())
    except DeskError as error:
        return _page(here, {"zone": str(error)})
    response = _said(here, mark("Saved."))
    if not language:
        keep_language(here.request, response, "")  # what was chosen before signing in would hold else
    return response


@router.post("/account/password")
def password(here: SignedIn, fields: Typed) -> Response:
    """Take another password; all other sessions end."""
    new = fields.get("new", "")
    if new != fields.get("again", ""):
        return _page(here, {"again": words_of(here.request, here).say(mark("The two are not the same."))})
    try:
        _prove(here, fields)
        users.set_password(here.desk, here.user.name, new, here.session_id)
    except DeskError as error:
        return _page(here, {"new" if _proved(error) else "password": str(error)})
    return _said(here, mark("The new password holds; all other sessions have ended."))


@router.post("/account/codes")
def codes_begin(here: SignedIn) -> Response:
    """Show a new secret for an authenticator; it is kept when a code of it was typed."""
    return _page(here, secret=codes.begin())


@router.post("/account/codes/on")
def codes_on(here: SignedIn, fields: Typed) -> Response:
    """Keep the secret if the authenticator shows the right code, and show the recovery codes once."""
    secret = fields.get("secret", "")
    if not codes.SECRET.fullmatch(secret):
        raise NotHere
    try:
        _prove(here, fields)
        recovery = codes.confirm(here.desk, here.user.name, secret, fields.get("code", ""))
    except DeskError as error:
        return _page(here, {"code" if _proved(error) else "codes": str(error)}, secret=secret)
    return _page(here, recovery=recovery)


@router.post("/account/codes/off")
def codes_off(here: SignedIn, fields: Typed) -> Response:
    """Sign in without a code from now on."""
    try:
        _prove(here, fields)
    except DeskError as error:
        return _page(here, {"codes": str(error)})
    codes.switch_off(here.desk, here.user.name)
    return _said(here, mark("One-time codes are off."))


@router.post("/account/sessions/end")
def end_session(here: SignedIn, fields: Typed) -> Response:
    """End one session, or all others."""
    which = fields.get("session", "")
    try:
        if which:
            sessions.end(here.desk, here.user.name, which)
        else:
            sessions.end_all(here.desk, here.user.name, here.session_id)
    except NotFound:
        pass  # it has ended already
    return _said(here, mark("Ended."))


@router.post("/account/tokens")
def add_token(here: SignedIn, fields: Typed) -> Response:
    """Make a token and show it once."""
    expires = fields.get("expires", "").strip()
    try:
        _prove(here, fields)
        _, bearer = tokens.add(
            here.desk,
            here.user.name,
            fields.get("label", ""),
            rights=fields.get("rights", ""),
            domains=fields.get("domains", "").split(),
            expires=until(expires, here.desk.clock()) if expires else None,
        )
    except DeskError as error:
        return _page(here, {"token": str(error)}, typed=fields)
    return _page(here, bearer=bearer)


@router.post("/account/tokens/revoke")
def revoke_token(here: SignedIn, fields: Typed) -> Response:
    """End a token."""
    number = fields.get("number", "")
    if not number.isdecimal() or len(number) > 18:
        raise NotHere
    tokens.revoke(here.desk, int(number), here.user.name)
    return _said(here, mark("The token opens nothing any more."))


def _prove(here: Here, fields: dict[str, str]) -> None:
    client = here.request.client.host if here.request.client else ""
    sessions.prove(here.desk, here.user.name, fields.get("password", "")[:1000], client)


def _proved(error: DeskError) -> bool:
    """Return whether the password was right and something else is wrong."""
    return not isinstance(error, sessions.SignInError)


def _said(here: Here, text: str) -> Response:
    return go(here, "/account", words_of(here.request, here).say(text))


def _page(
    here: Here,
    faults: dict[str, str] | None = None,
    *,
    secret: str = "",
    recovery: list[str] | None = None,
    bearer: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    name = here.user.name
    person = users.get(here.desk, name)
    rights: dict[str, Any] = {
        one: text for one, text in RIGHTS.items() if one in tokens.may_give(person.role)
    }
    return show(
        here,
        "account.html",
        status=422 if faults else 200,
        person=person,
        faults=faults or {},
        secret=secret,
        picture=_picture(codes.uri(name, secret, here.site.hostname)) if secret else "",
        recovery=recovery or [],
        bearer=bearer,
        typed=typed or {},
        sessions=sessions.sessions_of(here.desk, name),
        passkeys=passkeys.listing(here.desk, name),
        tokens=tokens.listing(here.desk, name),
        logins=users.logins(here.desk, name, 10),
        languages=language_names(),
        rights=rights,
        RIGHTS=RIGHTS,
    )


def _picture(uri: str) -> str:
    """Return a QR code as an address of an image (no other place is asked for it)."""
    import segno

    return str(segno.make(uri, error="m").svg_data_uri(scale=5, border=3, light="white"))
