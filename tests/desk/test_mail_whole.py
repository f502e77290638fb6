"""Whole messages out of files, folders, Maildirs and mboxes."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest

from gatepost.desk.errors import DeskError
from gatepost.desk.mail_whole import files, messages

ONE, TWO = b"Subject: one\n\ntext\n", b"Subject: two\n\ntext\n"


def read(*paths: Path) -> list[bytes]:
    unreadable: list[str] = []
    found = list(messages(files(str(path) for path in paths), unreadable))
    assert [] == unreadable
    return found


def test_all_forms(tmp_path: Path) -> None:
    """A single file, an mbox, a Maildir, and a folder of them; what mail programs keep beside is no mail."""
    (tmp_path / "one.eml").write_bytes(ONE)
    box = mailbox.mbox(tmp_path / "box")
    for text in (ONE, TWO):
        box.add(text)
    box.close()
    maildir = mailbox.Maildir(tmp_path / "md")
    maildir.add(TWO)
    (tmp_path / "md" / "dovecot.index").write_bytes(b"not mail")
    assert [ONE] == read(tmp_path / "one.eml")
    assert [b"one", b"two"] == [text.split()[1] for text in read(tmp_path / "box")]
    assert [TWO] == read(tmp_path / "md")
    assert 4 == len(read(tmp_path))


def test_nothing_there(tmp_path: Path) -> None:
    """It is said."""
    with pytest.raises(DeskError, match="neither a file nor a folder"):
        files([str(tmp_path / "nothing")])
    (tmp_path / "empty").write_bytes(b"")
    assert [] == read(tmp_path / "empty")


def test_unreadable(tmp_path: Path) -> None:
    """Noted, and the rest is read."""
    unreadable: list[str] = []
    (tmp_path / "one.eml").write_bytes(ONE)
    assert [ONE] == list(messages([tmp_path / "gone", tmp_path / "one.eml"], unreadable))
    assert 1 == len(unreadable)
