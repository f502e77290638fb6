"""Is the machine too busy for more? New sessions get 421 while it is, and those that run go on.

Three bounds: load per core, memory that is left (of the machine or of the control group, whichever is
less), and open files of this process. Looked at once a second, not per connection; a state that was
entered is left only well below its bound, so that it does not flutter.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BACK = 0.9
"""Over a bound until the value is below this part of it again."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is too much; 0 switches a bound off."""

    load_per_core: float = 20.0
    """One-minute load average per core."""
    min_free_memory: int = 64 << 20
    """Bytes that must be available."""
    open_files: float = 0.9
    """Part of this process's limit of open files."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the machine is at one moment; None where it cannot be known."""

    load_per_core: float | None
    free_memory: int | None
    open_files: float | None


class Overload:
    """Remembers whether we are over a bound; `look` is called once a second."""

    __slots__ = ("_bounds", "_read", "reason")

    def __init__(self, bounds: Bounds, read: Callable[[], Reading] | None = None) -> None:
        self._bounds = bounds
        self._read = read or reading
        self.reason = ""
        """Which bound, in words for the log; "" while all is well."""

    def __bool__(self) -> bool:
        return bool(self.reason)

    def look(self) -> bool:
        """Read the machine's state and return whether new sessions are to be sent away."""
        slack = BACK if self.reason else 1.0
        self.reason = judge(self._bounds, self._read(), slack)
        return bool(self.reason)


def judge(bounds: Bounds, now: Reading, slack: float = 1.0) -> str:
    """Return the bound that is passed, "" if none; `slack` below 1 demands more room."""
    load, free, files = now.load_per_core, now.free_memory, now.open_files
    if bounds.load_per_core and load is not None and load > bounds.load_per_core * slack:
        return f"load {load:.1f} a core, bound {bounds.load_per_core:g}"
    if bounds.min_free_memory and free is not None and free * slack < bounds.min_free_memory:
        return f"free memory {free >> 20} MiB, bound {bounds.min_free_memory >> 20} MiB"
    if bounds.open_files and files is not None and files > bounds.open_files * slack:
        return f"open files {files:.0%} of the limit, bound {bounds.open_files:.0%}"
    return ""


def reading() -> Reading:
    """Ask the kernel; a fraction of a millisecond."""
    try:
        load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    except OSError:
        load = None
    return Reading(load, _least(available_memory(), group_memory()), open_files())


def available_memory(path: str = "/proc/meminfo") -> int | None:
    """Return MemAvailable: what programs can still get without swapping."""
    try:
        for line in Path(path).read_bytes().splitlines():
            if line.startswith(b"MemAvailable:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError, IndexError):
        pass  # not Linux, or a /proc that is hidden from us: the bound does not apply
    return None


def group_memory(groups: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> int | None:
    """Return what the control group (version 2) may still take, None without a limit.

    Pages of files that nobody used lately can be taken back, so they count as free.
    """
    try:
        path = next(line[3:] for line in Path(groups).read_text().splitlines() if line.startswith("0::"))
        folder = Path(root) / path.lstrip("/")
        limit = (folder / "memory.max").read_text().strip()
        if limit == "max":
            return None
        used = int((folder / "memory.current").read_text())
        for line in (folder / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])
        return max(0, int(limit) - used)
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def open_files(path: str = "/proc/self/fd") -> float | None:
    """Return which part of the limit of open files this process uses."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return 0.0
    try:
        # Since Linux 6.2 the folder's size is the number of files in it; before, they are counted.
        count = os.stat(path).st_size or len(os.listdir(path))  # noqa: PTH116, PTH208 - once a second, 10,000 entries
    except OSError:
        return None
    return count / limit


def raise_open_files(wanted: int) -> int:
    """Raise the soft limit of open files as far as we need and may; return what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    except (OSError, ValueError):
        return soft  # a sandbox does not let us; the bound on open files still holds
    return target


def _least(*values: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return min(known, default=None)
