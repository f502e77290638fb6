"""Attachments in a `winmail.dat`: names and bytes; cut ones, and any bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.tnef import MAGIC, MAX_FILES, NEW, Attached, read_tnef
from tests.cost import assert_cheap
from tests.mail.tnef_files import attribute, tnef

GOOD = tnef(("SETUP~1.EXE", "setup of ü.exe", b"MZ..."), ("A.TXT", "", b"text"))


def test_files() -> None:
    """Long name first, then the short one; the bytes as they are."""
    files, whole = read_tnef(GOOD)
    assert [Attached(("setup of ü.exe", "SETUP~1.EXE"), b"MZ..."), Attached(("A.TXT",), b"text")] == files
    assert whole


def test_cut() -> None:
    """What was there before the cut is found, and the cut is told."""
    complete = [end for end in range(7, len(GOOD) + 1) if read_tnef(GOOD[:end])[1]]
    assert 8 == len(complete)  # behind each of its attributes
    assert len(GOOD) == complete[-1]
    files, whole = read_tnef(GOOD[:-3])
    assert (2, False) == (len(files), whole)
    assert ([], False) == read_tnef(b"something else")


def test_files_at_the_limit() -> None:
    """As many as are read, and one more."""
    new = attribute(2, NEW, b"")
    head = MAGIC + b"\1\0"
    for count, whole in ((MAX_FILES, True), (MAX_FILES + 1, False)):
        files, said = read_tnef(head + new * count)
        assert (MAX_FILES, whole) == (len(files), said)


def test_linear() -> None:
    """Megabytes of small attributes cost a moment."""
    head = MAGIC + b"\1\0" + attribute(2, NEW, b"")
    for name in (0x8010, 0x9005, 0x800F):
        data = head + attribute(2, name, b"\x1f\x00\x07\x37" * 2) * 500_000
        assert_cheap(0.5, read_tnef, data)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=8))
def test_anything(at: int, patch: bytes) -> None:
    """Whatever is changed: an answer and no error."""
    read_tnef(GOOD[:at] + patch + GOOD[at + len(patch) :])
