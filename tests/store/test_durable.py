"""A file is written whole or not at all, and is on the disk before anybody is told so (L1, L4)."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from gatepost.store.durable import (
    Blob,
    append_durable,
    locked,
    make_directory,
    read_blocks,
    write_durable,
)
from tests.spool.shim import Failing, Recorder

ERRORS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EMFILE]


def test_order(tmp_path: Path) -> None:
    """Write, fsync, close, rename, then fsync of the directory: in this order and nothing behind it."""
    files = Recorder()
    write_durable(tmp_path / "ann", [b"one", b"two"], files)
    expected = [
        "open ann.tmp",
        "write ann.tmp",
        "write ann.tmp",
        "fsync ann.tmp",
        "close ann.tmp",
        "rename ann.tmp -> ann",
        f"open {tmp_path.name}",
        f"fsync {tmp_path.name}",
        f"close {tmp_path.name}",
    ]
    assert expected == files.said
    assert b"onetwo" == (tmp_path / "ann").read_bytes()


@pytest.mark.parametrize("code", ERRORS)
def test_failure_leaves_nothing(tmp_path: Path, code: int) -> None:
    """Whichever call fails: an OSError comes out and neither the name nor a left-over is there."""
    for at in range(9):
        files = Failing(at, code)
        with pytest.raises(OSError) as caught:
            write_durable(tmp_path / "ann", [b"one", b"two"], files)
        assert code == caught.value.errno, files.failed
        assert [] == list(tmp_path.iterdir()), files.failed


@pytest.mark.parametrize("code", ERRORS)
def test_failure_keeps_the_old_state(tmp_path: Path, code: int) -> None:
    """Where a file replaces an older one, a failure leaves the old or the new, never none."""
    for at in range(8):
        (tmp_path / "ann").write_bytes(b"old")
        with pytest.raises(OSError):
            write_durable(tmp_path / "ann", [b"new"], Failing(at, code), replaces=True)
        assert (tmp_path / "ann").read_bytes() in (b"old", b"new")


def test_short_writes(tmp_path: Path) -> None:
    """A disk that takes a part of the bytes gets the rest."""

    class Slow(Recorder):
        def write(self, fd: int, data: bytes | memoryview) -> int:
            return os.write(fd, bytes(data)[:7])

    write_durable(tmp_path / "ann", [b"0123456789" * 10], Slow())
    assert b"0123456789" * 10 == (tmp_path / "ann").read_bytes()


def test_append_is_one_write(tmp_path: Path) -> None:
    """A line goes out by one write and is on the disk; a torn line is closed off and told."""
    files = Recorder()
    append_durable(tmp_path / "day", b"line\n", files)
    assert ["open day", "write day", "fsync day", "close day"] == files.said

    class Torn(Recorder):
        def write(self, fd: int, data: bytes | memoryview) -> int:
            return os.write(fd, bytes(data)[:3])

    with pytest.raises(OSError):
        append_durable(tmp_path / "day", b"second\n", Torn())
    append_durable(tmp_path / "day", b"third\n")
    assert b"third" in (tmp_path / "day").read_bytes().splitlines()


def test_a_killed_writer_swallows_no_line(tmp_path: Path) -> None:
    """L2: what a kill cut short in the middle of a write leaves the next line whole."""
    (tmp_path / "day").write_bytes(b'{"id":"first"}\n{"id":"cut o')
    append_durable(tmp_path / "day", b'{"id":"next"}\n')
    append_durable(tmp_path / "day", b'{"id":"last"}\n')
    lines = [b'{"id":"first"}', b'{"id":"cut o', b'{"id":"next"}', b'{"id":"last"}']
    assert lines == (tmp_path / "day").read_bytes().splitlines()


def test_directories_are_durable(tmp_path: Path) -> None:
    """Each new directory is made and then its parent synced."""
    files = Recorder()
    make_directory(tmp_path / "a" / "b", files)
    assert [
        "mkdir a",
        f"open {tmp_path.name}",
        f"fsync {tmp_path.name}",
        f"close {tmp_path.name}",
    ] == files.said[:4]
    assert ["mkdir b", "open a", "fsync a", "close a"] == files.said[4:]
    make_directory(tmp_path / "a" / "b", files)
    assert 8 == len(files.said)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A symbolic link in place of a message is not read."""
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "mail").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError):
        list(read_blocks(tmp_path / "mail"))


def test_blob_is_read_again(tmp_path: Path) -> None:
    """A blob may be iterated as often as there are next hops."""
    (tmp_path / "mail").write_bytes(b"x" * 300_000)
    blob = Blob(tmp_path / "mail")
    assert 300_000 == blob.size == sum(map(len, blob)) == sum(map(len, blob))
    assert b"x" * 10 == blob.head(10)


def test_locked(tmp_path: Path) -> None:
    """Who holds it is alone; an error gives it back; no link is followed."""
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), locked(path):
        fd = os.open(path, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise ZeroDivisionError
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(fd)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic links"), locked(tmp_path / "link"):
        pass
