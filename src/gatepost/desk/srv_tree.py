"""Look into a tree of files without being led out of it, and without believing what lies there.

A link counts where it leads to something in the same tree; one that leads out is told and left.
Only plain files are read, and only so much of them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.desk.srv_names import BadName, from_file, is_leftover

MAX_TEXT = 256 << 10
"""Bytes of a file that is read (`zones`, `settings`)."""
MAX_NAMES = 2_000_000
"""Names in one folder."""
MAX_TOLD = 1_000
"""Problems that are told by name."""


Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One file or folder that was not taken over."""

    path: str
    """Below the tree's top."""
    why: str


@dataclass(slots=True)
class Tree:
    """One tree, and what was wrong in it so far."""

    top: Path
    problems: list[Problem] = field(default_factory=list)
    seen: dict[Path, Stamp] = field(default_factory=dict)
    """What was looked at, as it was just before: when none of it has changed, the tree says the same."""
    real_top: Path = field(init=False)

    def __post_init__(self) -> None:
        self.real_top = self.top.resolve()

    def tell(self, place: Path, why: str) -> None:
        """Note what cannot be taken over."""
        if len(self.problems) < MAX_TOLD:
            self.problems.append(Problem(str(place.relative_to(self.top)), why))

    def names(self, folder: Path) -> Iterator[tuple[str, Path, bool]]:
        """Yield (name, place, is a folder) of what lies in a folder; nothing if there is no such folder.

        `OSError` where the folder is there and cannot be read: what it says is then not known.
        """
        self.seen[folder] = stamp(folder)
        try:
            found = sorted(os.scandir(folder), key=lambda one: one.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for one in found[:MAX_NAMES]:
            if is_leftover(one.name):
                continue
            place = folder / one.name
            try:
                name = from_file(one.name)
                if one.is_symlink() and not self._inside(place):
                    self.tell(place, "a link that leads out of the tree, or nowhere")
                    continue
                yield name, place, one.is_dir()
            except BadName as error:
                self.tell(folder / repr(one.name), str(error))
        if len(found) > MAX_NAMES:
            self.tell(folder, f"more than {MAX_NAMES} names")

    def text(self, place: Path) -> str:
        """Return what a plain file says, "" for what is none or is not there."""
        self.seen[place] = stamp(place)
        if place.is_symlink() and not self._inside(place):
            self.tell(place, "a link that leads out of the tree, or nowhere")
            return ""
        try:
            # Not blocking: a pipe that nobody writes to would hold up everything.
            fd = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return ""
        with open(fd, "rb") as stream:  # noqa: PTH123 - the descriptor that was opened just now
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return ""
            raw = stream.read(MAX_TEXT + 1)
        if len(raw) > MAX_TEXT:
            self.tell(place, f"more than {MAX_TEXT >> 10} KiB: only the beginning is read")
        return raw[:MAX_TEXT].decode("utf-8", "replace")

    def lines(self, place: Path) -> list[str]:
        """Return the lines of a file without comments and empty ones."""
        lines = (line.partition("#")[0].strip() for line in self.text(place).splitlines())
        return [line for line in lines if line]

    def _inside(self, place: Path) -> bool:
        try:
            return place.resolve(strict=True).is_relative_to(self.real_top)
        except (OSError, RuntimeError):
            return False


def stamp(place: Path) -> Stamp:
    """Return what changes when a file or the names in a folder change; None where there is nothing."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
