"""A server under test: prepared, started in a group of its own, waited for, stopped.

Each peer is a subclass that writes its configuration and names its command. What all share is here.
"""

import contextlib
import os
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from bench.groups import Group, new_group
from bench.places import SINK_PORT, BenchError, free_port, fresh

KNOWN_USERS = 10_000
DOMAIN = "example.org"


class Server(ABC):
    """One server on one port of 127.0.0.1."""

    name = ""
    title = ""
    settles_in = 0.5
    """Seconds after a load before its background work can be over."""
    idles_at = 0.0
    """CPU seconds that it needs in half a second of doing nothing, as seen so far; 0: not seen yet."""

    def __init__(self, sink_port: int = 0) -> None:
        self.sink_port = sink_port
        self.port = free_port()
        self.folder = Path()
        self.group: Group | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.started_in = 0.0

    @abstractmethod
    def prepare(self) -> None:
        """Write configuration and data into self.folder."""

    @abstractmethod
    def command(self) -> list[str]:
        """What runs in the foreground until it gets TERM."""

    def version(self) -> str:
        return ""

    def check(self, sessions: int) -> str:
        """After a workload: what is wrong with what the server itself recorded, or nothing."""
        return ""

    def start(self) -> None:
        self.folder = fresh(self.name)
        self.prepare()
        self.group = new_group(self.name)
        log = self.folder / "output.log"
        began = time.monotonic()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self.group.wrap(self.command()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self.folder,
            )
        self.group.started(self.process.pid)
        while not self.greets():
            if self.process.poll() is not None or time.monotonic() - began > 60:
                said = log.read_text(errors="replace")[-1500:]
                self.stop()
                raise BenchError(f"{self.name} did not start:\n{said}")
            time.sleep(0.02)
        self.started_in = time.monotonic() - began

    def greets(self) -> bool:
        """Whether it answers as a server of its kind does."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=3) as client,
        ):
            if client.recv(512).startswith(b"220"):
                client.sendall(b"QUIT\r\n")
                client.recv(512)
                return True
        return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(8)
        if self.group is not None:
            self.group.close()
            self.group = None
        if self.process is not None:
            self.process.wait()
            self.process = None

    def running(self) -> Group:
        assert self.group is not None, f"{self.name} is not running"
        return self.group


class Sink(Server):
    """Postfix's smtp-sink: the back end behind every relay, outside what is measured."""

    name = "smtp-sink"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port(SINK_PORT)

    def prepare(self) -> None:
        pass

    def command(self) -> list[str]:
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        return ["smtp-sink", *user, "-m", "1000", f"127.0.0.1:{self.port}", "1024"]
