"""What a link of a digest opens: the mail it is about, and a button. Wants no session and no script.

Asking for the page changes nothing, since mail scanners follow links; the button delivers, once. A link
that is none of ours is answered the same whatever is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from gatepost.console.cookies import site_of
from gatepost.console.digest_mail import line
from gatepost.console.limits import limit, note
from gatepost.console.render import show_to_anyone
from gatepost.desk import archive, digest_links, domains
from gatepost.desk.desk import Desk
from gatepost.desk.digest_links import BadLink, GoneLink, Link
from gatepost.desk.errors import DeskError
from gatepost.desk.releasing import Doubtful

router = APIRouter()
REQUESTS, MINUTE = 120, 60.0
"""Requests of one network in a minute: a scanner that follows all links of a digest is let through."""
WRONG, WHILE = 30, 900.0
"""Links that are none, from one network, until it has to wait."""

Token = Annotated[str, Path(max_length=digest_links.LONGEST)]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a digest, as far as the words go: the browser's language, the domain's zone."""

    zone: str
    language: str = ""


@router.get("/digest/{token}")
def look(request: Request, token: Token) -> Response:
    """Show what the link is about."""
    _limited(request)
    with site_of(request).desk_for("digest link", False) as desk:
        try:
            link, kept = digest_links.look(desk, token)
            release = archive.state(desk, kept)
        except DeskError as error:
            return _refused(request, error)
        return _page(request, desk, link, "look", kept=kept, state=release.state)


@router.post("/digest/{token}")
def use(request: Request, token: Token) -> Response:
    """Deliver it."""
    _limited(request)
    site = site_of(request)
    with site.desk_for("digest link", False) as desk:
        try:
            who = digest_links.by(digest_links.read(desk, token))
        except BadLink as error:
            return _refused(request, error)
    with site.desk_for(who, False) as desk:
        try:
            link, release = digest_links.use(desk, token)
        except Doubtful as error:
            return _withheld(request, desk, digest_links.read(desk, token), error)
        except (BadLink, GoneLink) as error:
            return _refused(request, error)
        return _page(request, desk, link, "done", kept=release.kept, state=release.state)


def _limited(request: Request) -> None:
    limit(request, "wrong digest links", WRONG, WHILE, count=False)
    limit(request, "digest links", REQUESTS, MINUTE)


def _refused(request: Request, error: DeskError) -> Response:
    if isinstance(error, BadLink):
        note(request, "wrong digest links", WHILE)
        return show_to_anyone(request, "digest_link.html", status=404, step="bad")
    return show_to_anyone(request, "digest_link.html", status=410, step="gone")


def _withheld(request: Request, desk: Desk, link: Link, error: Doubtful) -> Response:
    """Say why a scan stands against it, and what the reader can do; nothing was done.

    What was found is told; not which scanner is silent where, which is the machine's own affair.
    """
    step, status = ("found", 409) if error.doubt.answered else ("unscanned", 503)
    return _page(request, desk, link, step, status, kept=error.kept, state="", why=error.doubt.said)


def _page(request: Request, desk: Desk, link: Link, step: str, status: int = 200, **values: Any) -> Response:
    request.state.user = Reader(domains.resolved(desk, link.domain)[0].digest_zone)
    return show_to_anyone(
        request, "digest_link.html", status=status, step=step, link=link, line=line, **values
    )
