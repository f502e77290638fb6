"""The language of who is not signed in: a cookie, chosen with a button on the page itself.

Where that was is in `Referer` (our pages ask browsers for it within the console) and not in the form: pages
for what is unknown have to be the same to the byte, whatever the address.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from gatepost.console.cookies import keep_language
from gatepost.console.errors import NotHere
from gatepost.console.pages.login import LONGEST, inside
from gatepost.console.text import languages
from gatepost.console.visit import came_from

router = APIRouter()


@router.post("/language")
def choose(
    request: Request,
    language: Annotated[str, Form(max_length=20)] = "",
    next: Annotated[str, Form(max_length=4 * LONGEST)] = "",  # noqa: A002 - as at the sign-in
) -> Response:
    """Keep it in the browser, and go back to where the button was; to sign in where the browser hides it."""
    if language not in languages():
        raise NotHere
    response = RedirectResponse(inside(next) or inside(came_from(request)) or "/login", 303)
    keep_language(request, response, language)
    return response
