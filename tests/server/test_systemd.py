"""We speak to systemd as sd_notify(3) and sd_listen_fds(3) have it, and to nobody where it is not there."""

import os
import socket
import sys
from pathlib import Path

import pytest

from gatepost.server.systemd import Notifier, listen_sockets


def service_manager(address: str) -> socket.socket:
    """Stand in for systemd."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(address)
    sock.settimeout(30)
    return sock


@pytest.mark.parametrize("abstract", [False, True])
def test_what_is_said(tmp_path: Path, abstract: bool) -> None:
    """Each state as the service manager reads it, also over an abstract socket."""
    name = f"@gatepost-{os.getpid()}" if abstract else str(tmp_path / "notify")
    environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42", "HOME": "/"}
    with service_manager("\0" + name[1:] if abstract else name) as manager:
        notifier = Notifier(environ, 42)
        assert environ == {"HOME": "/"}, "children must not think that it is meant for them"
        assert notifier.watchdog == 15.0
        notifier.ready("2 workers")
        notifier.reloading()
        notifier.alive()
        notifier.stopping("draining")
        heard = [manager.recv(200).decode() for _ in range(4)]
    assert heard[0] == "READY=1\nSTATUS=2 workers"
    assert heard[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[2:] == ["WATCHDOG=1", "STOPPING=1\nSTATUS=draining"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_systemd_nothing_happens(environ: dict[str, str]) -> None:
    """No variable, or nobody behind it: no error."""
    notifier = Notifier(environ, 1)
    notifier.ready("")
    notifier.alive()
    assert notifier.watchdog == 0.0


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "7", "LISTEN_FDS": "1"},
        {"LISTEN_PID": "42", "LISTEN_FDS": "x"},
        {"LISTEN_PID": "", "LISTEN_FDS": "1"},
    ],
)
def test_sockets_meant_for_another_are_left_alone(environ: dict[str, str]) -> None:
    """The process id must be ours."""
    assert listen_sockets(environ, 42) == []
    assert environ == {}


CHILD = """
import os, sys
from gatepost.server.systemd import listen_sockets
from gatepost.server.sockets import open_listeners
found = listen_sockets(os.environ, os.getpid())
(listener,) = open_listeners(["127.0.0.1:1"], inherited=found)
print(found[0].name, listener.gettimeout(), os.get_inheritable(3), "LISTEN_FDS" in os.environ, flush=True)
listener.setblocking(True)
listener.accept()[0].sendall(b"220 activated")
"""


def test_socket_activation() -> None:
    """A program started as systemd starts it answers on the socket that it was given."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        out, into = os.pipe()
        pid = os.fork()
        if not pid:
            os.dup2(into, 1)
            os.dup2(listener.fileno(), 3, inheritable=True)
            path = {"PYTHONPATH": os.pathsep.join(sys.path)}
            ours = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "smtp"}
            os.execve(sys.executable, [sys.executable, "-c", CHILD], path | ours)
        os.close(into)
        with os.fdopen(out) as said, socket.create_connection(listener.getsockname(), 20) as client:
            assert said.readline() == "smtp 0.0 False False\n"
            assert client.recv(100) == b"220 activated"
        assert os.waitpid(pid, 0)[1] == 0
