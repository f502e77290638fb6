"""A stand-in for the calls of `os` that writes down what was called, and fails or kills where told."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

CALLS = ("open", "write", "fsync", "close", "rename", "link", "unlink", "mkdir")


class Recorder:
    """Does the real thing and remembers it as words: `fsync ann.json`, `rename x.tmp -> x`."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._names: dict[int, str] = {}

    def before(self, call: str, what: str) -> None:
        """Called ahead of each call; may raise, or never come back."""

    def _say(self, call: str, what: str) -> None:
        self.before(call, what)
        self.said.append(f"{call} {what}")

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        self._say("open", short(path))
        fd = os.open(path, flags, mode)
        self._names[fd] = short(path)
        return fd

    def write(self, fd: int, data: bytes | memoryview) -> int:
        self._say("write", self._names[fd])
        return os.write(fd, data)

    def fsync(self, fd: int) -> None:
        self._say("fsync", self._names[fd])
        os.fsync(fd)

    def close(self, fd: int) -> None:
        self._say("close", self._names[fd])
        os.close(fd)

    def rename(self, old: str, new: str) -> None:
        self._say("rename", f"{short(old)} -> {short(new)}")
        os.rename(old, new)  # noqa: PTH104 - the call itself

    def link(self, old: str, new: str) -> None:
        self._say("link", f"{short(old)} -> {short(new)}")
        os.link(old, new)

    def unlink(self, path: str) -> None:
        self._say("unlink", short(path))
        os.unlink(path)  # noqa: PTH108

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        self._say("mkdir", short(path))
        os.mkdir(path, mode)  # noqa: PTH102


class Failing(Recorder):
    """Fails the n-th call (from 0) with an error; `after` does the call first (EIO at the last moment)."""

    def __init__(self, at: int, code: int) -> None:
        super().__init__()
        self.at = at
        self.code = code
        self.count = -1
        self.failed = ""

    def before(self, call: str, what: str) -> None:
        self.count += 1
        if self.count == self.at:
            self.failed = f"{call} {what}"
            raise OSError(self.code, os.strerror(self.code), what)


class Killing(Recorder):
    """Kills its own process (SIGKILL) ahead of the n-th call."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.count = -1

    def before(self, call: str, what: str) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def short(path: str) -> str:
    """Return the last name, with the process's own numbers taken out of a temporary one."""
    name = Path(path).name
    if name.endswith(".tmp"):
        return name.split(f".{os.getpid()}.")[0] + ".tmp"
    return name


def in_child(work: Callable[[], object]) -> bool:
    """Run `work` in a forked process; returns whether it came to its end (was not killed)."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return os.WIFEXITED(status)
