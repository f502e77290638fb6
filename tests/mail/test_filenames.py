"""Names as the reader's computer takes them: endings of each reading, and the tricks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.filenames import MAX_SHOWN, read_name, shown
from tests.cost import assert_cheap


@pytest.mark.parametrize(
    ("raw", "endings"),
    [
        ("invoice.pdf", ("pdf",)),
        ("INVOICE.EXE", ("exe",)),
        ("none", ()),
        ("", ()),
        (".", ()),
        ("setup.exe.", ("exe",)),
        ("setup.exe . .", ("exe",)),
        ("setup.exe\xa0", ("exe",)),
        ("folder.d/readme", ()),
        ("../../etc/x.exe", ("exe",)),
        ("C:\\temp\\x.scr", ("scr",)),
        ("folder/", ()),
        ("x.exe\0.txt", ("txt", "exe")),
        ("x.txt:evil.exe", ("exe", "txt")),
        ("x.e\u200bxe", ("exe",)),
        ("invoice_\u202efdp.exe", ("exe",)),
        ("x.\u202eexe", ("exe",)),
        ("Überweisung.PDF", ("pdf",)),
        ("a" * 100_000 + ".exe", ("exe",)),
    ],
)
def test_endings(raw: str, endings: tuple[str, ...]) -> None:
    """What Windows makes of a name, and what older programs do, each with its ending."""
    assert endings == read_name(raw).endings


@pytest.mark.parametrize(
    ("raw", "double"),
    [
        ("invoice.pdf.exe", "pdf.exe"),
        ("invoice.pdf .exe", "pdf.exe"),
        ("photo.JPG.scr", "jpg.scr"),
        ("archive.tar.gz", ""),
        ("v1.2.exe", ""),
        ("a.doc.doc", ""),
        ("x.pdf", ""),
    ],
)
def test_double(raw: str, double: str) -> None:
    """A harmless ending before the one that counts."""
    assert double == read_name(raw).double


@pytest.mark.parametrize(
    ("raw", "trick"),
    [
        ("invoice_\u202efdp.exe", "letters that are shown the other way round"),
        ("invoice.pdf" + " " * 80 + ".exe", "blanks before its ending"),
        ("invoice.pdf______________________.exe", "blanks before its ending"),
        ("x.exe\0.txt", "a NUL in the middle"),
        ("x.txt\0", ""),
        ("a b c.pdf", ""),
        ("my_file_name.pdf", ""),
        ("\u200f\u05e9\u05dc\u05d5\u05dd.pdf", ""),
    ],
)
def test_tricks(raw: str, trick: str) -> None:
    """What hides an ending has a name; Hebrew names with their marks are no trick."""
    assert trick == read_name(raw).trick


def test_shown() -> None:
    """What the owner reads is one short line that nothing turns around, with the end of the name."""
    assert "invoice_?fdp.exe" == shown("invoice_\u202efdp.exe")
    assert "a?b" == shown("a\nb")
    long = shown("x" * 1_000 + ".exe")
    assert MAX_SHOWN == len(long)
    assert long.startswith("...x")
    assert long.endswith(".exe")


@pytest.mark.parametrize("piece", [" ", "_", ".", "\u202e", "\0", ":", "a."])
def test_linear(piece: str) -> None:
    """A name of megabytes costs next to nothing."""
    name = piece * 1_000_000
    assert_cheap(0.1, read_name, name)


@given(st.text(max_size=100))
def test_anything(raw: str) -> None:
    """Whatever comes, endings are lower case and what is shown is printable."""
    name = read_name(raw)
    assert name.shown.isprintable()
    assert all(one == one.lower() and "." not in one for one in name.endings)
