"""Mail that was refused or is held: kept for a while, so that an error can be undone (CONTRACT 8).

    archive/2026-11-23/example.org/ID.eml.zst     the bytes as received, compressed
    archive/index/2026-11-23.jsonl                one line for each
    archive/today, archive/yesterday              links (days are UTC: no hour comes twice)

`keep` returns when file, directory and index are on the disk, and only then may the reply be sent.
Bounded in all and for a domain: the oldest refused mail goes first, held mail never. Blocking calls:
on the way of a mail they run in a thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from backports import zstd

from gatepost.spool import retention
from gatepost.spool.index import Index, Kept, read_line
from gatepost.spool.names import is_safe, safe_name
from gatepost.spool.retention import is_day
from gatepost.spool.usage import ALL, Usage
from gatepost.store.durable import (
    BLOCK,
    SYSTEM,
    Files,
    make_directory,
    read_blocks,
    sync_directory,
    write_durable,
)

Refs = list[str]
Copies = list[Kept]

LEVEL = 3
"""Of zstd: about 100 microseconds for 100 KiB."""
ENDING = ".eml.zst"
ROOM = 64
"""When room is made, this part of the bound (1/64) is freed at once, so that it is not done for each mail."""


class ArchiveFull(OSError):
    """Neither the bounds nor the disk leave room, and no refused mail is left to throw out."""


class Archive:
    """The kept mail of one installation; any number of processes use it at once."""

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        min_free: int,
        clock: Callable[[], float] = time.time,
        files: Files = SYSTEM,
        *,
        domain_bytes: int = 0,
    ) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.min_free = min_free
        self.domain_bytes = domain_bytes or max_bytes
        """What one domain may fill at most."""
        self._clock = clock
        self._files = files
        self._today = ""
        self._tmp = directory / "tmp"
        for name in ("index", "tmp"):
            make_directory(directory / name, files)
        self.index = Index(directory / "index", files)
        self.usage = Usage(directory / "usage")

    # -- coming in ------------------------------------------------------------------------

    def keep(self, item: Kept, chunks: Iterable[bytes]) -> str:
        """Keep one copy; returns its reference when it is safe. ArchiveFull or another OSError: not kept."""
        return self.keep_each([item], chunks)[0]

    def keep_each(self, items: Sequence[Kept], chunks: Iterable[bytes]) -> Refs:
        """Keep one mail for several recipients: the bytes lie on the disk once, under a name for each."""
        day = self.day(self._clock())
        self._check_free()
        if day != self._today:
            self.roll()
        made: list[Path] = []
        counted: list[str] = []
        refs: list[str] = []
        lines: list[bytes] = []
        stored = 0
        try:
            for item in items:
                path = self._free_path(day, item)
                if made:
                    self._files.link(str(made[0]), str(path))
                    made.append(path)
                    sync_directory(path.parent, self._files)
                else:
                    stored = write_durable(path, _compressed(chunks), self._files, tmp_dir=self._tmp)
                    made.append(path)
                refs.append(str(path.relative_to(self.directory)))
                lines.append(replace(item, ref=refs[-1], stored=stored).as_line())
            for path in made:
                counted.append(path.parent.name)
                self._account(path.parent.name, stored)
            self.index.append(day, b"".join(lines))
        except BaseException:
            for name in counted:
                self._count(name, -stored)
            for path in made:
                try:
                    self._files.unlink(str(path))
                except OSError:
                    pass  # unlisted, and gone with its day; nobody was told that it is kept
            raise
        return refs

    def _free_path(self, day: str, item: Kept) -> Path:
        """Return a path that no other copy has."""
        folder = self.directory / day / safe_name(item.domain)
        make_directory(folder, self._files)
        name = safe_name(item.id)
        path = folder / f"{name}{ENDING}"
        number = 1
        while path.exists():
            number += 1
            path = folder / f"{name}-{number}{ENDING}"
        return path

    def _account(self, name: str, amount: int) -> None:
        """Count, and make room where a bound is passed; ArchiveFull where that is not enough."""
        total, of_domain = self._count(name, amount)
        if of_domain > self.domain_bytes:
            self._make_room(of_domain - self.domain_bytes + self.domain_bytes // ROOM, name)
            if self.usage.get(name) > self.domain_bytes:
                raise ArchiveFull(28, f"The archive of {name} is full of held mail")
        if total > self.max_bytes:
            self._make_room(total - self.max_bytes + self.max_bytes // ROOM, None)
            if self.usage.get(ALL) > self.max_bytes:
                raise ArchiveFull(28, "The archive is full of held mail")

    def _count(self, name: str, amount: int) -> tuple[int, int]:
        return self.usage.add(ALL, amount), self.usage.add(name, amount)

    def _check_free(self) -> None:
        state = os.statvfs(self.directory)
        if state.f_bavail * state.f_frsize < self.min_free:
            raise ArchiveFull(28, "Less than archive.min_free is left on the disk")
        if state.f_files and state.f_favail < 1000:
            raise ArchiveFull(28, "No inodes are left on the disk")

    def _make_room(self, wanted: int, name: str | None) -> int:
        """Throw out the oldest refused mail (of a domain); returns the bytes freed."""
        freed = 0
        for day in self.index.days():
            for kept in self.index.read(day):
                if kept.held or (name is not None and safe_name(kept.domain) != name):
                    continue
                freed += self.remove(kept.ref)
                if freed >= wanted:
                    return freed
        return freed

    def remove(self, ref: str) -> int:
        """Remove the bytes of one kept mail, not its line; returns the bytes freed, 0 if it was gone."""
        path = self.path(ref)
        try:
            size = path.stat().st_size
            self._files.unlink(str(path))
        except FileNotFoundError:
            return 0
        self._count(path.parent.name, -size)
        return size

    # -- looking --------------------------------------------------------------------------

    @staticmethod
    def day(moment: float) -> str:
        """Return the UTC day as `YYYY-MM-DD`."""
        return time.strftime("%Y-%m-%d", time.gmtime(moment))

    def find(self, id: str, domain: str | None = None) -> Copies:  # noqa: A002
        """Return the copies of a transaction (of a domain), or of all transactions of a session."""
        needle = ('"id":"' + id).encode("ascii", "replace")
        found = []
        for day in reversed(self.index.days()):
            for _, line in self.index.search(day, needle):
                kept = read_line(line)
                if kept is None or not (kept.id == id or kept.id.startswith(id + ".")):
                    continue
                if (domain is None or kept.domain == domain) and self.exists(kept.ref):
                    found.append(kept)
            if found:
                break
        return found

    def list(
        self,
        domain: str | None = None,
        *,
        since: float = 0.0,
        outcome: str | None = None,
        text: str = "",
        limit: int = 100,
        domains: Collection[str] | None = None,
        after: str = "",
    ) -> Copies:
        """Return what is kept, newest first; `after`: the last `ref` of the page before."""
        found: Copies = []
        text = text.lower()
        last_day = after.partition("/")[0]
        for day in reversed(self.index.days()):
            if since and day < self.day(since):
                break
            if after and day > last_day:
                continue
            of_day = [
                kept
                for kept in self.index.read(day)
                if kept.time >= since
                and (domain is None or kept.domain == domain)
                and (domains is None or kept.domain in domains)
                and (outcome is None or kept.outcome == outcome)
                and (not text or text in _searchable(kept))
            ]
            refs = [kept.ref for kept in of_day]
            if day == last_day and after in refs:
                del of_day[refs.index(after) :]
            for kept in reversed(of_day):
                if self.exists(kept.ref):
                    found.append(kept)
                    if len(found) >= limit:
                        return found
        return found

    def get(self, ref: str) -> Kept | None:
        """Return what the index says of one kept mail."""
        for _, line in self.index.search(ref.partition("/")[0], ref.encode("ascii", "replace")):
            kept = read_line(line)
            if kept is not None and kept.ref == ref:
                return kept
        return None

    def exists(self, ref: str) -> bool:
        """Return whether the bytes are still there."""
        try:
            return self.path(ref).is_file()
        except ValueError:
            return False

    def read(self, ref: str) -> bytes:
        """Return the bytes as received."""
        return b"".join(self.blocks(ref))

    def blocks(self, ref: str) -> Iterator[bytes]:
        """Yield the bytes as received, a block at a time (a damaged file never fills the memory)."""
        unpack = zstd.ZstdDecompressor()
        for data in read_blocks(self.path(ref)):
            while True:
                try:
                    out = unpack.decompress(data, BLOCK)
                except zstd.ZstdError as error:
                    raise OSError(5, f"The kept mail is damaged: {error}", ref) from error
                if out:
                    yield out
                if unpack.eof or unpack.needs_input:
                    break
                data = b""
        if not unpack.eof:
            raise OSError(5, "The kept mail is cut off", ref)

    def delete(self, ref: str) -> bool:
        """Delete one kept mail, bytes and line; False if it was gone."""
        freed = self.remove(ref)
        self.index.erase(ref.partition("/")[0], ref)
        if freed:
            sync_directory(self.path(ref).parent, self._files)
        return freed > 0

    def path(self, ref: str) -> Path:
        """Return the path of a reference; ValueError for anything that `keep` did not make."""
        parts = ref.split("/")
        if len(parts) != 3 or not is_day(parts[0]) or not parts[2].endswith(ENDING):
            raise ValueError(f"not a reference: {ref[:100]!r}")
        if not is_safe(parts[1]) or not is_safe(parts[2].removesuffix(ENDING)[:150]):
            raise ValueError(f"not a reference: {ref[:100]!r}")
        return self.directory / ref

    def forget(self, domain: str) -> int:
        """Delete all that is kept of a domain, bytes and lines; returns the number of lines."""
        return retention.forget(self, domain)

    # -- day by day -----------------------------------------------------------------------

    def roll(self) -> None:
        """Make today's directory and the links `today` and `yesterday`."""
        now = self._clock()
        today = self.day(now)
        make_directory(self.directory / today, self._files)
        for name, day in (("today", today), ("yesterday", self.day(now - 86_400))):
            link = self.directory / name
            if link.is_symlink() and str(link.readlink()) == day:
                continue
            tmp = self._tmp / f"{name}.{os.getpid()}"
            tmp.unlink(missing_ok=True)
            tmp.symlink_to(day)
            tmp.rename(link)
        self._today = today

    def expire(self, now: float, keep_days: Callable[[str], int] | int) -> int:
        """Remove what is older than its domain keeps; returns the number of mails removed."""
        return retention.expire(self, now, keep_days)

    def recount(self) -> int:
        """Count what is really there and set the numbers right; returns the bytes in all."""
        return retention.recount(self)

    def recover(self, now: float) -> Refs:
        """Put half-written files aside; returns their names (for the log)."""
        return retention.recover(self, now)


def _compressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pack = zstd.ZstdCompressor(level=LEVEL)
    for chunk in chunks:
        out = pack.compress(chunk)
        if out:
            yield out
    yield pack.flush()


def _searchable(kept: Kept) -> str:
    return "\n".join(
        (kept.sender or "", kept.recipient, kept.subject, kept.reason, kept.ip, kept.host)
    ).lower()
