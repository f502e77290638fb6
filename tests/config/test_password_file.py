"""A password's file: what is read, what is wrong with it, and nothing of it in what is said."""

import os
from pathlib import Path

import pytest

from gatepost.config.password_file import LARGEST, BadPasswordFile, is_open, read


@pytest.mark.parametrize(
    ("raw", "password"),
    [(b"s3cret", "s3cret"), (b"s3cret\n", "s3cret"), (b"s3cret\r\n", "s3cret"), (b" a b ", " a b "),
     ("pässwort\n".encode(), "pässwort"), (b"x" * LARGEST, "x" * LARGEST)],
)  # fmt: skip
def test_read(tmp_path: Path, raw: bytes, password: str) -> None:
    """The line as it stands."""
    file = tmp_path / "password"
    file.write_bytes(raw)
    assert password == read(file)


@pytest.mark.parametrize(
    ("raw", "why"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"s3cret\nmore\n", "more than one line"),
     (b"s3cret\0", "control characters"), (b"s3cret\xff", "is not UTF-8"),
     (b"s3cret" * LARGEST, "more than 1000 bytes")],
)  # fmt: skip
def test_wrong(tmp_path: Path, raw: bytes, why: str) -> None:
    """Each fault has its sentence, which names the file and not what is in it."""
    file = tmp_path / "password"
    file.write_bytes(raw)
    with pytest.raises(BadPasswordFile, match=why) as caught:
        read(file)
    assert str(file) in str(caught.value)
    assert "s3cret" not in str(caught.value).replace(str(file), "")


def test_no_file(tmp_path: Path) -> None:
    """What is not there, a folder, and a pipe (which would be waited for)."""
    os.mkfifo(tmp_path / "pipe")
    for path, why in (
        (tmp_path / "gone", "does not exist"),
        (tmp_path, "is not a file"),
        (tmp_path / "pipe", "is not"),
    ):
        with pytest.raises(BadPasswordFile, match=why):
            read(path)


def test_is_open(tmp_path: Path) -> None:
    """A password that everybody may read is told of."""
    file = tmp_path / "password"
    file.touch(0o640)
    assert not is_open(file)
    file.chmod(0o644)
    assert is_open(file)
    assert not is_open(tmp_path / "gone")
