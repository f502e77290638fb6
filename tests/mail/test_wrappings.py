"""What names tell that the first bytes do not."""

from __future__ import annotations

import gzip

import pytest

from gatepost.mail.filetypes import Kind
from gatepost.mail.wrappings import claimed_type, has_macros, is_message, names_of_single, opens_as, refined
from tests.plugin.archive_cases import zipped


@pytest.mark.parametrize(
    ("names", "claimed"),
    [
        (("a.zip",), "zip"),
        (("a.ZIP. ",), "zip"),
        (("a.txt", "b.docx"), "zip"),
        (("a.tar",), "tar"),
        (("a.tar.gz",), ""),
        (("zip",), "zip"),
        ((), ""),
    ],
)
def test_claimed(names: tuple[str, ...], claimed: str) -> None:
    """Endings whose programs do not look at the first bytes."""
    assert claimed == claimed_type(names)


def test_opens_as() -> None:
    """A zip is one if it has a directory, whatever stands before; a tar is tried."""
    found = opens_as("zip", b"GIF89a" + zipped({"a": b""}))
    assert found is not None
    assert ("zip", Kind.ARCHIVE) == found
    assert opens_as("zip", b"GIF89a") is None
    assert ("tar", Kind.ARCHIVE) == opens_as("tar", b"")


def test_is_message() -> None:
    """By its name and its beginning."""
    head = b"From: a\r\nTo: b\r\nSubject: c\r\n"
    assert is_message(("old.EML",), head)
    assert not is_message(("old.txt",), head)
    assert not is_message(("old.eml",), b"hello")


@pytest.mark.parametrize(
    ("names", "data", "said", "found"),
    [
        (("a.tar.gz",), b"", "data", ("a.tar",)),
        (("a",), b"", "data", ("a",)),
        ((), b"", "data", ("data",)),
        (("a.gz", "b.gz"), b"", "c", ("a", "b", "c")),
        (("a.gz",), b"\x1f\x8b\x08\x08\0\0\0\0\0\xffx.exe\0rest", "data", ("a", "x.exe")),
        (("a.gz",), gzip.compress(b"x"), "data", ("a",)),
    ],
    ids=range(6),
)
def test_names_of_single(names: tuple[str, ...], data: bytes, said: str, found: tuple[str, ...]) -> None:
    """A packed file's names: the archive's without the ending, what stands in gzip's header, libarchive's."""
    assert found == names_of_single(names, data, said)


@pytest.mark.parametrize(
    ("names", "type_"),
    [
        (["AndroidManifest.xml", "classes.dex"], "apk"),
        (["AppxManifest.xml"], "appx"),
        (["[Content_Types].xml", "xl/workbook.xml"], "ooxml"),
        (["META-INF/MANIFEST.MF", "a/B.class"], "jar"),
        (["META-INF/MANIFEST.MF", "a.txt"], "zip"),
        (["mimetype", "META-INF/manifest.xml"], "odf"),
        (["a.txt"], "zip"),
    ],
)
def test_refined(names: list[str], type_: str) -> None:
    """Programs and documents in the form of a zip."""
    assert type_ == refined(names)[0]


@pytest.mark.parametrize(
    ("name", "macros"),
    [
        ("word/vbaProject.bin", True),
        ("word\\VBAPROJECT.BIN", True),
        ("xl/macrosheets/sheet1.xml", True),
        ("Basic/Standard/Module1.xml", True),
        ("Basic/script-lc.xml", False),
        ("word/document.xml", False),
    ],
)
def test_has_macros(name: str, macros: bool) -> None:
    """Where each kind of document keeps them."""
    assert macros is has_macros(["[Content_Types].xml", name])
