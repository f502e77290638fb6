"""The CPU time and memory of a server's whole process tree, dead children included.

A cgroup (v2) of its own counts every nanosecond of every process that was ever born in it: that is the
exact way and the one used where the bench may make one. Otherwise /proc: each living process of the tree
with what it has inherited from children that it waited for (cutime, cstime), in ticks of 10 ms; a
process whose parent never waited for it is lost there. Which way was used stands beside the results.
"""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple, Protocol

_TICK = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """CPU seconds."""

    total: float
    user: float
    system: float

    def since(self, before: "Usage") -> "Usage":
        return Usage(*(now - then for now, then in zip(self, before, strict=True)))


class Group(Protocol):
    """What a server runs in."""

    how: str

    def wrap(self, command: list[str]) -> list[str]:
        """The command that starts `command` inside the group."""

    def started(self, pid: int) -> None:
        """The wrapped command runs under this pid."""

    def usage(self) -> Usage: ...

    def pids(self) -> list[int]: ...

    def close(self) -> None:
        """Kill what is left (only processes that were born in the group) and remove it."""


class CgroupGroup:
    """A cgroup v2 without any controller: cpu.stat counts in every one."""

    how = "cgroup v2 cpu.stat (exact)"

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def wrap(self, command: list[str]) -> list[str]:
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.path / "cgroup.procs"), *command]

    def started(self, pid: int) -> None:
        pass

    def usage(self) -> Usage:
        fields = dict(line.split() for line in (self.path / "cpu.stat").read_text().splitlines())
        seconds = [int(fields[key]) / 1e6 for key in ("usage_usec", "user_usec", "system_usec")]
        return Usage(*seconds)

    def pids(self) -> list[int]:
        return [int(line) for line in (self.path / "cgroup.procs").read_text().split()]

    def close(self) -> None:
        _kill_all(self.pids)
        with contextlib.suppress(OSError):
            self.path.rmdir()


class ProcGroup:
    """The descendants of one process and the members of its session, from /proc."""

    how = "/proc of the process tree with cutime and cstime (ticks of 10 ms)"

    def __init__(self) -> None:
        self.root = 0

    def wrap(self, command: list[str]) -> list[str]:
        return command

    def started(self, pid: int) -> None:
        self.root = pid

    def usage(self) -> Usage:
        stats = _all_stats()
        chosen = [stats[pid] for pid in self._members(stats)]
        user = sum(int(fields[11]) + int(fields[13]) for fields in chosen) / _TICK
        system = sum(int(fields[12]) + int(fields[14]) for fields in chosen) / _TICK
        return Usage(user + system, user, system)

    def pids(self) -> list[int]:
        return self._members(_all_stats())

    def _members(self, stats: dict[int, list[str]]) -> list[int]:
        members = {pid for pid, fields in stats.items() if pid == self.root or int(fields[3]) == self.root}
        while True:
            more = {pid for pid, fields in stats.items() if int(fields[1]) in members} - members
            if not more:
                return sorted(members)
            members |= more

    def close(self) -> None:
        if self.root:
            _kill_all(self.pids)


def _all_stats() -> dict[int, list[str]]:
    """The fields behind the name in /proc/PID/stat: 0 state, 1 ppid, 3 session, 11-14 times."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended while we looked
                found[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()
    return found


def _kill_all(pids: "object") -> None:
    assert callable(pids)
    for _ in range(100):
        left: list[int] = [pid for pid in pids() if not _is_dead(pid)]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def _cgroup_home() -> Path | None:
    """Our own place in the cgroup v2 tree, if there is one."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if right.split()[0] == "cgroup2":
            for own in Path("/proc/self/cgroup").read_text().splitlines():
                if own.startswith("0::"):
                    return Path(left.split()[4]) / own[3:].lstrip("/")
    return None


_serial = 0


def new_group(name: str) -> Group:
    """A cgroup where we may make one, else the way through /proc."""
    global _serial  # noqa: PLW0603 - names within one process
    _serial += 1
    home = _cgroup_home()
    if home is not None and os.access(home, os.W_OK):
        path = home / f"gatepost-bench-{os.getpid()}-{_serial}-{name}"
        try:
            group = CgroupGroup(path)
            if os.access(path / "cgroup.procs", os.W_OK):
                group.usage()
                return group
            path.rmdir()
        except (OSError, KeyError):
            pass  # read-only or a v2 tree that is not ours: /proc it is
    return ProcGroup()


def pss_kib(pids: list[int]) -> dict[int, int]:
    """Proportional set size of each process: shared pages are counted once over the tree."""
    sizes = {}
    for pid in pids:
        with contextlib.suppress(OSError, StopIteration):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            sizes[pid] = int(next(line for line in rollup if line.startswith("Pss:")).split()[1])
    return sizes


def machine_busy() -> float:
    """CPU seconds that this machine has spent on anything, stolen time apart."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / _TICK
