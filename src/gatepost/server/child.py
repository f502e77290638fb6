"""A process that the parent forks: how it begins, how it is heard, how it learns that it is alone.

A child starts with clean signals, without the parent's descriptors, and in no case returns into the
parent's code. It says "ready" on a pipe. A second pipe is its lifeline: only the parent holds the
other end, so when the parent dies, however it dies, the kernel sends the child TERM (O_ASYNC with
F_SETSIG) and it drains; no process is left over that nobody watches.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

READY = b"R"
"""What a child writes to its `notify_fd` when it answers."""

HANDLED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
"""The parent's signals; blocked while it forks, so that a child never runs the parent's handlers."""


def say_ready(notify_fd: int) -> None:
    """Tell the parent that this process answers; called once by each worker."""
    try:
        os.write(notify_fd, READY)
    except BrokenPipeError:
        pass  # the parent is gone; TERM is on its way to us


@dataclass(slots=True)
class Child:
    """One place that the parent keeps filled: a worker's, the keeper's or a helper's."""

    name: str
    column: int | None
    """Its number on the board; None for a helper, which has none."""
    body: Callable[[int], None]
    """Runs the process; its argument is the `notify_fd`."""
    pid: int = 0
    """0: nobody is in the place now."""
    started: float = 0.0
    ready: bool = False
    mute: bool = False
    """It closed its end of the notify pipe: nothing more to hear."""
    killed: bool = False
    """The parent sent KILL because its loop stood still."""
    failures: int = 0
    """Early deaths in a row."""
    due: float = 0.0
    """When to fill the place (again)."""
    fds: list[int] = field(default_factory=list)
    """The parent's ends: of the notify pipe, to read; of the lifeline, to hold."""

    @property
    def notify(self) -> int:
        """The parent's end of the notify pipe."""
        return self.fds[0]

    def start(self, now: float, foreign: Iterable[int]) -> None:
        """Fork; `foreign` are the descriptors of the parent that the child must not hold."""
        heard, notify_fd = os.pipe()
        lifeline, held = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        try:
            pid = os.fork()
            if not pid:
                _live(self, notify_fd, lifeline, [*foreign, heard, held])
        except OSError:
            os.close(heard)
            os.close(held)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
            os.close(notify_fd)
            os.close(lifeline)
        os.set_blocking(heard, False)
        self.pid, self.started, self.fds = pid, now, [heard, held]
        self.ready = self.mute = self.killed = False

    def hear(self) -> bool:
        """Read what the child said; true when it has become ready just now."""
        if self.ready or self.mute:
            return False
        try:
            said = os.read(self.notify, 64)
        except BlockingIOError:
            return False
        self.mute = not said
        self.ready = READY in said
        return self.ready

    def signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.pid:
            os.kill(self.pid, number)

    def bury(self) -> None:
        """It was waited for: the place is empty."""
        for fd in self.fds:
            os.close(fd)
        self.fds = []
        self.pid = 0


def _live(child: Child, notify_fd: int, lifeline: int, foreign: list[int]) -> NoReturn:
    """Be the child, to the end."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # At a terminal Ctrl-C goes to the whole group: only the parent acts, and drains us. HUP must
        # not kill a child that is not yet listening for it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for fd in foreign:
            os.close(fd)
        _hang_on(lifeline)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        _name_process(child.name)
        child.body(notify_fd)
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Not sys.exit: the parent's clean-up (atexit, finally) is not ours to run.
            os._exit(status)


def _hang_on(lifeline: int) -> None:
    """Have the kernel send us TERM when the last holder of the other end is gone."""
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGTERM)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        os._exit(0)  # it died before we could ask for the signal


def _name_process(name: str) -> None:
    """Show which is which in `ps` and `top` (15 bytes fit)."""
    try:
        Path("/proc/self/comm").write_text(f"gatepost-{name}"[:15])
    except OSError:
        pass  # a name is a comfort, not a need
