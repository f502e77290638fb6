"""A template and values become a page, in the reader's language and zone.

What a template may use besides its values: `words` (numbers, times), `_()`, `many(one, many, n)` and
`{% trans %}`, `static(name)`, `here` (None before signing in, and where something went wrong), `who_asks`
(who is signed in), `csrf`, `menu`, `tabs`, `speaks` (languages to choose from before signing in).
Everything is escaped; nothing that a sender wrote is ever marked as safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gatepost.console import menu, rights
from gatepost.console.cookies import (
    SAID,
    VISITOR,
    cookie_name,
    drop_cookie,
    secret_of,
    set_cookie,
    site_of,
    token_of,
    visitor_of,
)
from gatepost.console.environment import environment
from gatepost.console.text import Words, language_names, words_for
from gatepost.desk import reviews
from gatepost.store.base import StoreError

if TYPE_CHECKING:
    from gatepost.console.auth import Here


def show(here: Here, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page for somebody who is signed in."""
    return _page(here.request, here, template, status, values)


def show_to_anyone(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page for whoever asks; it says nothing of anybody's domains."""
    return _page(request, None, template, status, values)


def part(here: Here, template: str, **values: Any) -> str:
    """Return a piece of a page, for what is sent later (server-sent events, htmx)."""
    return _rendered(here.request, here, template, values)


def words_of(request: Request, here: Here | None = None) -> Words:
    """Return the words of who reads."""
    user = here.user if here is not None else getattr(request.state, "user", None)
    return words_for(
        request.headers.get("accept-language", ""),
        request.cookies,
        site_of(request).clock(),
        user.language if user is not None else "",
        user.zone if user is not None else "",
    )


def _page(
    request: Request, here: Here | None, template: str, status: int, values: dict[str, Any]
) -> HTMLResponse:
    values = {"badges": _badges(here), **values}
    response = HTMLResponse(_rendered(request, here, template, values), status)
    site = site_of(request)
    if not token_of(request) and cookie_name(site, VISITOR) not in request.cookies:
        set_cookie(request, response, VISITOR, visitor_of(request))
    if cookie_name(site, SAID) in request.cookies:
        drop_cookie(request, response, SAID)
    return response


def _badges(here: Here | None) -> dict[str, int]:
    """Return how much waits behind words of the menu; a store that does not answer costs nobody the page."""
    if here is None:
        return {}
    try:
        return {"/reviews": reviews.waiting(here.desk, None if here.is_admin else list(here.user.domains))}
    except StoreError:
        return {}


def go(here: Here, path: str, said: str = "") -> RedirectResponse:
    """Go on to a page after a form, where a sentence is said once (already in the reader's language)."""
    response = RedirectResponse(path, 303)
    if said:
        set_cookie(here.request, response, SAID, quote(said[:1000]), 60)
    return response


def _rendered(request: Request, here: Here | None, template: str, values: dict[str, Any]) -> str:
    words = words_of(request, here)
    paths: frozenset[str] = request.app.state.paths
    # A page about a fault has no `here`, and the menu all the same where it is known who asked.
    person = here.user if here is not None else getattr(request.state, "person", None)
    is_admin = person is not None and rights.is_admin(person)
    return (
        environment(words.language)
        .get_template(template)
        .render(
            words=words,
            many=words.say_many,
            here=here,
            hostname=site_of(request).hostname,
            csrf=secret_of(request),
            path=request.url.path,
            paths=paths,
            who_asks=person,
            menu=menu.shown(menu.MENU, paths, is_admin) if person is not None else [],
            own=menu.shown(menu.OWN, paths, is_admin) if person is not None else [],
            tabs=menu.tabs(paths, is_admin, here.domain, request.url.path)
            if here is not None and here.domain
            else [],
            speaks=language_names() if not token_of(request) else {},
            said=unquote(request.cookies.get(cookie_name(site_of(request), SAID), "")),
            **values,
        )
    )
