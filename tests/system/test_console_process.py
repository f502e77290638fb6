"""The console is a process of its own: answers beside the workers, comes back when killed, ends with them."""

import os
import signal
import urllib.request
from pathlib import Path

import pytest

from tests.system.gateway import Gateway
from tests.system.process import free_port, greets, wait_until

pytestmark = pytest.mark.system


def answers(port: int) -> bool:
    """Say whether the sign-in page is there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=5) as answer:
            return b"<h1>Sign in</h1>" in answer.read()
    except OSError:
        return False


def pid_of(gateway: Gateway) -> int:
    """Return the console's process."""
    assert gateway.child is not None
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            status = path.with_name("stat").read_text()
            if (
                path.read_text().strip() == "gatepost-consol"
                and int(status.split()[3]) == gateway.child.process.pid
            ):
                return int(path.parent.name)
        except OSError:
            continue
    return 0


def test_console_process(tmp_path: Path) -> None:
    """It answers, is replaced after KILL while mail goes on, and TERM ends it with status 0."""
    port = free_port()
    gateway = Gateway(tmp_path, {"console": {"listen": f"127.0.0.1:{port}"}})
    gateway.start()
    try:
        wait_until(lambda: answers(port), "the sign-in page")
        first = pid_of(gateway)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: pid_of(gateway) not in (0, first) and answers(port), "the console again")
        assert greets(gateway.port)
    finally:
        status = gateway.stop()

    assert 0 == status
    assert not answers(port)


def test_who_is_first(tmp_path: Path) -> None:
    """One line of the log and the sign-in page say what to type, until it was typed."""
    port = free_port()
    gateway = Gateway(tmp_path, {"console": {"listen": f"127.0.0.1:{port}"}})
    line = f"--config {gateway.config} user add admin --role admin"

    def page() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=5) as answer:
            return str(answer.read().decode())

    gateway.start()
    try:
        wait_until(lambda: answers(port), "the sign-in page")
        assert line in page()
        said = [one for one in gateway.said().splitlines() if "no_administrator" in one]
        assert (1, True) == (len(said), line in said[0])
        gateway.cli("user", "add", "admin", "--role", "admin")
        assert "user add" not in page()
    finally:
        gateway.stop()
