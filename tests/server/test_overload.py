"""New sessions are sent away while the machine is over a bound, and not a moment longer than sensible."""

import os
import resource
from pathlib import Path

import pytest

from gatepost.server import overload
from gatepost.server.overload import (
    Bounds,
    Overload,
    Reading,
    available_memory,
    group_memory,
    judge,
    open_files,
    raise_open_files,
    reading,
)

BOUNDS = Bounds(load_per_core=10.0, min_free_memory=100 << 20, open_files=0.9)
CALM = Reading(1.0, 1 << 30, 0.1)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (CALM, ""),
        (Reading(10.0, 100 << 20, 0.9), ""),
        (Reading(10.1, 1 << 30, 0.1), "load 10.1 a core, bound 10"),
        (Reading(1.0, 99 << 20, 0.1), "free memory 99 MiB, bound 100 MiB"),
        (Reading(1.0, 1 << 30, 0.95), "open files 95% of the limit, bound 90%"),
        (Reading(None, None, None), ""),
    ],
)
def test_each_bound(now: Reading, reason: str) -> None:
    """At the bound is not over it; what cannot be read does not count."""
    assert judge(BOUNDS, now) == reason


def test_zero_switches_a_bound_off() -> None:
    """For those who know better."""
    assert judge(Bounds(0, 0, 0), Reading(1e6, 0, 1.0)) == ""


def test_it_does_not_flutter() -> None:
    """Entered over the bound, left only well below it."""
    loads = iter([9.9, 10.5, 9.9, 9.1, 8.9, 9.9])
    watch = Overload(BOUNDS, lambda: Reading(next(loads), 1 << 30, 0.1))
    assert [watch.look() for _ in range(6)] == [False, True, True, True, False, False]
    assert not watch
    free = iter([99, 105, 112])
    watch = Overload(BOUNDS, lambda: Reading(1.0, next(free) << 20, 0.1))
    assert [watch.look() for _ in range(3)] == [True, True, False]


def test_the_real_machine_can_be_read() -> None:
    """On Linux each value is there and plausible."""
    now = reading()
    assert now.load_per_core is not None
    assert now.load_per_core >= 0
    assert now.free_memory is not None
    assert now.free_memory > 1 << 20
    assert now.open_files is not None
    assert 0 < now.open_files < 1


def test_open_files_are_counted() -> None:
    """Ten more files are ten more, whichever way the kernel lets us count."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    before = open_files()
    more = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
    after = open_files()
    for fd in more:
        os.close(fd)
    assert before is not None
    assert after is not None
    assert round((after - before) * limit) == 10
    assert open_files("/nowhere") is None


def test_memory_of_the_machine(tmp_path: Path) -> None:
    """MemAvailable, in bytes."""
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:  100 kB\nMemAvailable:      2048 kB\n")
    assert available_memory(str(path)) == 2 << 20
    path.write_text("MemTotal:  100 kB\n")
    assert available_memory(str(path)) is None
    assert available_memory("/nowhere") is None


def test_memory_of_the_control_group(tmp_path: Path) -> None:
    """The limit less what is used; cached files count as free; no limit is no bound."""
    groups = tmp_path / "cgroup"
    groups.write_text("0::/system.slice/gatepost.service\n")
    folder = tmp_path / "fs/system.slice/gatepost.service"
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text("1000\n")
    (folder / "memory.current").write_text("700\n")
    (folder / "memory.stat").write_text("anon 500\ninactive_file 200\n")
    assert group_memory(str(groups), str(tmp_path / "fs")) == 500
    (folder / "memory.max").write_text("max\n")
    assert group_memory(str(groups), str(tmp_path / "fs")) is None
    groups.write_text("9:memory:/old\n")
    assert group_memory(str(groups), str(tmp_path / "fs")) is None


def test_the_smaller_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small guest on a large host, and a small limit within a large guest: the one that ends first."""
    for machine, group, least in ((5, 3, 3), (2, 3, 2), (5, None, 5), (None, 3, 3)):
        monkeypatch.setattr(overload, "available_memory", lambda machine=machine: machine)
        monkeypatch.setattr(overload, "group_memory", lambda group=group: group)
        assert least == reading().free_memory


def test_the_limit_of_open_files_is_raised_as_far_as_we_may() -> None:
    """Up to the hard limit, never down."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert raise_open_files(300) == 300
        assert raise_open_files(200) == 300
        if before[1] != resource.RLIM_INFINITY:
            assert raise_open_files(before[1] + 1) == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
