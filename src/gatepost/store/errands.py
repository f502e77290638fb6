"""What other filters of a domain are still to be taught: written down after a training, done by the keeper.

    learn/errands/DOMAIN/19c2f3a41b2-417-1.spamassassin     a line of JSON, then the message

A training is done when the domain's own model has it; that SpamAssassin sleeps must not hold it up, or
undo it. So an errand waits here, is tried again and again, and is given up after some days; what was
given up stays for a while without its message, for people to see. Bounded for a domain: the oldest goes.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gatepost.store.durable import make_directory, write_durable

FOLDER = "errands"
MAX_RAW = 512_000
"""Bytes of a message that other filters get: spam is small, and theirs have bounds like this."""
MOST = 500
"""Errands of one domain."""
FIRST_WAIT = 30.0
LONGEST_WAIT = 3_600.0
GIVEN_UP_AFTER = 3 * 86_400
SHOWN_FOR = 7 * 86_400
"""Seconds for which one that was given up is still shown."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Errand:
    """One message for one filter."""

    domain: str
    plugin: str
    spam: bool
    since: float
    due: float = 0.0
    tries: int = 0
    last: str = ""
    """What went wrong last."""
    given_up: bool = False


class Errands:
    """The errands of one installation; any process adds, one does them."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder / FOLDER
        self._clock = clock

    def put(self, domain: str, plugin: str, raw: bytes, *, spam: bool) -> None:
        """Write one down, durably; OSError where that cannot be."""
        folder = self._folder / domain
        make_directory(folder)
        present = self._names(folder)
        for name in present[: max(0, len(present) - MOST + 1)]:
            (folder / name).unlink(missing_ok=True)
        now = self._clock()
        name = f"{time.time_ns() // 1_000_000:011x}-{os.getpid()}-{next(_numbers)}.{plugin}"
        _write(folder / name, Errand(domain, plugin, spam, now), raw[:MAX_RAW])

    def paths(self) -> list[Path]:
        """Return where all of them are, the oldest of each domain first."""
        try:
            folders = sorted(path for path in self._folder.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []
        return [folder / name for folder in folders for name in self._names(folder)]

    def of_domain(self, domain: str) -> list[Errand]:
        """Return the errands of a domain, the oldest first."""
        folder = self._folder / domain
        found = (self.read(folder / name) for name in self._names(folder))
        return [one[0] for one in found if one is not None]

    def read(self, path: Path) -> tuple[Errand, bytes] | None:
        """Return an errand with its message; None where it is gone, or is none (then it goes)."""
        try:
            line, _, raw = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        try:
            return Errand(**json.loads(line)), raw
        except (ValueError, TypeError):
            path.unlink(missing_ok=True)
            return None

    def done(self, path: Path) -> None:
        """Forget one that was done."""
        path.unlink(missing_ok=True)

    def failed(self, path: Path, errand: Errand, raw: bytes, why: str) -> Errand:
        """Try again later, or give it up; returns what became of it."""
        now = self._clock()
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(errand.tries, 20))
        over = now - errand.since >= GIVEN_UP_AFTER
        after = replace(
            errand,
            tries=errand.tries + 1,
            last=why[:300],
            due=now + (SHOWN_FOR if over else wait),
            given_up=over,
        )
        _write(path, after, b"" if over else raw)
        return after

    def _names(self, folder: Path) -> list[str]:
        try:
            return sorted(one.name for one in folder.iterdir() if not one.name.endswith(".tmp"))
        except (FileNotFoundError, NotADirectoryError):
            return []


def _write(path: Path, errand: Errand, raw: bytes) -> None:
    line = json.dumps(asdict(errand), separators=(",", ":")).encode("ascii") + b"\n"
    write_durable(path, [line, raw], replaces=True)
