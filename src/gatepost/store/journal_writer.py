"""A worker's side of the journal: lines into a file of its own, one write for each batch.

What was flushed survives `kill -9`: it is in the kernel's page cache. A file's name is used once
(time, process, number), so the collector's note of how far it has read is never mistaken for
another file's. While a file may still grow its writer holds a lock on it (flock: gone with the
process, however it ends); the collector deletes a file when it has read it and the lock is free.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.store.journal_lines import stamp_line

FOLDER = "journal"
ROTATE_BYTES = 8 * 1024 * 1024
MAX_WAITING = 16 * 1024 * 1024
"""Bytes held while the disk is full; what comes after that is counted and lost."""


def in_use(folder: Path) -> bool:
    """Return whether some process holds a journal file of this data directory open."""
    for path in (folder / FOLDER).glob("*.log"):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(fd)
    return False


class JournalWriter:
    """Collects lines and writes them in batches. One for each process: make it after the fork."""

    def __init__(self, folder: Path, name: str, *, clock: Callable[[], float] = time.time) -> None:
        """`folder` is the data directory; files go to `journal/` in it."""
        self.name = name
        self.lost = 0
        """Lines that could not be written and were dropped."""
        self.trouble = ""
        """Why the last flush failed, "" when it did not."""
        self._folder = folder / FOLDER
        self._clock = clock
        self._lines: list[str] = []
        self._rest = b""
        """Bytes that a full disk would not take yet."""
        self._fd = -1
        self._size = 0
        self._number = 0
        self.add = self._lines.append
        """Take a line (`session_line`, `outcome_line`); nothing is written before `flush`."""

    def flush(self) -> None:
        """Write what was added. Never raises: mail goes on when the journal's disk is full."""
        lines = self._lines
        if lines:
            batch = (stamp_line(self._clock()) + "".join(lines)).encode("utf-8", "replace")
            if len(self._rest) + len(batch) > MAX_WAITING:
                self.lost += len(lines)
            else:
                self._rest = self._rest + batch if self._rest else batch
            lines.clear()
        elif not self._rest:
            return
        try:
            self._write()
        except OSError as error:
            self.trouble = f"journal cannot be written: {error.strerror or error}"
            self._close()
        else:
            self.trouble = ""

    def close(self) -> None:
        """Write what is left and let the collector have the file."""
        self.flush()
        self._close()

    def _write(self) -> None:
        if self._fd < 0:
            self._open()
        while self._rest:
            done = os.write(self._fd, self._rest)
            if done <= 0:
                raise OSError(errno.ENOSPC, "nothing was written")
            self._size += done
            self._rest = self._rest[done:]
        if self._size >= ROTATE_BYTES:
            self._close()

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number += 1
        path = self._folder / f"{self.name}-{time.time_ns():x}-{os.getpid()}-{self._number}.log"
        # The lock comes before the name that the collector looks for.
        hidden = path.with_suffix(".new")
        fd = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            hidden.rename(path)
        except BaseException:
            os.close(fd)
            raise
        self._fd, self._size = fd, 0

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
