"""Counts of bytes are exact although many processes add at once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from gatepost.spool.usage import Usage


def _add(directory: str) -> None:
    usage = Usage(Path(directory))
    for _ in range(200):
        usage.add("example.org", 3)


def test_exact_across_processes(tmp_path: Path) -> None:
    """Four processes that add 200 times each: nothing is lost."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add, args=(str(tmp_path),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert 2400 == Usage(tmp_path).get("example.org")


def test_never_below_nothing(tmp_path: Path) -> None:
    """A count that is off never becomes negative; a damaged file counts as nothing."""
    usage = Usage(tmp_path)
    assert 0 == usage.add("a", -5)
    (tmp_path / "a").write_bytes(b"garbage")
    assert 0 == usage.get("a")
    assert 7 == usage.add("a", 7)
    usage.put("a", 3)
    assert 3 == usage.get("a")
    assert ["a"] == usage.names()
