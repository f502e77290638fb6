"""Whose session a request names: what a page, the guard and a page about a fault ask before anything else."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from gatepost.console.cookies import site_of, token_of
from gatepost.console.site import Person, Site, Visit
from gatepost.store.base import StoreError


def visit_of(request: Request, site: Site) -> Visit | None:
    """Return the session of the cookie, or what a program's token opens (below /api alone)."""
    sent = request.headers.get("authorization")
    if sent is not None:
        # Whoever sends a token is judged by it: the guard asked for no form's secret.
        scheme, _, token = sent.partition(" ")
        if scheme.lower() != "bearer" or not request.url.path.startswith("/api/"):
            return None
        with site.desk_for("console", False) as desk:
            return site.bearer(desk, token.strip())
    token = token_of(request)
    if not token:
        return None
    with site.desk_for("console", False) as desk:
        return site.accounts.who(desk, token)


def person_of(request: Request) -> Person | None:
    """Return who is signed in, for a page about a fault; a store that does not answer knows nobody.

    Such a page may be shown before anybody asked: no route has this path, or the guard refused the form.
    """
    if not hasattr(request.state, "person"):
        try:
            visit = visit_of(request, site_of(request))
        except (StoreError, OSError):
            return None
        request.state.person = visit.user if visit is not None else None
        if visit is not None:
            request.state.user = visit.user
    return request.state.person  # type: ignore[no-any-return]


def our_names(request: Request) -> set[str]:
    """Return the hosts (with ports) that this console is reached by."""
    names = {request.headers.get("host", "")}
    public = site_of(request).public_url
    if public:
        names.add(urlsplit(public).netloc)
    return names


def came_from(request: Request) -> str:
    """Return the path of our own page that led here, "" where none did: the way back from a fault."""
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    path = referer.path + (f"?{referer.query}" if referer.query else "")
    ours = (
        referer.netloc in our_names(request) and path.startswith("/") and not path.startswith(("//", "/\\"))
    )
    is_here = request.method == "GET" and referer.path == request.url.path
    return path if ours and not is_here else ""
