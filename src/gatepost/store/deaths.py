"""Which messages killed a process of ours, by fingerprint: durable, bounded, and forgotten after a while.

A file for each, named by the fingerprint, a line for each death. Only appended to, each line by one write,
so that the parent and all workers may write down at once; no database is open in the parent, who forks.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from gatepost.store.durable import append_durable, make_directory, sync_directory

DEATHS = "deaths"
"""Name of the folder in `data_dir`."""
KEPT = 7 * 86_400.0
"""Seconds that a death counts: senders give up after five days (RFC 5321, 4.5.4.1)."""
MOST = 1_000
"""Messages that are remembered; of more, those are forgotten that killed last so long ago."""
MOST_DEATHS = 20
"""Of one message; more say nothing new."""
_WHEN = re.compile(r"\d{1,12}\.\d{3}")
CHECK, WORKER = "check", "worker"
"""A process of `ctx.in_worker` died, or the worker that speaks SMTP."""


class Death(NamedTuple):
    """One process that died with a message in its hands."""

    when: float
    kind: str
    plugin: str
    """The check that had it, "" where nobody can say."""
    why: str


class Deaths:
    """The folder; used by all processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, fingerprint: bytes, now: float) -> list[Death]:
        """Return the deaths that still count, oldest first; usually there is no such file."""
        try:  # on the way of each mail that is read: a Path's own opening takes six times as long
            file = os.open(f"{self._folder}/{fingerprint.hex()}", os.O_RDONLY)
        except FileNotFoundError:
            return []
        with os.fdopen(file, encoding="utf-8", errors="replace") as kept:
            text = kept.read()
        found = [death for line in text.split("\n") if (death := _read(line)) is not None]
        return [death for death in found if death.when > now - KEPT]

    def add(self, fingerprint: bytes, death: Death) -> int:
        """Write down a death, durably; return how many count now."""
        make_directory(self._folder)
        path = self._path(fingerprint)
        known = len(self.of(fingerprint, death.when))
        if known >= MOST_DEATHS:
            return known
        if not path.exists():
            self._make_room(death.when)
        append_durable(path, _line(death))
        sync_directory(self._folder)
        return known + 1

    def _path(self, fingerprint: bytes) -> Path:
        return self._folder / fingerprint.hex()

    def _make_room(self, now: float) -> None:
        files = sorted((path.stat().st_mtime, path) for path in self._folder.iterdir())
        spare = len(files) - MOST + 1
        for n, (written, path) in enumerate(files):
            if n < spare or written < now - KEPT:
                path.unlink(missing_ok=True)


def _line(death: Death) -> bytes:
    words = (f"{death.when:.3f}", death.kind, death.plugin, death.why[:300])
    clean = ("".join(c if c.isprintable() else " " for c in word) for word in words)
    return ("\t".join(clean) + "\n").encode("utf-8", "replace")


def _read(line: str) -> Death | None:
    """Return a line's death; None for one that was cut off."""
    words = line.split("\t")
    if len(words) != 4 or not _WHEN.fullmatch(words[0]):
        return None
    return Death(float(words[0]), *words[1:])
