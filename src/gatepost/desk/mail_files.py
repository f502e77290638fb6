"""Mail that lies in files, read head by head: Maildirs (also folders of them), mboxes, single messages.

Only regular files are opened, and no link to a folder is followed. Of each message at most
`MAX_HEAD` bytes of header are kept, of an mbox one piece of a line at a time, so that a file may be
of any size and say anything.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gatepost.mail.dates import parse_date
from gatepost.mail.message import MAX_HEAD

PIECE = 65_536
"""Bytes of a line that are looked at together."""
SIDE_FILES = re.compile(
    r"dovecot[.-].*|subscriptions|courierimap.*|maildir(folder|size)|.*\.(lock|index|msf|cmeta)"
)
"""What mail programs keep beside the mail."""
_BEGIN = re.compile(rb"From \S.*\d\d:\d\d.*\d{4}", re.DOTALL)
"""RFC 4155: how a message in an mbox begins, behind an empty line."""

Progress = Callable[[int], None]
"""Told how many more bytes were looked at."""


@dataclass(slots=True)
class Reading:
    """What was met on the way."""

    files: int = 0
    messages: int = 0
    cut: int = 0
    """Messages with more header than is read."""
    unreadable: list[str] = field(default_factory=list)
    """`path: why` of what could not be read."""


@dataclass(frozen=True, slots=True)
class Head:
    """The header block of one message, with CRLF, and when it came as far as the file says."""

    text: bytes
    time: float
    sure: bool = True
    """False: only when the file was written last, and that may be when it was copied."""


def size_of(paths: Iterable[str]) -> int:
    """Return the bytes of all mail files below these paths, for a progress bar."""
    return sum(status.st_size for _, status in _files(paths, None))


def heads(paths: Iterable[str], reading: Reading, progress: Progress) -> Iterator[Head]:
    """Yield the head of every message below these paths; what cannot be read is told in `reading`."""
    for path, status in _files(paths, reading):
        try:
            with open(path, "rb") as stream:  # noqa: PTH123 - a million times: a Path is dear
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    continue
                reading.files += 1
                first = stream.readline(PIECE)
                if _BEGIN.match(first):
                    yield from _mbox(first, stream, status.st_mtime, reading, progress)
                else:
                    yield _single(first, stream, status, path, reading)
                    progress(status.st_size)
        except OSError as error:
            reading.unreadable.append(f"{path}: {error.strerror or error}")


def _files(paths: Iterable[str], reading: Reading | None) -> Iterator[tuple[str, os.stat_result]]:
    for given in paths:
        waiting = [given]
        while waiting:
            path = waiting.pop()
            try:
                status = os.stat(path)  # noqa: PTH116 - as above
                if stat.S_ISREG(status.st_mode):
                    if status.st_size:
                        yield path, status
                elif stat.S_ISDIR(status.st_mode):
                    waiting += _inside(path)
            except OSError as error:
                if reading is not None:
                    reading.unreadable.append(f"{path}: {error.strerror or error}")


def _inside(folder: str) -> list[str]:
    """Return what lies in a folder: of a Maildir no half-written mail, of none what mail programs note."""
    with os.scandir(folder) as entries:
        found = [
            entry.path
            for entry in entries
            if not (entry.is_symlink() and entry.is_dir()) and not SIDE_FILES.fullmatch(entry.name)
        ]
    if {"cur", "new"} <= {os.path.basename(path) for path in found}:  # noqa: PTH119
        found = [path for path in found if os.path.basename(path) != "tmp"]  # noqa: PTH119
    return sorted(found, reverse=True)


def _single(first: bytes, stream: IO[bytes], status: os.stat_result, path: str, reading: Reading) -> Head:
    head, line, kept = bytearray(), first, 0
    while line and line not in (b"\n", b"\r\n") and kept <= MAX_HEAD:
        head += line
        kept += len(line)
        line = stream.readline(PIECE)
    reading.messages += 1
    reading.cut += kept > MAX_HEAD
    # A Maildir file is named by the second in which it came, which a copy does not change.
    named = os.path.basename(path).partition(".")[0]  # noqa: PTH119
    sure = named.isascii() and named.isdecimal() and len(named) in (9, 10)
    return Head(_crlf(head), float(named) if sure else status.st_mtime, sure)


def _mbox(
    first: bytes, stream: IO[bytes], mtime: float, reading: Reading, progress: Progress
) -> Iterator[Head]:
    line, blank = first, True
    head = bytearray()
    kept, seen, time = 0, 0, mtime
    in_head = begun = sure = False
    while line:
        seen += len(line)
        if blank and _BEGIN.match(line):
            if begun:
                yield Head(_crlf(head), time, sure)
                progress(seen)
                seen = 0
            reading.messages += 1
            head, kept, in_head, begun = bytearray(), 0, True, True
            said = parse_date(line.rstrip(b"\r\n").decode("latin-1").partition(" ")[2].partition(" ")[2])
            time, sure = (mtime, False) if said is None else (said, True)
        elif in_head:
            if line in (b"\n", b"\r\n"):
                in_head = False
            elif kept <= MAX_HEAD:
                head += line
                kept += len(line)
                reading.cut += kept > MAX_HEAD
        blank = line in (b"\n", b"\r\n")
        line = stream.readline(PIECE)
    yield Head(_crlf(head), time, sure)
    progress(seen)


def _crlf(head: bytearray) -> bytes:
    """Return header lines as our reader of headers wants them, with the empty line behind."""
    text = bytes(head[:MAX_HEAD])
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rstrip(b"\r\n") + b"\r\n\r\n"


def named(paths: Iterable[str | Path]) -> list[str]:
    """Return paths as text, `~` resolved."""
    return [os.path.expanduser(str(path)) for path in paths]  # noqa: PTH111
