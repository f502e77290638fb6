"""A console on a port of this process, so that a browser can look at it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import uvicorn

from gatepost.app.console import open_socket


class Served:
    """An app that answers on 127.0.0.1 until it is closed."""

    def __init__(self, app: Any) -> None:
        self.sock = open_socket("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}"
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.run(self.server.serve([self.sock]))

    def close(self) -> None:
        """Answer no more."""
        self.server.should_exit = True
        self.thread.join(10)
        self.sock.close()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
