"""A Maildir gets whole files on the disk, and no address leads out of its folder (L1, L4, T3.4)."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address
from gatepost.relay.maildir import deliver, exists, folder, with_lf
from gatepost.relay.results import Content
from tests.spool.shim import Failing, Recorder

ANN = Address("Ann", "example.org", "Ann@example.org")
SENDER = Address("a", "b.example", "a@b.example")
MAIL = Content([b"Subject: x\r\n\r\n..dot\r\n"], True, b"Received: by us\r\n")


def test_delivered(tmp_path: Path) -> None:
    """Return-Path and Delivered-To on top, then our headers, then the mail with its dots undone and LF."""
    path = deliver(f"{tmp_path}/%d/%u", SENDER, ANN, MAIL, 1.5)
    assert tmp_path / "example.org" / "ann" / "new" == path.parent
    expected = (
        b"Return-Path: <a@b.example>\nDelivered-To: Ann@example.org\nReceived: by us\nSubject: x\n\n.dot\n"
    )
    assert expected == path.read_bytes()
    assert b"Return-Path: <>\n" in deliver(str(tmp_path / "m"), None, ANN, MAIL, 1.5).read_bytes()
    assert [] == list((tmp_path / "m" / "tmp").iterdir())
    assert (tmp_path / "m" / "cur").is_dir()


def test_order_of_writing(tmp_path: Path) -> None:
    """fsync before the rename, the directory's fsync behind it."""
    deliver(str(tmp_path), SENDER, ANN, MAIL, 1.5)
    files = Recorder()
    path = deliver(str(tmp_path), SENDER, ANN, MAIL, 1.5, files)
    said = [word.split()[0] for word in files.said if not word.startswith(("write", "open", "close"))]
    assert ["fsync", "rename", "fsync"] == said
    assert "fsync new" == files.said[-2]
    assert path.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_failure_leaves_nothing(tmp_path: Path, code: int) -> None:
    """Whichever call fails, no file is seen in `new`."""
    deliver(str(tmp_path), SENDER, ANN, MAIL, 1.5).unlink()
    at = 0
    while True:
        try:
            deliver(str(tmp_path), SENDER, ANN, MAIL, 1.5, Failing(at, code))
        except OSError:
            assert [] == list((tmp_path / "new").iterdir())
        else:
            break
        at += 1
    assert at > 7


@pytest.mark.parametrize("local", ["../../x", "..", ".", "a/b", "a\0b", '"', "\u2028", "%u", "%d", ""])
def test_no_address_is_a_path(tmp_path: Path, local: str) -> None:
    """`</../../x@example.org>` is a name like any other."""
    address = Address(local, "example.org", f'"{local}"@example.org')
    path = deliver(f"{tmp_path}/mail/%d/%u", SENDER, address, MAIL, 1.5)
    assert tmp_path / "mail" / "example.org" == path.parent.parent.parent
    assert 1 == len(list((tmp_path / "mail" / "example.org").iterdir()))
    assert b"\n\n.dot\n" in path.read_bytes()


def test_exists(tmp_path: Path) -> None:
    """Where each has a folder, only who has one exists; a shared one is everybody's."""
    assert not exists(f"{tmp_path}/%d/%u", ANN)
    folder(f"{tmp_path}/%d/%u", ANN).mkdir(parents=True)
    assert exists(f"{tmp_path}/%d/%u", ANN)
    assert exists(f"{tmp_path}/all", ANN)
    assert Path("/x/100%/y") == folder("/x/100%%/y", ANN)


@given(
    st.binary(max_size=60).map(lambda b: b.replace(b"\x01", b"\r\n")),
    st.lists(st.integers(0, 80), max_size=6),
)
def test_any_split(data: bytes, cuts: list[int]) -> None:
    """Line ends are found wherever the pieces are cut."""
    places = sorted(min(cut, len(data)) for cut in cuts)
    pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    assert data.replace(b"\r\n", b"\n") == b"".join(with_lf(pieces))
