"""OLE files for the tests, written by hand: a header, a table, a directory (MS-CFB, 2.2 to 2.6)."""

from __future__ import annotations

import struct

from gatepost.mail.ole import MAGIC

FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ole(names: list[str], clsid: bytes = bytes(16)) -> bytes:
    """Return an OLE file whose directory has these names."""
    entries = [_entry("Root Entry", 5, clsid)] + [_entry(name, 1) for name in names]
    directory = b"".join(entries)
    directory += bytes(-len(directory) % 512)
    count = len(directory) // 512
    numbers = [TABLE, *range(2, count + 1), END]  # the table is sector 0, the directory follows
    table = struct.pack("<128L", *numbers, *[FREE] * (128 - len(numbers)))
    fields = struct.pack("<16s5H6x4L", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0)
    more = struct.pack("<5L", 4096, END, 0, END, 0)
    places = struct.pack("<109L", 0, *[FREE] * 108)
    return MAGIC + fields + more + places + table + directory


def _entry(name: str, kind: int, clsid: bytes = bytes(16)) -> bytes:
    raw = name.encode("utf-16-le") + b"\0\0"
    return (
        raw.ljust(64, b"\0") + struct.pack("<HBB3L", len(raw), kind, 1, FREE, FREE, FREE) + clsid + bytes(32)
    )
