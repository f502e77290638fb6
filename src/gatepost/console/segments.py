"""A `/` inside one segment of a path: `/mailboxes/a%2Fb/checks` is the mailbox `a/b`.

The framework looks at the path with every `%XX` decoded, where `%2F` can no longer be told from the `/`
between segments, and a local part may hold one (RFC 5321, 4.1.2: it is an atom's character). So `Segments`
puts a character that no text has in its place before anybody looks, and a route that takes a part of an
address (`{local:part}`) gets the `/` back. Any other route sees a name that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request

MARK = "\ufdd0"
"""In the place of an encoded `/`: a noncharacter, which Unicode keeps for a program's own use."""
_ENCODED = re.compile("%2f", re.IGNORECASE)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Part(Convertor[str]):
    """One segment, with each `/` that was encoded in it."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Return what is meant."""
        return value.replace(MARK, "/")

    def to_string(self, value: str) -> str:
        """Return how it stands in a path."""
        return value.replace("/", MARK)


register_url_convertor("part", Part())


class Segments:
    """Keeps an encoded `/` within its segment; plain ASGI, the outermost."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            path = decoded(scope.get("raw_path") or b"")
            if path is not None:
                scope["path"] = path
        await self._app(scope, receive, send)


def decoded(raw: bytes) -> str | None:
    """Return a path as the server decodes it, but for an encoded `/`; None where there is none."""
    text = raw.partition(b"?")[0].decode("latin-1")
    if _ENCODED.search(text) is None:
        return None
    return unquote(_ENCODED.sub(MARK, text))


def as_asked(request: Request) -> str:
    """Return path and query as they were asked for: good in a link, whatever was encoded in them."""
    raw: bytes = request.scope.get("raw_path") or b""
    path = raw.partition(b"?")[0].decode("latin-1") or request.url.path
    return path + (f"?{request.url.query}" if request.url.query else "")
