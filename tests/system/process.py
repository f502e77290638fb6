"""Real servers as child processes: ports, a directory that any user can enter, waiting, and a sure end."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

# Below the range of outgoing connections (32768...), and apart for processes that test at the same time.
_PORTS = itertools.cycle(range(10_000 + os.getpid() * 97 % 20_000, 32_000))


def program(name: str, package: str) -> str:
    """Return the path of a program; where it is missing the test fails and names the Debian package."""
    unpacked = TOP / ".cache" / package / "usr" / "sbin" / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name, path=SBIN)
    if found is None:
        pytest.fail(
            f"The Debian package {package} is missing ({name}). ./test installs it as root; "
            f"GATEPOST_TEST_WITHOUT={package} leaves its tests out.",
            pytrace=False,
        )
    return found


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens, neither by TCP nor by UDP."""
    for port in itertools.islice(_PORTS, 5000):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((host, port))
                udp.bind((host, port))
            except OSError:
                continue
        return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def open_directory(name: str) -> Iterator[Path]:
    """Make a temporary directory that servers may enter which run as another user; removed at the end."""
    path = Path(tempfile.mkdtemp(prefix=f"gatepost-{name}-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def wait_until(
    true: Callable[[], object], what: str, seconds: float = 30, child: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until something holds; fails with `what`, at once if the child has ended.

    The patience is for a machine that others keep busy: less would find no fault of ours.
    """
    end = time.monotonic() + seconds
    while not true():
        if child is not None and child.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with status {child.returncode}")
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def greets(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether an SMTP server greets there."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


class Child:
    """One server process with all of its children: started in a session of its own, killed with it."""

    def __init__(self, name: str, command: list[str], directory: Path, **environment: str) -> None:
        self.name = name
        self.output = directory / f"{name}.out"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, true: Callable[[], object], seconds: float = 20) -> None:
        """Wait until the server answers; what it said is in the error where it does not."""
        try:
            wait_until(true, self.name, seconds, self.process)
        except (RuntimeError, TimeoutError) as error:
            said = self.said()[-3000:]
            self.stop()
            pytest.fail(f"{error}\n{said}", pytrace=False)

    def said(self) -> str:
        """Return what it wrote to its standard output and error."""
        return self.output.read_text("utf-8", "replace")

    def stop(self, seconds: float = 5) -> int:
        """End it: TERM, then KILL for the whole group; returns its status."""
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass  # killed below
        self.kill()
        return self.process.wait(seconds)

    def kill(self) -> None:
        """Kill every process of its session at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
