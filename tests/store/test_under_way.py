"""Who deletes what a domain left waits for who began before its removal; a dead process holds up nobody."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gatepost.store.under_way import FOLDER, PREFIX, UnderWay, Work, held_up

NAME, OTHER = "example.org", "example.com"


def gone(name: str) -> bool:
    """Say that only one domain is hosted."""
    return name == OTHER


def told(work: UnderWay, version: int) -> None:
    """Let two looks pass."""
    work.tell(version, gone)
    work.tell(version, gone)


def test_nobody_is_there(tmp_path: Path) -> None:
    """Where nothing runs, nothing is waited for."""
    assert not held_up(tmp_path, NAME, 5)


def test_a_version_that_was_not_seen(tmp_path: Path) -> None:
    """A process that has just begun, or has not looked, may still take mail for it."""
    work = UnderWay(tmp_path, "w0")
    assert held_up(tmp_path, NAME, 5)
    told(work, 4)
    assert held_up(tmp_path, NAME, 5)
    told(work, 5)
    assert not held_up(tmp_path, NAME, 5)
    assert held_up(tmp_path, NAME, 6)
    work.close()
    assert not held_up(tmp_path, NAME, 6)
    assert not list((tmp_path / FOLDER).iterdir())


def test_a_version_is_told_one_look_late(tmp_path: Path) -> None:
    """What had just begun under the version before has entered its work by then."""
    work = UnderWay(tmp_path, "w0")
    work.tell(5, gone)
    assert held_up(tmp_path, NAME, 5)
    with work.work((NAME,)):
        work.tell(5, gone)
        assert held_up(tmp_path, NAME, 5)
    work.tell(5, gone)
    assert not held_up(tmp_path, NAME, 5)


def test_work_for_it(tmp_path: Path) -> None:
    """Each piece counts, in whatever order they end; work for others does not, nor for who is hosted."""
    work = UnderWay(tmp_path, "w0")
    first, second = work.work((NAME, OTHER)), work.work((NAME,))
    first.__enter__()
    second.__enter__()
    told(work, 5)
    assert [True, False, False] == [held_up(tmp_path, name, 5) for name in (NAME, OTHER, "never.example")]
    first.__exit__(None, None, None)
    told(work, 5)
    assert held_up(tmp_path, NAME, 5)
    second.__exit__(None, None, None)
    told(work, 5)
    assert not held_up(tmp_path, NAME, 5)


def test_work_that_fails_ends() -> None:
    """A fault, or a client that left, holds up nobody."""

    async def fails() -> None:
        assert {NAME: 1} == work._work
        raise ValueError("ours")

    work = Work()
    with pytest.raises(ValueError, match="ours"):
        asyncio.run(work.during(NAME, fails()))
    assert {} == work._work


def test_it_has_ended_when_it_is_written(tmp_path: Path) -> None:
    """What is written behind is written first; while that cannot be, all as before."""
    can, asked = [True], []

    def written() -> bool:
        asked.append(held_up(tmp_path, NAME, 5))
        return can[0]

    work = UnderWay(tmp_path, "w0", written)
    told(work, 5)
    can[0] = False
    with work.work((NAME,)):
        pass
    told(work, 6)
    assert held_up(tmp_path, NAME, 6)
    can[0] = True
    told(work, 6)
    assert not held_up(tmp_path, NAME, 6)
    number = len(asked)
    assert asked[0]
    told(work, 6)
    assert number == len(asked), "nothing is written while nothing changes"


def test_a_process_that_died(tmp_path: Path) -> None:
    """It works for nobody; its file is put away."""
    if not (child := os.fork()):
        UnderWay(tmp_path, "w0")
        os._exit(0)
    os.waitpid(child, 0)
    (left,) = (tmp_path / FOLDER).glob(f"{PREFIX}*")
    assert not held_up(tmp_path, NAME, 5)
    assert not left.exists()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"version": "x", "busy": []}', b'{"version": 9}', b"\xff"]
)
def test_what_is_being_written(tmp_path: Path, text: bytes) -> None:
    """Half a file is no leave."""
    work = UnderWay(tmp_path, "w0")
    told(work, 5)
    work._path.write_bytes(text)
    assert held_up(tmp_path, NAME, 5)
