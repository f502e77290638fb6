"""How long kept mail stays, and what is done about it day by day.

Called by the keeper, never on the way of a mail.
"""

from __future__ import annotations

import calendar
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gatepost.spool.names import safe_name
from gatepost.spool.usage import ALL
from gatepost.store.durable import make_directory, write_durable

if TYPE_CHECKING:
    from gatepost.spool.archive import Archive

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

DAY = 86_400
BACK, FORTH = 3600, 3 * DAY
"""A clock that went back or forth by more than this since it was last seen has jumped."""
GRACE = 600
"""Seconds that an unfinished file may still belong to a process that is writing it."""


def expire(archive: Archive, now: float, keep_days: Callable[[str], int] | int) -> int:
    """Remove what is older than its domain (its name as in paths) keeps; returns the number of mails.

    A clock that jumped must not empty the archive (L14): a moment that is not near the last
    one seen is believed only when it has stood for a day.
    """
    if not _believed(archive, now):
        return 0
    removed = 0
    today, yesterday = archive.day(now), archive.day(now - DAY)
    for folder in sorted(archive.directory.glob("????-??-??")):
        if folder.name >= today or not is_day(folder.name) or folder.is_symlink():
            continue
        ends = _begin(folder.name) + DAY
        for domain in list(folder.iterdir()):
            days = keep_days if isinstance(keep_days, int) else keep_days(domain.name)
            if ends + days * DAY <= now:
                removed += _remove_folder(archive, domain)
        if folder.name < yesterday:
            if not any(folder.iterdir()):
                folder.rmdir()
            _prune_index(archive, folder.name)
    return removed


def forget(archive: Archive, domain: str) -> int:
    """Delete a domain's mail of all days and its lines in the index; returns the number of lines."""
    for folder in archive.directory.glob(f"????-??-??/{safe_name(domain)}"):
        if not folder.parent.is_symlink():
            _remove_folder(archive, folder)
    return sum(archive.index.erase_domain(day, domain) for day in archive.index.days())


def recount(archive: Archive) -> int:
    """Count what is really there and set the numbers right; returns the bytes in all."""
    of: dict[str, int] = {}
    for file in archive.directory.glob("????-??-??/*/*.eml.zst"):
        try:
            size = file.stat().st_size
        except FileNotFoundError:
            continue
        of[file.parent.name] = of.get(file.parent.name, 0) + size
    for name in archive.usage.names():
        if name != ALL and name not in of:
            archive.usage.put(name, 0)
    for name, size in of.items():
        archive.usage.put(name, size)
    total = sum(of.values())
    archive.usage.put(ALL, total)
    return total


def recover(archive: Archive, now: float) -> list[str]:
    """Put unfinished files of dead processes into `corrupt/`, never away; returns their names."""
    aside = archive.directory / "corrupt"
    found = []
    for file in (archive.directory / "tmp").iterdir():
        try:
            if file.is_symlink() or abs(now - file.stat().st_mtime) <= GRACE:
                continue
            make_directory(aside)
            file.rename(aside / f"{file.name}.{secrets.token_hex(3)}")
        except FileNotFoundError:
            continue  # it was finished after all
        found.append(file.name)
    return found


def is_day(text: str) -> bool:
    """Return whether this is the name of a day's directory."""
    return (
        len(text) == 10
        and text[4] == text[7] == "-"
        and text.isascii()
        and text.replace("-", "0").isdecimal()
    )


def _remove_folder(archive: Archive, folder: Path) -> int:
    count = 0
    for file in list(folder.iterdir()):
        size = file.stat(follow_symlinks=False).st_size
        file.unlink(missing_ok=True)
        archive.usage.add(ALL, -size)
        archive.usage.add(folder.name, -size)
        count += 1
    folder.rmdir()
    return count


def _prune_index(archive: Archive, day: str) -> None:
    """Take out the lines of mail that is gone, so that nobody's data outlives its mail."""
    kept = list(archive.index.read(day))
    still = [item.as_line() for item in kept if archive.exists(item.ref)]
    if len(still) != len(kept) or not still:
        archive.index.rewrite(day, still)


def _believed(archive: Archive, now: float) -> bool:
    path = archive.directory / "clock"
    try:
        first, last = (float(word) for word in path.read_text().split())
    except (OSError, ValueError):
        first = last = now
    if not -BACK <= now - last <= FORTH:
        first = now
    write_durable(path, [f"{first} {now}\n".encode()], tmp_dir=archive.directory / "tmp", replaces=True)
    return now - first >= DAY


def _begin(day: str) -> float:
    year, month, date = (int(part) for part in day.split("-"))
    return float(calendar.timegm((year, month, date, 0, 0, 0)))
