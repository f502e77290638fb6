"""A message's bytes come back as they went in, in memory or in a file, and nothing is left behind."""

import asyncio
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatepost.mail.retitled import Retitled
from gatepost.server import body
from gatepost.server.body import Body, Memory
from gatepost.store.durable import SystemFiles


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_small_stays_in_memory(memory: Memory, tmp_path: Path) -> None:
    """A small message never touches the disk, and its memory is given back."""
    b = Body(memory, tmp_path / "scratch")
    b.append(b"one ")
    b.append(b"two")
    assert list(b) == [b"one ", b"two"]
    assert b.in_memory
    assert memory.used == 7
    b.close()
    assert memory.used == 0
    assert not (tmp_path / "scratch").exists()


def test_large_goes_to_a_nameless_file(memory: Memory, tmp_path: Path) -> None:
    """Past the bound the bytes are in a file without a name, and can be read more than once."""
    b = Body(memory, tmp_path)
    piece = b"x" * 300_000
    for _ in range(5):
        b.append(piece)
    assert not b.in_memory
    assert memory.used == 0
    assert b"".join(b) == piece * 5
    assert b"".join(b) == piece * 5
    assert b.size == 1_500_000
    assert list(tmp_path.iterdir()) == []
    b.append(b"tail")
    assert b"".join(b).endswith(b"xtail")
    b.close()


def test_many_small_ones_spill_too(memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All messages together have a bound in memory."""
    monkeypatch.setattr(body, "MEMORY_ALL", 1000)
    held = [Body(memory, tmp_path) for _ in range(20)]
    for b in held:
        b.append(b"y" * 100)
    assert memory.used <= 1000
    assert any(not b.in_memory for b in held)
    for b in held:
        assert b"".join(b) == b"y" * 100
        b.close()
    assert memory.used == 0


@pytest.mark.parametrize("size", [10, 2_000_000])
@pytest.mark.parametrize("stuffed", [True, False])
def test_normalized(memory: Memory, tmp_path: Path, size: int, stuffed: bool) -> None:
    """Bare line ends become whole ones, dots are undone by the true ones; others have their turns."""
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def act() -> Body:
        b = Body(memory, tmp_path)
        b.append(b"..a\r\n..b\n.c\r")
        for _ in range(size // 10):
            b.append(b"\n" * 10)
        task = asyncio.create_task(other())
        found = await b.normalized(stuffed=stuffed)
        task.cancel()
        assert 0 == b.size
        return found

    found = asyncio.run(act())
    start = b".a\r\n.b\r\n.c\r\n" if stuffed else b"..a\r\n..b\r\n.c\r\n"
    assert b"".join(found) == start + b"\r\n" * (size // 10 * 10 - 1)
    assert found.in_memory is (size == 10)
    assert (len(turns) > 5) is (size > 10)
    found.close()
    assert 0 == memory.used


def test_normalized_on_a_full_disk(memory: Memory, tmp_path: Path) -> None:
    """What was there stays, what was begun is gone."""
    b = Body(memory, tmp_path)
    b.append(b"\n" * 700_000)
    (tmp_path / "x").write_bytes(b"")
    b._folder = tmp_path / "x" / "no folder"
    with pytest.raises(OSError, match="Not a directory"):
        asyncio.run(b.normalized(stuffed=False))
    assert b"\n" * 700_000 == b"".join(b)
    b.close()
    assert 0 == memory.used


@pytest.mark.parametrize("sizes", [(1_200_000,), (1_200_000, 10), (1_200_000, 10, 10)])
def test_a_full_disk(
    sizes: tuple[int, ...], memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said with the piece that has no room, however small, and by nobody else; no memory is held for it."""
    room = sum(sizes) - 1
    good = os.write

    def write(fd: int, data: bytes | memoryview) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = good(fd, data[:room])
        room -= done
        return done

    monkeypatch.setattr(SystemFiles, "write", staticmethod(write))
    b = Body(memory, tmp_path)
    for size in sizes[:-1]:
        b.append(b"x" * size)
    with pytest.raises(OSError, match="No space"):
        b.append(b"x" * sizes[-1])
    b.close()
    assert 0 == memory.used


@pytest.mark.parametrize("limit", [1, 5, 8, 100])
def test_head(memory: Memory, tmp_path: Path, limit: int) -> None:
    """The head is the first bytes, however they came in pieces."""
    b = Body(memory, tmp_path)
    for piece in (b"abc", b"defg", b"h"):
        b.append(piece)
    assert b.head(limit) == b"abcdefgh"[:limit]


@pytest.mark.parametrize(("size", "lines"), [(1, 50), (7, 50), (100, 50), (3_000_000, 400_000)])
def test_another_head(memory: Memory, tmp_path: Path, size: int, lines: int) -> None:
    """A body with another header block: the rest is as it came, in memory and in a file, twice."""
    text = b"Subject: a\r\n\r\n" + b"line\r\n" * lines
    b = Body(memory, tmp_path)
    for start in range(0, len(text), size):
        b.append(text[start : start + size])
    other = Retitled(b, 14, b"Subject: b\r\n\r\n")
    for _ in range(2):
        assert b"Subject: b\r\n\r\n" + text[14:] == b"".join(other)
    c = b.with_head(14, b"")
    assert (text[14:], len(text) - 14) == (b"".join(c), c.size)
    c.close()
    assert 0 == memory.used


def test_read_by_several_at_once(memory: Memory, tmp_path: Path) -> None:
    """Copies of one message are written in threads: each reads the whole of it, and none another's place."""
    body = Body(memory, tmp_path)
    whole = b"".join(b"%08d\r\n" % n for n in range(600_000))
    body.append(whole)
    assert not body.in_memory
    with ThreadPoolExecutor(4) as pool:
        for _ in range(8):
            assert all(pool.map(lambda _: b"".join(body) == whole, range(4)))
    body.append(b"more")
    assert b"".join(body) == whole + b"more"
