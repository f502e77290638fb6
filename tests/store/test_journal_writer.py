"""Lines are written in batches to a file that only this writer ever had; a full disk loses none at once."""

import errno
import os
from pathlib import Path

import pytest

from gatepost.store import journal_writer
from gatepost.store.journal_writer import FOLDER, JournalWriter, in_use
from tests.store.conftest import Clock


def files(folder: Path) -> list[Path]:
    """Return the journal files in order."""
    return sorted((folder / FOLDER).glob("*.log"))


def test_batches(tmp_path: Path, clock: Clock) -> None:
    """Nothing is written before the flush; then one stamp and the lines."""
    writer = JournalWriter(tmp_path, "w0", clock=clock)
    writer.flush()
    assert not (tmp_path / FOLDER).exists()
    writer.add("one\n")
    writer.add("two\n")
    assert not (tmp_path / FOLDER).exists()
    writer.flush()
    (file,) = files(tmp_path)
    assert file.read_text() == f'["t",{clock.now:.3f}]\none\ntwo\n'
    clock.now += 1
    writer.add("three\n")
    writer.flush()
    assert file.read_text().endswith(f'["t",{clock.now:.3f}]\nthree\n')
    assert file.stat().st_mode & 0o77 == 0


def test_one_write_for_each_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many lines."""
    writes: list[int] = []
    real = os.write

    def counted(fd: int, data: bytes) -> int:
        writes.append(len(data))
        return real(fd, data)

    monkeypatch.setattr(os, "write", counted)
    writer = JournalWriter(tmp_path, "w0")
    for n in range(500):
        writer.add(f"{n}\n")
    writer.flush()
    assert len(writes) == 1


def test_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is large enough is left to the collector and a new one begun; names never repeat."""
    monkeypatch.setattr(journal_writer, "ROTATE_BYTES", 100)
    writer = JournalWriter(tmp_path, "w0")
    for n in range(5):
        writer.add(f"{n}" * 120 + "\n")
        writer.flush()
    again = JournalWriter(tmp_path, "w0")
    again.add("x\n")
    again.flush()
    assert len(files(tmp_path)) == 6


def test_in_use(tmp_path: Path) -> None:
    """While a writer lives its file is locked; closed, it is free."""
    assert not in_use(tmp_path)
    writer = JournalWriter(tmp_path, "w0")
    writer.add("x\n")
    writer.flush()
    assert in_use(tmp_path)
    writer.close()
    assert not in_use(tmp_path)


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a batch was written, then the disk is full: later the rest follows, in order, each byte once."""
    writer = JournalWriter(tmp_path, "w0", clock=lambda: 1.0)
    real, full = os.write, True

    def write(fd: int, data: bytes) -> int:
        if full:
            if len(data) > 20:
                return real(fd, data[:20])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    writer.add("a" * 30 + "\n")
    writer.flush()
    assert "No space" in writer.trouble
    writer.add("b\n")
    writer.flush()
    full = False
    writer.flush()
    assert writer.trouble == ""
    text = "".join(f.read_text() for f in files(tmp_path))
    assert text == '["t",1.000]\n' + "a" * 30 + '\n["t",1.000]\nb\n'
    assert writer.lost == 0


def test_full_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: what cannot be held any more is counted."""
    monkeypatch.setattr(journal_writer, "MAX_WAITING", 1000)

    def write(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    writer = JournalWriter(tmp_path, "w0")
    for _ in range(100):
        writer.add("x" * 90 + "\n")
        writer.flush()
    assert writer.lost > 80


def test_survives_kill(tmp_path: Path) -> None:
    """What was flushed is there though the process died without a word."""
    pid = os.fork()
    if pid == 0:
        writer = JournalWriter(tmp_path, "w7")
        writer.add("flushed\n")
        writer.flush()
        writer.add("not flushed\n")
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    (file,) = files(tmp_path)
    assert "flushed\n" in file.read_text()
    assert not in_use(tmp_path)
