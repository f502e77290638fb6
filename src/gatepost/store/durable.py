"""Write a file so that it survives a crash, and read it back in blocks.

One rule: write under a temporary name, fsync the file, rename it, fsync the directory. Only then
may anybody be told that the bytes are safe (RFC 5321, 6.1: the server takes responsibility with
its 250). A reader sees the whole file under its name, or nothing.

Blocking calls: on the way of a mail they run in a thread (`asyncio.to_thread`).
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

BLOCK = 262_144
"""Bytes that a reader holds at a time."""
TMP = ".tmp"
"""Ending of a file that is not finished; nothing but `Queue.recover` looks at such files."""

_numbers = itertools.count(1)


class Files(Protocol):
    """The calls of `os` that durable writing needs; tests hand in one that records or fails."""

    def open(self, path: str, flags: int, mode: int = ..., /) -> int:
        """Open a file or directory."""

    def write(self, fd: int, data: bytes | memoryview, /) -> int:
        """Write some of the bytes; says how many."""

    def fsync(self, fd: int, /) -> None:
        """Bring a file or a directory to the disk."""

    def close(self, fd: int, /) -> None:
        """Close."""

    def rename(self, old: str, new: str, /) -> None:
        """Rename within one file system."""

    def link(self, old: str, new: str, /) -> None:
        """Give a file a second name."""

    def unlink(self, path: str, /) -> None:
        """Remove a name."""

    def mkdir(self, path: str, mode: int = ..., /) -> None:
        """Make a directory."""


class SystemFiles:
    """The real calls."""

    open = staticmethod(os.open)
    write = staticmethod(os.write)
    fsync = staticmethod(os.fsync)
    close = staticmethod(os.close)
    rename = staticmethod(os.rename)
    link = staticmethod(os.link)
    unlink = staticmethod(os.unlink)
    mkdir = staticmethod(os.mkdir)


SYSTEM: Files = SystemFiles()


def write_durable(
    path: Path,
    chunks: Iterable[bytes],
    files: Files = SYSTEM,
    *,
    tmp_dir: Path | None = None,
    sync: bool = True,
    replaces: bool = False,
) -> int:
    """Write `chunks` to `path`; returns the number of bytes. Any failure is an OSError and leaves nothing.

    `tmp_dir`: where the unfinished file lies (same file system), if not beside the finished one.
    `sync=False` leaves the directory's fsync to the caller, who has more names to bring there.
    `replaces`: the name held an older state that must not be lost; a failure leaves the old or the new one.
    """
    tmp = str((tmp_dir or path.parent) / f"{path.name}.{os.getpid()}.{next(_numbers)}{TMP}")
    final = str(path)
    size = 0
    named = tmp
    fd = files.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        try:
            for chunk in chunks:
                write_all(fd, chunk, files)
                size += len(chunk)
            files.fsync(fd)
        finally:
            files.close(fd)
        files.rename(tmp, final)
        named = "" if replaces else final
        if sync:
            sync_directory(path.parent, files)
    except BaseException:
        # Nobody was told that it is safe: it must not be found half-true later.
        if named:
            try:
                files.unlink(named)
            except OSError:
                pass  # the disk may be read-only by now; recovery puts left-overs aside
        raise
    return size


def write_all(fd: int, data: bytes, files: Files = SYSTEM) -> None:
    """Write all of `data`: a nearly full disk takes a part and says so only by the count."""
    sent = files.write(fd, data)
    if sent == len(data):
        return
    view = memoryview(data)
    while sent < len(view):
        sent += files.write(fd, view[sent:])


def append_durable(path: Path, line: bytes, files: Files = SYSTEM) -> int:
    """Append lines by one write, and fsync; returns where they begin. One process appends at a time (flock).

    What a full disk or a kill cut short (the kernel looks for signals between two pages of one write) is
    closed off with a line end by who comes next, so that it never swallows a line; readers skip it.
    """
    fd = files.open(str(path), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            line = b"\n" + line
            size += 1
        if files.write(fd, line) != len(line):
            raise OSError(errno.ENOSPC, "No space left for the whole line", str(path))
        fcntl.flock(fd, fcntl.LOCK_UN)  # the next one need not wait for the disk
        files.fsync(fd)
    finally:
        files.close(fd)
    return size


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock (flock): one process, and one thread of it, at a time; gone with the process."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def sync_directory(path: Path, files: Files = SYSTEM) -> None:
    """Bring the names in a directory to the disk."""
    fd = files.open(str(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        files.fsync(fd)
    finally:
        files.close(fd)


def make_directory(path: Path, files: Files = SYSTEM) -> None:
    """Make a directory and those above it, each durable in its parent. Two may do it at once."""
    if path.is_dir():
        return
    make_directory(path.parent, files)
    try:
        files.mkdir(str(path), 0o750)
    except FileExistsError:
        if not path.is_dir():
            raise
    # Also where another process was faster: it may not have come to its fsync yet.
    sync_directory(path.parent, files)


def read_blocks(path: Path, block: int = BLOCK) -> Iterator[bytes]:
    """Yield the file's bytes in blocks. Symbolic links are not followed."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with open(fd, "rb", buffering=0) as stream:  # noqa: PTH123 - a descriptor, not a path
        while data := stream.read(block):
            yield data


class Blob:
    """A file as message bytes that may be iterated again and again, a block at a time."""

    __slots__ = ("path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes from the beginning."""
        return read_blocks(self.path)

    def head(self, limit: int = 102_400) -> bytes:
        """Return the first bytes (for headers)."""
        return next(read_blocks(self.path, limit), b"")
