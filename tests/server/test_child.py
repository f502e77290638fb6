"""A child begins clean, is heard when ready, and does not outlive its parent unseen."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.server.child import Child, say_ready
from tests.system.process import wait_until


def status_of(body: Callable[[int], None]) -> int:
    """Run it as a child and return how it ended."""
    child = Child("test", 0, body)
    child.start(0.0, [])
    _, raw = os.waitpid(child.pid, 0)
    child.bury()
    return os.waitstatus_to_exitcode(raw)


def open_now() -> int:
    """How many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def leave(status: object) -> Callable[[int], None]:
    """A body that leaves with this."""

    def body(_: int) -> None:
        raise SystemExit(status)

    return body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (lambda _: None, 0),
        (leave(7), 7),
        (leave(None), 0),
        (leave("a word"), 1),
        (lambda _: 1 // 0, 1),
        (lambda _: os.kill(os.getpid(), signal.SIGTERM), -signal.SIGTERM),
        (lambda _: os.kill(os.getpid(), signal.SIGINT), 0),
        (lambda _: os.kill(os.getpid(), signal.SIGHUP), 0),
    ],
)
def test_how_it_ends(body: Callable[[int], None], status: int) -> None:
    """Returns, raises, is told: it never comes back into the parent's code; INT and HUP do nothing yet."""
    assert status_of(body) == status


def test_ready_is_heard_once() -> None:
    """The parent sees it become ready, and once only; silence is not readiness."""

    begin, let = os.pipe()

    def body(fd: int) -> None:
        os.read(begin, 1)
        say_ready(fd)
        time.sleep(60)

    child = Child("test", 0, body)
    child.start(0.0, [])
    assert not child.hear()
    os.write(let, b"!")
    wait_until(child.hear, "it says so")
    assert child.ready
    assert not child.hear()
    child.signal(signal.SIGKILL)
    os.waitpid(child.pid, 0)
    child.bury()
    child.signal(signal.SIGKILL)  # nobody there: nobody hit
    os.close(begin)
    os.close(let)
    assert (child.pid, child.fds) == (0, [])


def test_it_holds_nothing_of_the_parent() -> None:
    """Descriptors named as foreign are closed in it; nobody's end of a pipe stays open by accident."""
    out, into = os.pipe()
    before = open_now()
    mine = os.open("/dev/null", os.O_RDONLY)

    def body(fd: int) -> None:
        os.write(into, b"open" if Path(f"/proc/self/fd/{mine}").exists() else b"closed")

    child = Child("test", 0, body)
    child.start(0.0, [mine])
    assert os.read(out, 10) == b"closed"
    os.waitpid(child.pid, 0)
    child.bury()
    os.close(mine)
    assert open_now() == before, "nothing is left open in the parent"
    os.close(out)
    os.close(into)


def test_it_is_told_when_the_parent_dies() -> None:
    """kill -9 of the parent: the kernel sends the child TERM, with no help from the child's own code."""
    out, into = os.pipe()

    def body(fd: int) -> None:
        signal.signal(signal.SIGTERM, lambda *_: os.write(into, b"T") and os._exit(0))
        os.write(into, b"R")
        while True:
            time.sleep(60)

    parent = os.fork()
    if not parent:
        os.close(out)
        Child("test", 0, body).start(0.0, [])
        while True:
            time.sleep(60)
    os.close(into)
    assert os.read(out, 1) == b"R"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert os.read(out, 1) == b"T"
    assert os.read(out, 1) == b"", "it is gone"
    os.close(out)
