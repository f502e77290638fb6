"""Which processes still work for a domain that was removed: what it left is deleted behind them, not before.

    run/under_way-w1-4711.json      {"version": 812, "busy": ["example.org"]}

A mail that is in DATA, or at a check, when its domain is removed goes on under the policy that it began
with: what it counts, keeps or queues would come after the deletion, and belong to whoever has the name next.
So each process says which version of the policy it follows and for which domains, gone at that version, it
has work under way. It says so when what ended before is written; and a version one look late, so that
what had just begun stands among the work. Who deletes waits until all have seen the removal and nobody is
busy (as readers are waited for in RCU). A process that died works for nobody: its lock is free.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

T = TypeVar("T")
FOLDER = "run"
PREFIX = "under_way-"
LONGEST = 1 << 20
EVER = 1 << 62
"""A version that every removal stands before."""


class Work:
    """How much work is under way for each domain."""

    def __init__(self) -> None:
        self._work: dict[str, int] = {}

    @contextmanager
    def work(self, domains: Iterable[str]) -> Iterator[None]:
        """Have work under way for domains."""
        names = frozenset(domains)
        for name in names:
            self._work[name] = self._work.get(name, 0) + 1
        try:
            yield
        finally:
            for name in names:
                self._work[name] -= 1
                if not self._work[name]:
                    del self._work[name]

    async def during(self, domain: str, work: Awaitable[T]) -> T:
        """Do something for a domain."""
        with self.work((domain,)):
            return await work


class UnderWay(Work):
    """The work of one process. Make it after the fork, and before the first look at the policy."""

    def __init__(self, data_dir: Path, name: str, written: Callable[[], bool] = lambda: True) -> None:
        """`written()` writes out what is written behind, where others read it; false: it could not."""
        super().__init__()
        self._written = written
        self._seen = -1
        self._told = (-1, frozenset[str]())
        folder = data_dir / FOLDER
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._path = folder / f"{PREFIX}{name}-{os.getpid()}.json"
        # The lock comes before the name that is looked for.
        hidden = self._path.with_suffix(".new")
        self._fd = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self._write(*self._told)
        hidden.rename(self._path)

    def tell(self, version: int, is_hosted: Callable[[str], bool]) -> None:
        """Say what is under way; call it again and again, when the version has been looked at."""
        busy = frozenset(name for name in self._work if not is_hosted(name))
        seen, self._seen = self._seen, version
        if (seen, busy) != self._told and self._written():
            self._write(seen, busy)
            self._told = seen, busy

    def close(self) -> None:
        """Have no work any more."""
        self._path.unlink(missing_ok=True)
        os.close(self._fd)

    def _write(self, version: int, busy: frozenset[str]) -> None:
        said = json.dumps({"version": version, "busy": sorted(busy)}).encode()
        os.pwrite(self._fd, said, 0)
        os.ftruncate(self._fd, len(said))


@contextmanager
def deed(data_dir: Path, domains: Iterable[str]) -> Iterator[None]:
    """Do something for domains that takes a while, in a process that follows no policy."""
    mine = UnderWay(data_dir, f"deed-{token_hex(4)}")
    try:
        with mine.work(domains):
            for _ in range(2):
                mine.tell(EVER, lambda _name: False)
            yield
    finally:
        mine.close()


def held_up(data_dir: Path, domain: str, version: int) -> bool:
    """Return whether some process has not seen this version, or has work under way for this domain."""
    return any(_holds_up(path, domain, version) for path in (data_dir / FOLDER).glob(f"{PREFIX}*.json"))


def _holds_up(path: Path, domain: str, version: int) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = _read(fd)
        return said is None or said[0] < version or domain in said[1]
    else:
        path.unlink(missing_ok=True)  # of a process that is gone
        return False
    finally:
        os.close(fd)


def _read(fd: int) -> tuple[int, list[str]] | None:
    """Return version and domains; None while it is being written."""
    try:
        said = json.loads(os.pread(fd, LONGEST, 0))
        return int(said["version"]), list(said["busy"])
    except (ValueError, TypeError, KeyError):
        return None
