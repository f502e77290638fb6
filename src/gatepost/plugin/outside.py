"""The two ways to a scanner: a byte stream and an HTTP request, both bounded.

`ctx.stream` and `ctx.http` are these. Time limits are the pipeline's (a plugin that waits too
long is cut off); sizes are bounded here, because an answer from outside is input.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

LINE_LIMIT = 65_536
MAX_HEADERS = 100
MAX_BODY = 16 << 20


class OutsideError(Exception):
    """The other side said something that is not its protocol, or too much of it."""


@asynccontextmanager
async def stream(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open `unix:/path` or `host:port`; closed at the end of the `async with`."""
    if address.startswith("unix:"):
        reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"), limit=LINE_LIMIT)
    else:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise OutsideError(f"{address!r} is neither unix:/path nor host:port")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=LINE_LIMIT)
    try:
        yield reader, writer
    finally:
        writer.close()


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of several with one name, the last."""
    body: bytes


async def http(
    method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> HttpAnswer:
    """Make one request over a connection of its own (HTTP/1.1, RFC 9112)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OutsideError(f"{url!r} is not an http or https URL")
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, limit=LINE_LIMIT, ssl=secure)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        host = {"Host": parts.netloc.rpartition("@")[2], **(headers or {})}
        writer.write(_request(method, target, host, body))
        await writer.drain()
        return await _answer(reader, method)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise OutsideError(f"{url}: {error}") from error
    finally:
        writer.close()


def _request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body)}")
    if any(not line.isprintable() for line in lines):
        raise OutsideError("a header or URL with control characters")
    return "\r\n".join((*lines, "", "")).encode("latin-1", "replace") + body


async def _answer(reader: asyncio.StreamReader, method: str) -> HttpAnswer:
    version, _, rest = (await _line(reader)).partition(" ")
    if not version.startswith("HTTP/1."):
        raise OutsideError("not an HTTP answer")
    status = int(rest[:3])
    headers: dict[str, str] = {}
    while line := await _line(reader):
        name, colon, value = line.partition(":")
        if not colon or len(headers) >= MAX_HEADERS:
            raise OutsideError("bad header in an HTTP answer")
        headers[name.strip().lower()] = value.strip()
    if method == "HEAD" or status in (204, 304):
        return HttpAnswer(status, headers, b"")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return HttpAnswer(status, headers, await _chunks(reader))
    if "content-length" in headers:
        size = int(headers["content-length"])
        if not 0 <= size <= MAX_BODY:
            raise OutsideError(f"an HTTP answer of {size} bytes")
        return HttpAnswer(status, headers, await reader.readexactly(size))
    body = bytearray()
    while piece := await reader.read(LINE_LIMIT):
        body += piece
        if len(body) > MAX_BODY:
            raise OutsideError("an HTTP answer without end")
    return HttpAnswer(status, headers, bytes(body))


async def _line(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\n")).decode("latin-1").rstrip("\r\n")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await _line(reader)).partition(";")[0], 16):
        if size < 0 or len(body) + size > MAX_BODY:
            raise OutsideError("an HTTP answer that is too long")
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return bytes(body)
