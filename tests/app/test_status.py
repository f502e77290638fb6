"""Metrics and health over HTTP: three pages, nothing else, and nobody can hold them up."""

import asyncio
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from gatepost.app.status import StatusServer
from gatepost.telemetry.log import Log
from tests.system.process import free_port


def asked(tmp_path: Path, *requests: bytes, ready: bool = True) -> list[bytes]:
    """Start the server, send each request over a connection of its own, and return the answers."""
    port = free_port()
    board = cast(Any, SimpleNamespace(versions=lambda: [3, 3] if ready else [0]))
    follower = cast(Any, SimpleNamespace(live=SimpleNamespace(snapshot=object())))
    log = Log(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT))

    async def go() -> list[bytes]:
        server = StatusServer(f"127.0.0.1:{port}", tmp_path, board, follower, log)
        await server.start()
        answers = []
        for request in requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            writer.write_eof()
            answers.append(await reader.read())
            writer.close()
        await server.stop()
        return answers

    return asyncio.run(go())


def test_metrics_of_all_processes(tmp_path: Path) -> None:
    """What the workers left in their files is added up; a broken file is passed over."""
    run = tmp_path / "run"
    run.mkdir()
    for n in (1, 2):
        (run / f"metrics-w{n}.json").write_text(
            json.dumps({"gatepost_message_bytes_total": [[[], 1000 * n]]})
        )
    (run / "metrics-w3.json").write_text("{")

    (answer,) = asked(tmp_path, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"text/plain; version=0.0.4" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"\ngatepost_message_bytes_total 3000\n" in body


def test_health_and_readiness(tmp_path: Path) -> None:
    """Alive is alive; ready is only who has a worker with a policy."""
    requests = [b"GET /healthz HTTP/1.0\r\n\r\n", b"GET /readyz HTTP/1.0\r\n\r\n"]

    well = asked(tmp_path, *requests)
    early = asked(tmp_path, *requests, ready=False)

    assert [b"200", b"200"] == [answer.split()[1] for answer in well]
    assert [b"200", b"503"] == [answer.split()[1] for answer in early]


def test_everything_else_is_not_here(tmp_path: Path) -> None:
    """Other paths, other methods and nonsense get 404 or nothing, and the next one is answered."""
    answers = asked(
        tmp_path,
        b"GET /../../etc/passwd HTTP/1.1\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\n\r\n",
        b"\0\xff\r\n\r\n",
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n",
        b"HEAD /healthz HTTP/1.1\r\n\r\n",
    )

    assert [b"404", b"404", b"404"] == [answer.split()[1] for answer in answers[:3]]
    assert not answers[3]
    assert answers[4].startswith(b"HTTP/1.1 200")
    assert answers[4].endswith(b"\r\n\r\n")


def test_a_taken_port_stops_nothing(tmp_path: Path) -> None:
    """The gateway runs on without metrics, and says so."""
    port = free_port()

    async def go() -> None:
        taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
        log = Log(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT))
        server = StatusServer(f"127.0.0.1:{port}", tmp_path, cast(Any, None), cast(Any, None), log)
        await server.start()
        await server.stop()
        taken.close()

    asyncio.run(go())
    assert "event=metrics" in (tmp_path / "log").read_text()
