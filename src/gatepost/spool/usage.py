"""How many bytes are kept, in all and for each domain, exact across processes.

One small file of a number for each; changed under a lock of the kernel. A process killed between
writing a mail and counting it leaves the number a little wrong: `Archive.recount` sets it right.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

ALL = "@all"


class Usage:
    """Numbers of bytes under names: `ALL`, or a domain as `safe_name` wrote it."""

    __slots__ = ("_directory",)

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)

    def add(self, name: str, amount: int) -> int:
        """Add (or take away) and return the new number, never below nothing."""
        return self._change(name, amount, 0)

    def put(self, name: str, amount: int) -> None:
        """Set the number."""
        self._change(name, amount, None)

    def get(self, name: str) -> int:
        """Return the number."""
        try:
            return _number((self._directory / name).read_bytes())
        except FileNotFoundError:
            return 0

    def names(self) -> list[str]:
        """Return the names that have a number, as they stand in paths."""
        return sorted(entry.name for entry in self._directory.iterdir())

    def _change(self, name: str, amount: int, base: int | None) -> int:
        path = self._directory / name
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            before = _number(os.pread(fd, 32, 0)) if base is not None else 0
            after = max(0, before + amount)
            os.pwrite(fd, b"%020d\n" % after, 0)
            return after
        finally:
            os.close(fd)


def _number(data: bytes) -> int:
    text = data.strip()
    return int(text) if text.isdigit() else 0
