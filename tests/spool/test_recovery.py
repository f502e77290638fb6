"""After a kill nothing in the queue is thrown away: finished, or put aside where somebody sees it (L12)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatepost.spool.queue import Queue
from gatepost.spool.recovery import GRACE, MARKS_FOR, recover
from tests.spool.test_queue import MAIL, envelope, files

NOW = 10_000_000.0


def later(tmp_path: Path) -> Queue:
    """Open the queue as a process does that starts at NOW."""
    return Queue(tmp_path, clock=lambda: NOW)


def aged(path: Path, seconds: float) -> None:
    """Give a file an age at NOW."""
    os.utime(path, (NOW - seconds, NOW - seconds))


def aside(tmp_path: Path) -> int:
    """Count what was put aside."""
    return len(list((tmp_path / "corrupt").iterdir()))


def test_whole_entries_stay(tmp_path: Path) -> None:
    """What is complete is not touched."""
    queue = later(tmp_path)
    queue.put(envelope(), [MAIL])
    assert 0 == recover(queue)
    assert ["one.eml", "one.json"] == files(tmp_path)


@pytest.mark.parametrize("name", ["two.eml", "two.eml.tmp", "odd name"])
def test_half_written(tmp_path: Path, name: str) -> None:
    """Left alone while somebody may still be writing it, then put aside with its bytes."""
    queue = later(tmp_path)
    (tmp_path / name).write_bytes(b"half")
    aged(tmp_path / name, GRACE - 1)
    assert 0 == recover(queue)
    assert [name] == files(tmp_path)
    aged(tmp_path / name, GRACE + 1)
    assert 1 == recover(queue)
    assert [] == files(tmp_path)
    assert b"half" in [file.read_bytes() for file in (tmp_path / "corrupt").iterdir()]


def test_unreadable_envelope(tmp_path: Path) -> None:
    """Envelope and message go aside together."""
    queue = later(tmp_path)
    queue.put(envelope(), [MAIL])
    (tmp_path / "one.json").write_bytes(b"{")
    assert 2 == recover(queue)
    assert [] == files(tmp_path)
    assert MAIL in [file.read_bytes() for file in (tmp_path / "corrupt").iterdir()]


def test_envelope_without_a_message(tmp_path: Path) -> None:
    """There is nothing to hand on, and somebody should know."""
    queue = later(tmp_path)
    queue.put(envelope(), [MAIL])
    (tmp_path / "one.eml").unlink()
    assert 1 == recover(queue)
    assert [] == files(tmp_path)


def test_finished_but_not_cleared(tmp_path: Path) -> None:
    """A mark that all is done clears the message: it is not delivered again."""
    queue = later(tmp_path)
    (tmp_path / "two.eml").write_bytes(MAIL)
    (tmp_path / "two.done").write_bytes(b"")
    assert 0 == recover(queue)
    assert [] == files(tmp_path)


def test_old_marks_go(tmp_path: Path) -> None:
    """A release is remembered half a year, then forgotten."""
    queue = later(tmp_path)
    for name, age in (("young", MARKS_FOR - 60), ("old", MARKS_FOR + 60)):
        (tmp_path / "sent" / name).write_bytes(b"")
        aged(tmp_path / "sent" / name, age)
    recover(queue)
    assert ["young"] == [mark.name for mark in (tmp_path / "sent").iterdir()]
