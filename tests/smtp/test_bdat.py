"""Chunks are counted; nothing in them is a command, and what spoils DATA spoils them."""

from __future__ import annotations

import pytest

from gatepost.smtp.bdat import BdatReader


def reader(count: int, size: int = 100) -> BdatReader:
    """Return a reader in a chunk."""
    bdat = BdatReader(size, 20)
    bdat.begin(count, last=True)
    return bdat


def test_bytes_go_through() -> None:
    """Dots and line ends are bytes like others."""
    bdat = reader(7)
    assert bdat.feed(b".\r\n") == b".\r\n"
    assert bdat.left == 4
    assert bdat.feed(b".\r\nx") == b".\r\nx"
    assert (bdat.left, bdat.size, bdat.spoilt) == (0, 7, "")


def test_chunks_add_up() -> None:
    """The size is the message's, not the chunk's."""
    bdat = reader(60)
    assert bdat.feed(b"a\r\n" * 20)
    bdat.begin(42, last=False)
    assert not bdat.last
    assert bdat.feed(b"a\r\n" * 14) == b""
    assert bdat.too_big
    assert bdat.size == 102


@pytest.mark.parametrize(
    ("pieces", "spoilt"),
    [
        ([b"a\r", b"\nb"], ""),
        ([b"a\r", b"b\n"], "bare"),
        ([b"a\r"], "bare"),
        ([b"\n"], "bare"),
        ([b"a\0"], "nul"),
        ([b"a" * 19, b"\r\n"], "line"),
        ([b"a" * 18, b"\r\n"], ""),
    ],
)
def test_spoilt(pieces: list[bytes], spoilt: str) -> None:
    """Also over the border of two pieces or two chunks."""
    bdat = reader(50)
    for piece in pieces:
        bdat.feed(piece)
    assert spoilt == bdat.spoilt
