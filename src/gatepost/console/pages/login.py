"""Sign in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from gatepost.console.cookies import SESSION, SESSION_AGE, drop_cookie, set_cookie, site_of, token_of
from gatepost.console.render import show_to_anyone
from gatepost.console.text import mark
from gatepost.desk.errors import DeskError

router = APIRouter()
FAULTS = {
    "wrong": mark("The name or the password is wrong."),
    "code_needed": mark("The code of your authenticator is needed too."),
    "code_wrong": mark("That code is wrong, or was used already."),
    "passkey": mark("That passkey opens nothing here."),
    "limited": mark("Too many tries; wait some minutes."),
    "unavailable": mark("Signing in does not work now; try again in a moment."),
}
LONGEST = 1_000
"""Characters of a name or password; argon2 reads no more."""


@router.get("/login")
def form(request: Request, next: str = "", passkey: str = "") -> Response:  # noqa: A002 - as in the address
    """Show the form."""
    fault = FAULTS["passkey"] if passkey else ""
    return show_to_anyone(
        request,
        "login.html",
        next=inside(next),
        name="",
        fault=fault,
        needs_code=False,
        first_step=site_of(request).first_step(),
    )


@router.post("/login")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=LONGEST)] = "",
    password: Annotated[str, Form(max_length=LONGEST)] = "",
    code: Annotated[str, Form(max_length=20)] = "",
    next: Annotated[str, Form(max_length=4 * LONGEST)] = "",  # noqa: A002
) -> Response:
    """Begin a session, or say why not: the same words whether the name or the password is wrong."""
    site = site_of(request)
    client = request.client.host if request.client else ""
    try:
        with site.desk_for("console", False) as desk:
            agent = request.headers.get("user-agent", "")
            token = site.accounts.sign_in(desk, name.strip(), password, code.strip(), client, agent)
    except DeskError as error:
        kind = getattr(error, "code", "wrong")
        response: Response = show_to_anyone(
            request,
            "login.html",
            status={"limited": 429, "unavailable": 503}.get(kind, 401),
            next=inside(next),
            name=name.strip(),
            fault=FAULTS["code_wrong" if kind == "code_needed" and code.strip() else kind],
            needs_code=kind == "code_needed",
            first_step=site.first_step(),
        )
        after = int(getattr(error, "retry_after", 0) or 0)
        if after:
            response.headers["Retry-After"] = str(after)
        return response
    response = RedirectResponse(inside(next) or "/", 303)
    set_cookie(request, response, SESSION, token, SESSION_AGE)
    return response


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session."""
    site = site_of(request)
    token = token_of(request)
    if token:
        with site.desk_for("console", False) as desk:
            site.accounts.sign_out(desk, token)
    response = RedirectResponse("/login", 303)
    drop_cookie(request, response, SESSION)
    return response


def inside(address: str) -> str:
    """Return an address of this console to go on to, "" for one that leads elsewhere."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if inside and "\\" not in address else ""
