"""Metrics and health over HTTP: /metrics for Prometheus, /healthz, /readyz. For the local network only."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

from gatepost.app.following import Follower
from gatepost.server.board import Board
from gatepost.server.sockets import parse_host_port
from gatepost.telemetry import metrics
from gatepost.telemetry.log import Log

REQUEST_SECONDS = 5
MAX_LINE = 4_096


class StatusServer:
    """Answers GET of three paths; everything else is 404."""

    def __init__(self, listen: str, data: Path, board: Board, follower: Follower, log: Log) -> None:
        self._listen = listen
        self._data = data
        self._board = board
        self._follower = follower
        self._log = log
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; that the port is taken is said and stops nothing."""
        if not self._listen:
            return
        host, port = parse_host_port(self._listen)
        try:
            self._server = await asyncio.start_server(self._answer, host or None, port, limit=MAX_LINE)
        except OSError as error:
            self._log.event("metrics", "error", listen=self._listen, why=error.strerror or str(error))

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                line = await reader.readline()
                while (await reader.readline()).strip():
                    pass
                parts = line.split()
                path = parts[1].decode("latin-1") if len(parts) == 3 and parts[0] in (b"GET", b"HEAD") else ""
                status, kind, text = self._page(path.partition("?")[0])
                body = text.encode()
                head = (
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + (b"" if parts and parts[0] == b"HEAD" else body))
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # a scraper that gave up, or one that speaks no HTTP
        finally:
            writer.close()

    def _page(self, path: str) -> tuple[HTTPStatus, str, str]:
        if path == "/metrics":
            return HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", self.text()
        if path == "/healthz":
            return HTTPStatus.OK, "text/plain", "ok\n"
        if path == "/readyz":
            versions = self._board.versions()
            ready = len(versions) > 1 and bool(self._follower.live.snapshot)
            return (
                (HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE),
                "text/plain",
                (f"{'ready' if ready else 'not ready'}; policy versions in force: {versions}\n"),
            )
        return HTTPStatus.NOT_FOUND, "text/plain", "not here: /metrics, /healthz, /readyz\n"

    def text(self) -> str:
        """Return the metrics of all processes together."""
        return metrics.render(metrics.merge([metrics.snapshot(), *metrics.written(self._data / "run")]))
