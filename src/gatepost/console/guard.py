"""What is done to every request: it comes from our own page, is not too large, and gets safe headers back.

A request that changes something needs three things: no other site's `Origin`, no `Sec-Fetch-Site` that
says so, and the form's secret (field `csrf`, or header `X-CSRF-Token`), which only a page of ours can
know: it is made from the cookie that scripts cannot read. A program with a bearer token (below /api alone)
sends no cookie, so none of this concerns it.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from gatepost.console.cookies import secret_of, site_of
from gatepost.console.errors import Forbidden, answer
from gatepost.console.visit import our_names, visit_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BODY = 64 << 20
"""Bytes of one request: an import of recipients is the largest."""
STRANGER = 256 << 10
"""Bytes that somebody may send who is not signed in: a request is read before it is known who asks."""
FORM_FIELDS = 2_000

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "cache-control": "no-store",
}
"""Sent with every answer that does not bring its own."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Shield:
    """Bounds the request and adds the headers; plain ASGI, so that streams stay streams."""

    def __init__(self, app: App, *, secure: bool) -> None:
        self._app = app
        headers = dict(HEADERS)
        if secure:
            headers["strict-transport-security"] = "max-age=31536000"
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken, begun, bound = 0, False, STRANGER

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal taken, bound
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > bound == STRANGER and await run_in_threadpool(_is_known, scope):
                bound = MAX_BODY
            if taken > bound:
                raise HTTPException(413)
            return message

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                present = {name.lower() for name, _ in message.get("headers", ())}
                more = [one for one in self._headers if one[0] not in present]
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        try:
            await self._app(scope, bounded, with_headers)
        except Exception as error:
            request = Request(scope)
            request.app.state.report("console_fault", request.url.path, error)
            if begun:
                raise  # half an answer is out: the connection is cut
            response = await run_in_threadpool(answer, request, 500)
            await response(scope, receive, with_headers)


def _is_known(scope: Scope) -> bool:
    request = Request(scope)
    return visit_of(request, site_of(request)) is not None


async def from_our_own_page(request: Request) -> None:
    """Refuse what another site made this browser send; a dependency of every route."""
    is_program = request.headers.get("authorization") and request.url.path.startswith("/api/")
    if request.method in SAFE or is_program:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc not in our_names(request):
        raise Forbidden
    said = request.headers.get("x-csrf-token", "")
    if not said:
        kind = request.headers.get("content-type", "")
        if kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
            form = await request.form(max_fields=FORM_FIELDS)
            value = form.get("csrf", "")
            said = value if isinstance(value, str) else ""
    if not hmac.compare_digest(said.encode(), secret_of(request).encode()):
        raise Forbidden
