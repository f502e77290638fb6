"""The directory of OLE files: macros, installers, encrypted documents; broken ones and any bytes."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.ole import MAGIC, MSI, read_ole
from tests.mail.ole_files import ole

WORD = ["WordDocument", "1Table", "\x05SummaryInformation"]
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
    good = ole([f"stream {n}" for n in range(40)])
    circle = good[:512] + struct.pack("<LL", 0xFFFFFFFD, 1) + good[520:]
    before = time.process_time()
    read_ole(circle + bytes(10 << 20))
    more = bytearray(circle + b"\0" * (10 << 20))
    struct.pack_into("<2L", more, 68, 0, 0xFFFFFFFF)
    read_ole(bytes(more))
    assert time.process_time() - before < 0.5


@given(st.integers(0, len(ole(VBA)) - 1), st.binary(max_size=8))
def test_anything(at: int, patch: bytes) -> None:
    """Whatever is changed: an answer and no error."""
    good = ole(VBA)
    read_ole(good[:at] + patch + good[at + len(patch) :])
