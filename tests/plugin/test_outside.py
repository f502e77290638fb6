"""The ways to a scanner: what it answers is input, so it is bounded and its nonsense is an error."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatepost.plugin.outside import HttpAnswer, OutsideError, http, stream
from tests.soon import soon


@contextlib.asynccontextmanager
async def server(answer: bytes, asked: list[bytes] | None = None) -> AsyncIterator[int]:
    """Serve one answer to whoever comes; give the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        sizes = [int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")]
        body = await reader.readexactly(sum(sizes))
        if asked is not None:
            asked.append(head + body)
        writer.write(answer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def ask(answer: bytes, method: str = "GET", body: bytes = b"") -> HttpAnswer:
    """Return what is made of an answer."""

    async def run() -> HttpAnswer:
        async with server(answer) as port:
            return await http(method, f"http://127.0.0.1:{port}/x", body=body)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", b"body"),
        (b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", b"body"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\n\r\n",
            b"body",
        ),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_answers(answer: bytes, body: bytes) -> None:
    """By length, by chunks, until the end (RFC 9112, 6)."""
    said = ask(answer)
    assert (200, body) == (said.status, said.body)


def test_no_body() -> None:
    """204 and the answer to HEAD have none."""
    assert HttpAnswer(204, {"a": "b"}, b"") == ask(b"HTTP/1.1 204 No\r\nA: b\r\n\r\n")
    assert b"" == ask(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD").body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 smtp.example.net ESMTP\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1 + b"".join(b"H%d: x\r\n" % n for n in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
def test_nonsense(answer: bytes) -> None:
    """Garbage, too short, too long: one kind of error."""
    with pytest.raises(OutsideError):
        ask(answer)


def test_request() -> None:
    """What is sent: the target, the host, the caller's headers, the body with its length."""

    async def run() -> None:
        asked: list[bytes] = []
        async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", asked) as port:
            await http("POST", f"http://127.0.0.1:{port}/check?v=2", {"From": "a@b.example"}, b"mail")
            with pytest.raises(OutsideError, match="control characters"):
                await http("POST", f"http://127.0.0.1:{port}/", {"From": "a\r\nX: y"})
        head, _, body = asked[0].partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert b"POST /check?v=2 HTTP/1.1" == lines[0]
        assert {b"Host: 127.0.0.1:%d" % port, b"From: a@b.example", b"Content-Length: 4"} < set(lines)
        assert b"mail" == body

    asyncio.run(run())


@pytest.mark.parametrize("url", ["ftp://x/", "http:///x", "file:///etc/passwd", "x"])
def test_bad_url(url: str) -> None:
    """Only http and https, with a host."""
    with pytest.raises(OutsideError, match="is not an http or https URL"):
        asyncio.run(http("GET", url))


def test_stream(tmp_path: Path) -> None:
    """A socket file or host and port; closed at the end."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
        closed.append(True)
        writer.close()

    closed: list[bool] = []

    async def run() -> None:
        path = str(tmp_path / "socket")
        unix = await asyncio.start_unix_server(echo, path)
        tcp = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = tcp.sockets[0].getsockname()[1]
        async with unix, tcp:
            for address in (f"unix:{path}", f"127.0.0.1:{port}"):
                async with stream(address) as (reader, writer):
                    writer.write(b"ping\n")
                    assert b"PING\n" == await reader.readline()
            await soon(lambda: len(closed) == 2)
        for wrong in ("127.0.0.1", "127.0.0.1:", ":25", "host:name"):
            with pytest.raises(OutsideError, match="is neither"):
                async with stream(wrong):
                    pass

    asyncio.run(run())
