"""The directory of OLE files: macros, installers, encrypted documents; broken ones and any bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.ole import MAGIC, MSI, read_ole
from tests.cost import assert_cheap
from tests.mail.ole_files import message, ole, packed

WORD = ["WordDocument", "1Table", "\x05SummaryInformation"]
GOOD = message(("a.txt", b"x" * 100), ("b.txt", bytes(5_000)))
VBA = [*WORD, "Macros", "VBA", "_VBA_PROJECT", "ThisDocument"]


def test_macros() -> None:
    """A VBA project is in the directory, also behind many other names."""
    assert not read_ole(ole(WORD)).macros
    assert read_ole(ole(VBA)).macros
    assert read_ole(ole([f"stream {n}" for n in range(300)] + ["_VBA_PROJECT_CUR"])).macros
    assert {"worddocument", "1table"} < read_ole(ole(WORD)).names


def test_what_else_it_is() -> None:
    """An installer by its class, an encrypted document and a message by their streams."""
    assert read_ole(ole([], MSI)).installer
    assert not read_ole(ole(WORD)).installer
    assert read_ole(ole(["EncryptedPackage", "EncryptionInfo"])).encrypted
    assert read_ole(ole(["__properties_version1.0"])).message
    assert not read_ole(ole(WORD)).broken


def test_files_in_it() -> None:
    """Attachments of a message and files packed into a document: large and small ones, by their names."""
    large = bytes(range(256)) * 400
    found = read_ole(message(("invoice.exe", b"MZ"), ("b.zip", large), ("ü.txt", b"x" * 100)))
    assert [("invoice.exe",), ("b.zip",), ("ü.txt",)] == [one.names for one in found.files]
    assert [b"MZ", large, b"x" * 100] == [one.data for one in found.files]
    assert (True, False) == (found.message, found.broken)
    document = ole({"WordDocument": b"x", "ObjectPool": {"_1": {"\x01Ole10Native": packed("run.js", large)}}})
    (one,) = read_ole(document).files
    assert (("run.js", "C:\\run.js"), large) == one
    assert read_ole(ole({"\x01Ole10Native": b"short"})).broken


def test_sheets_of_macros() -> None:
    """Excel's macros from before VBA."""

    def workbook(kind: int) -> bytes:
        sheet = struct.pack("<LBB", 0, 0, kind) + b"\5\0Sheet"
        return struct.pack("<2H", 0x809, 16) + bytes(16) + struct.pack("<2H", 0x85, len(sheet)) + sheet

    assert read_ole(ole({"Workbook": workbook(1)})).macros
    assert not read_ole(ole({"Workbook": workbook(0)})).macros


def test_no_byte_twice() -> None:
    """Hundreds of attachments that are all the same megabytes end at the size of the file."""
    raw = message(*((f"{n}.bin", b"") for n in range(400)), ("x", bytes(4 << 20)))
    size = struct.pack("<Q", 4 << 20)
    start = raw.rfind(size) - 4
    place = raw[start : start + 12]
    empty = struct.pack("<LQ", 0xFFFFFFFE, 0)
    name = "__substg1.0_37010102".encode("utf-16-le")
    shared = bytearray(raw)
    at = 0
    while (at := raw.find(name, at + 1)) >= 0:
        if raw[at + 116 : at + 128] == empty:
            shared[at + 116 : at + 128] = place
    found = read_ole(bytes(shared))
    assert_cheap(0.5, read_ole, bytes(shared))
    assert found.broken
    assert sum(len(one.data) for one in found.files) <= len(raw)


@pytest.mark.parametrize(
    "data",
    [
        ole(VBA)[:600] + bytes(100) + "_VBA_PROJECT".encode("utf-16-le"),
        MAGIC + "_VBA_PROJECT".encode("utf-16-le"),
        ole(VBA)[:48] + struct.pack("<L", 9_999) + ole(VBA)[52:],
        ole(VBA)[:30] + b"\x0a\0" + ole(VBA)[32:],
    ],
    ids=["cut", "nothing", "no such sector", "no such size"],
)
def test_broken_ones_are_looked_through(data: bytes) -> None:
    """Where the directory cannot be followed its names are found as bytes."""
    found = read_ole(data)
    assert (True, True) == (found.broken, found.macros)


def test_circles_end() -> None:
    """A directory whose sectors lead back to themselves ends at the size of the file."""
    good = ole([f"stream {n}" for n in range(3)])
    circle = good[:-512] + struct.pack("<L", 0) + good[-508:]
    more = bytearray(circle + b"\0" * (10 << 20))
    assert_cheap(0.25, read_ole, bytes(more))
    struct.pack_into("<2L", more, 68, 0, 0xFFFFFFFF)
    assert_cheap(0.25, read_ole, bytes(more))


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=8))
def test_anything(at: int, patch: bytes) -> None:
    """Whatever is changed: an answer and no error."""
    read_ole(GOOD[:at] + patch + GOOD[at + len(patch) :])
