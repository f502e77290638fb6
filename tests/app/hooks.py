"""A real HTTP server that takes alarms, and says what the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hook:
    """What came, and what is answered."""

    def __init__(self) -> None:
        self.status = 204
        self.came: list[dict[str, Any]] = []
        self.secrets: list[str] = []
        self.tries = 0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.tries += 1
                if hook.status < 300:
                    hook.came.append(json.loads(body))
                    hook.secrets.append(self.headers.get("Authorization", ""))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it takes them."""
        return f"http://127.0.0.1:{self.server.server_port}/alarms?key=s3cret"

    @property
    def events(self) -> list[tuple[str, str]]:
        """What came: event and alarm."""
        return [(one["event"], one.get("alarm", "")) for one in self.came]


@contextmanager
def listening() -> Iterator[Hook]:
    """Run one."""
    hook = Hook()
    thread = threading.Thread(target=hook.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        hook.server.server_close()
