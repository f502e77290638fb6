"""What we say to systemd and what it hands us: sd_notify(3), sd_listen_fds(3), the watchdog.

Written out here because it is forty lines and a library would be a dependency. Without systemd every
function does nothing. The variables are taken out of the environment once read, so that a child
never believes that they are meant for it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from typing import NamedTuple

FIRST_FD = 3
"""SD_LISTEN_FDS_START: the inherited descriptors begin here."""


class Inherited(NamedTuple):
    """A listening socket that systemd opened for us (socket activation)."""

    name: str
    """`FileDescriptorName=` of the socket unit; systemd gives the unit's name where none is set."""
    socket: socket.socket


class Notifier:
    """Speaks to the service manager; silent where there is none."""

    __slots__ = ("_address", "watchdog")

    def __init__(self, environ: MutableMapping[str, str], pid: int) -> None:
        self._address = environ.pop("NOTIFY_SOCKET", "")
        self.watchdog = _watchdog_seconds(environ, pid)
        """Say `alive` at least this often (half of WatchdogSec=), 0.0 where systemd does not watch."""

    def ready(self, status: str) -> None:
        """We answer: `systemctl start` returns."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """HUP came; `ready` follows (the time is for Type=notify-reload, systemd 253)."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        """TERM came; what follows is not a failure."""
        self._send(f"STOPPING=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """Keep the watchdog quiet."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the zero byte of an abstract socket.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.setblocking(False)
                to.sendto(message.encode("utf-8", "replace"), address)
        except OSError:
            # A service manager that does not listen is no reason to stop mail.
            pass


def listen_sockets(environ: MutableMapping[str, str], pid: int) -> list[Inherited]:
    """Return the sockets of socket activation, none where they are not meant for this process."""
    for_pid, count, names = (environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"))
    if for_pid != str(pid) or not count.isdecimal():
        return []
    named = names.split(":") if names else []
    found = []
    for at in range(int(count)):
        os.set_inheritable(FIRST_FD + at, False)
        sock = socket.socket(fileno=FIRST_FD + at)
        sock.setblocking(False)
        found.append(Inherited(named[at] if at < len(named) else "unknown", sock))
    return found


def _watchdog_seconds(environ: MutableMapping[str, str], pid: int) -> float:
    """Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises."""
    for_pid, microseconds = environ.pop("WATCHDOG_PID", ""), environ.pop("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or for_pid not in ("", str(pid)):
        return 0.0
    return int(microseconds) / 2_000_000
