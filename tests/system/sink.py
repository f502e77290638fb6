"""Postfix's smtp-sink: a back end that takes everything at once, and keeps what it took."""

from __future__ import annotations

import os
from pathlib import Path

from tests.system.process import Child, free_port, greets, program


class Sink:
    """A running smtp-sink; each transaction becomes a file."""

    def __init__(self, top: Path, *options: str, port: int = 0) -> None:
        self.top = top
        self.port = port or free_port()
        command = [program("smtp-sink", "postfix"), "-c", "-d", str(top / "got.%M."), *options]
        if os.geteuid() == 0:
            top.chmod(0o777)
            command += ["-u", "nobody"]
        self.child = Child("sink", [*command, f"127.0.0.1:{self.port}", "100"], top)
        self.child.wait_for(lambda: greets(self.port))
        self._seen: list[Path] = []

    def messages(self) -> list[bytes]:
        """Return what came, oldest first, each with smtp-sink's X- lines (client, envelope) on top."""
        # By time, for smtp-sink ends a name with a random number; of two within one tick of the kernel's
        # clock the one that was seen here before is the older.
        there = set(self.top.glob("got.*"))
        self._seen = [path for path in self._seen if path in there]
        new = sorted((path.stat().st_mtime_ns, path) for path in there.difference(self._seen))
        self._seen += [path for _, path in new]
        return [path.read_bytes() for path in self._seen]

    def stop(self) -> None:
        """End it."""
        self.child.stop()
