"""Maildirs, mboxes and single messages, head by head; hostile files cost no more than others."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.desk.mail_files import Head, Reading, heads, size_of
from gatepost.mail.dates import parse_date
from gatepost.mail.message import MAX_HEAD, Message


def read(*paths: Path) -> tuple[list[Head], Reading]:
    """Return all heads and what was met."""
    reading = Reading()
    return list(heads(map(str, paths), reading, lambda _bytes: None)), reading


def subjects(*paths: Path) -> list[str]:
    """Return the subjects of all messages, sorted."""
    return sorted(Message(head.text).subject for head in read(*paths)[0])


def mbox(*subjects: str, end: str = "\n") -> bytes:
    """Return an mbox with a message for each subject; their bodies quote what looks like a beginning."""
    text = "".join(
        f"From me@x.example Wed Nov 25 14:30:05 2026\nSubject: {s}\nTo: a@example.org\n\n"
        "Hello\nFrom here it goes on at 12:00 in 2026\n>From me\n\nFrom me: no time\n\n"
        for s in subjects
    )
    return text.replace("\n", end).encode()


def test_maildir(tmp_path: Path) -> None:
    """cur and new of all folders, not tmp, not what the IMAP server notes, no link that leads round."""
    for folder in ("", ".Lists.friends/"):
        for name in ("cur", "new", "tmp"):
            (tmp_path / folder / name).mkdir(parents=True)
            (tmp_path / folder / name / "1700000000.M1.host:2,S").write_text(
                f"Subject: {folder}{name}\n\nx\n"
            )
    (tmp_path / "dovecot-uidlist").write_text("3 V1\n")
    (tmp_path / "cur" / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "new" / "fifo")
    (tmp_path / "new" / "empty").write_bytes(b"")
    wanted = [".Lists.friends/cur", ".Lists.friends/new", "cur", "new"]
    assert wanted == subjects(tmp_path)
    found, reading = read(tmp_path)
    assert (4, 4, []) == (reading.files, reading.messages, reading.unreadable)
    assert {1_700_000_000.0} == {head.time for head in found}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_mbox(tmp_path: Path, end: str) -> None:
    """Only a line with a time behind an empty line begins a message; its time is the message's."""
    file = tmp_path / "mail"
    file.write_bytes(mbox("one", "two", "three", end=end))
    assert ["one", "three", "two"] == subjects(file)
    found, reading = read(file)
    assert {parse_date("25 Nov 2026 14:30:05")} == {head.time for head in found}
    assert (1, 3) == (reading.files, reading.messages)


def test_folder_of_both(tmp_path: Path) -> None:
    """A folder may hold anything; what cannot be read is told, and the rest is read."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "inbox").write_bytes(mbox("a", "b"))
    (tmp_path / "one.eml").write_bytes(b"Subject: c\r\n\r\nbody\r\n")
    assert ["a", "b", "c"] == subjects(tmp_path)
    _, reading = read(tmp_path, tmp_path / "gone")
    assert [f"{tmp_path}/gone: No such file or directory"] == reading.unreadable
    assert size_of([str(tmp_path)]) == sum(f.stat().st_size for f in tmp_path.rglob("*") if f.is_file())


def test_progress(tmp_path: Path) -> None:
    """All bytes are told once, so the bar ends at its end."""
    (tmp_path / "mbox").write_bytes(mbox("a", "b", "c"))
    (tmp_path / "one").write_bytes(b"Subject: c\n\nbody\n")
    told: list[int] = []
    assert 4 == len(list(heads([str(tmp_path)], Reading(), told.append)))
    assert size_of([str(tmp_path)]) == sum(told)


@given(
    parts=st.lists(st.sampled_from([b"From a 1:00 2026", b"From ", b"\n", b"\r\n", b"To: x", b"\0", b"\xff"]))
)
@settings(max_examples=100, deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    """Whatever lies in a file is read without an exception."""
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(b"".join(parts))
    assert read(file)[1].unreadable == []


@pytest.mark.parametrize("line", [b"x" * 200 + b"\n", b"X-Long: ", b"\xff\n", b"From \n"])
@pytest.mark.parametrize("begin", [b"", b"From a@b Wed Nov 25 14:30:05 2026\n"])
def test_endless_header(tmp_path: Path, begin: bytes, line: bytes) -> None:
    """A header without end, in lines or in one line, takes a bounded piece of memory."""
    file = tmp_path / "mail"
    file.write_bytes(begin + line * (30 * MAX_HEAD // len(line)))  # more than may be held
    tracemalloc.start()
    (head,), reading = read(file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * MAX_HEAD
    assert len(head.text) <= 2 * MAX_HEAD + 4
    assert 1 == reading.cut
