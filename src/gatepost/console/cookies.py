"""The cookies of a browser, and the secret of its forms, which is made from them.

One cookie names the session of who is signed in; everybody else gets one that names nothing, because
a form without a session needs a secret too. A third carries one sentence from a form to the page
behind it. Scripts can read none of them. A fourth holds the language of who is not signed in.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import cast

from fastapi import Request, Response

from gatepost.console.site import Site

SESSION, VISITOR, SAID = "gatepost", "gatepost_visitor", "gatepost_said"
LANGUAGE = "language"
LANGUAGE_AGE = 365 * 86_400
SESSION_AGE = 30 * 86_400
"""Seconds that a browser keeps the cookie; the store may end the session long before."""


def site_of(request: Request) -> Site:
    """Return the console that was asked."""
    return cast("Site", request.app.state.site)


def cookie_name(site: Site, name: str) -> str:
    """Return the cookie's name; `__Host-` binds it to this host and to TLS."""
    return f"__Host-{name}" if site.secure else name


def token_of(request: Request) -> str:
    """Return what the session's cookie holds, "" for none."""
    return request.cookies.get(cookie_name(site_of(request), SESSION), "")


def visitor_of(request: Request) -> str:
    """Return what the visitor's cookie holds, or will hold when the answer is sent."""
    there = request.cookies.get(cookie_name(site_of(request), VISITOR), "")
    if not there:
        there = getattr(request.state, "visitor", "") or secrets.token_urlsafe(24)
        request.state.visitor = there
    return there


def secret_of(request: Request) -> str:
    """Return what this browser's forms have to hold."""
    cookie = token_of(request) or visitor_of(request)
    return hashlib.sha256(b"gatepost form " + cookie.encode("utf-8", "replace")).hexdigest()


def set_cookie(request: Request, response: Response, name: str, value: str, age: int | None = None) -> None:
    """Give the browser a cookie that scripts cannot read and other sites cannot send along with a form."""
    site = site_of(request)
    response.set_cookie(
        cookie_name(site, name), value, age, path="/", secure=site.secure, httponly=True, samesite="lax"
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Take a cookie away."""
    site = site_of(request)
    response.delete_cookie(
        cookie_name(site, name), path="/", secure=site.secure, httponly=True, samesite="lax"
    )


def keep_language(request: Request, response: Response, language: str) -> None:
    """Have the browser remember a language; "" has it forget, so that its own settings hold again."""
    site = site_of(request)
    response.set_cookie(
        LANGUAGE,
        language,
        LANGUAGE_AGE if language else 0,
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )
