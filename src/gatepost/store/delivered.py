"""Features of mail that was delivered, kept for a while: what a person trains later is found by its id.

    learn/delivered/DOMAIN/2026-11-29.w0-19c2f.0    records of one day by one process, then the next file

Hashed features and no text. A record is one write at the end of a file that only one process writes, so
a kill tears the last record at worst; what lies behind a torn one is in the next file. Bounded: so many
days, so many bytes for a domain and for all; the oldest go first. A lost record costs a training that is
less exact, so nothing here waits for the disk.
"""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gatepost.store.durable import write_all

FOLDER = "delivered"
DAYS = 14
DOMAIN_BYTES = 64 << 20
"""Of one domain: some 6,000 mails."""
ALL_BYTES = 8 << 30
FILE_BYTES = 4 << 20
"""A file that is longer gets a successor; files go as a whole."""
MAX_META = 8_192
MAX_FEATURES = 1 << 18
MAX_TO = 20
"""Recipients that a record names."""
MOST_IN_HAND = 20_000
"""Domains whose file of the day is remembered by a process."""
DAY = 86_400

_MAGIC = b"GPd1"
_HEAD = struct.Struct("<4sHI")


@dataclass(frozen=True, slots=True)
class Record:
    """One mail as it was delivered to a domain."""

    id: str
    """Of the transaction."""
    time: float
    to: tuple[str, ...]
    key: str
    """What makes it the same message (`gatepost.mail.stamp.key_of`)."""
    tagged: bool = False
    """It was delivered as spam: a mailbox may have filed it where nobody looks."""


class Delivered:
    """The kept features of one installation; `writer` names the process that adds to them."""

    def __init__(
        self,
        folder: Path,
        writer: str = "",
        clock: Callable[[], float] = time.time,
        *,
        domain_bytes: int = DOMAIN_BYTES,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self._folder = folder / FOLDER
        self._clock = clock
        self._domain_bytes = domain_bytes
        self._file_bytes = file_bytes
        # A process never writes behind what another (or itself, before a kill) may have torn.
        self._writer = f"{writer}-{time.time_ns() // 1_000_000:x}"
        self._number: dict[str, tuple[str, int]] = {}
        """domain -> (day, number of the file in hand)."""

    def add(self, domain: str, record: Record, features: bytes) -> None:
        """Keep the features of a mail; OSError where that cannot be."""
        said = {"id": record.id, "time": round(record.time, 3), "to": record.to[:MAX_TO], "key": record.key}
        meta = json.dumps(said | {"tagged": record.tagged}, separators=(",", ":")).encode("ascii")
        if len(meta) > MAX_META or len(features) > MAX_FEATURES:
            return
        day = _day(record.time)
        known_day, number = self._number.get(domain, ("", 0))
        if known_day != day:
            number = 0 if known_day else self._first(domain, day)
        path = self._path(domain, day, number)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(path, flags, 0o640)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            fd = os.open(path, flags, 0o640)
        try:
            write_all(fd, _HEAD.pack(_MAGIC, len(meta), len(features)) + meta + features)
            full = os.fstat(fd).st_size >= self._file_bytes
        except OSError:
            self._number[domain] = day, number + 1  # what was written of it is torn
            raise
        finally:
            os.close(fd)
        if len(self._number) >= MOST_IN_HAND:
            self._number.clear()  # then each begins a new file
        self._number[domain] = day, number + full
        if full:
            self._make_room(path.parent)

    def find(self, domain: str, id: str) -> tuple[Record, bytes] | None:  # noqa: A002
        """Return a mail of a domain by its transaction's id, with its features."""
        needle = f'"id":{json.dumps(id)}'.encode("ascii")
        for path in reversed(self._files(domain)):
            for record, features in _records(path, needle):
                if record.id == id:
                    return record, features()
        return None

    def by_key(self, domain: str, key: str) -> list[tuple[Record, bytes]]:
        """Return the mails of a domain that are the same message."""
        needle = f'"key":{json.dumps(key)}'.encode("ascii")
        return [
            (record, features())
            for path in self._files(domain)
            for record, features in _records(path, needle)
            if record.key == key
        ]

    def of_day(self, domain: str, day: str) -> Iterator[tuple[Record, Callable[[], bytes]]]:
        """Yield what was delivered on a day (UTC), with what reads its features."""
        for path in self._files(domain):
            if path.name.startswith(f"{day}."):
                yield from _records(path)

    def domains(self) -> list[str]:
        """Return the domains of which there is something."""
        try:
            return sorted(one.name for one in os.scandir(self._folder) if one.is_dir())
        except FileNotFoundError:
            return []

    def expire(self, now: float, most: int = ALL_BYTES) -> int:
        """Remove what is older than `DAYS`, and the oldest beyond `most` bytes; returns how many files."""
        last = _day(now - DAYS * DAY)
        gone, total = 0, 0
        kept: list[tuple[str, Path, int]] = []
        for domain in self.domains():
            for path in self._files(domain):
                if path.name < last:
                    path.unlink(missing_ok=True)
                    gone += 1
                else:
                    size = path.stat().st_size
                    total += size
                    kept.append((path.name, path, size))
        for _, path, size in sorted(kept):
            if total <= most:
                break
            path.unlink(missing_ok=True)
            total -= size
            gone += 1
        return gone

    def _make_room(self, folder: Path) -> None:
        sizes = [(path, path.stat().st_size) for path in sorted(folder.iterdir())]
        total = sum(size for _, size in sizes)
        for path, size in sizes:
            if total <= self._domain_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _first(self, domain: str, day: str) -> int:
        number = 0
        while self._path(domain, day, number).exists():
            number += 1
        return number

    def _files(self, domain: str) -> list[Path]:
        if domain.startswith(".") or "/" in domain:
            return []
        try:
            return sorted((self._folder / domain).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _path(self, domain: str, day: str, number: int) -> Path:
        return self._folder / domain / f"{day}.{self._writer}.{number:04}"


def _records(path: Path, needle: bytes = b"") -> Iterator[tuple[Record, Callable[[], bytes]]]:
    """Yield the records of a file whose words hold `needle`; the rest behind a torn one is passed over."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return
    with stream:
        size = os.fstat(stream.fileno()).st_size
        at = 0
        while at + _HEAD.size <= size:
            stream.seek(at)
            magic, meta_size, features_size = _HEAD.unpack(stream.read(_HEAD.size))
            end = at + _HEAD.size + meta_size + features_size
            if magic != _MAGIC or end > size:
                return
            meta = stream.read(meta_size)
            record = _read(meta) if needle in meta else None
            if record is not None:
                yield record, _reader(stream, end - features_size, features_size)
            at = end


def _reader(stream: BinaryIO, at: int, size: int) -> Callable[[], bytes]:
    def read() -> bytes:
        stream.seek(at)
        return stream.read(size)

    return read


def _read(meta: bytes) -> Record | None:
    try:
        said = json.loads(meta)
        to = tuple(str(one) for one in said["to"])
        return Record(
            str(said["id"]), float(said["time"]), to, str(said["key"]), tagged=said["tagged"] is True
        )
    except (ValueError, TypeError, KeyError):
        return None


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))
