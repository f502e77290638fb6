"""A `winmail.dat` for the tests, written by hand (MS-OXTNEF, 2.1)."""

from __future__ import annotations

import struct

from gatepost.mail.tnef import DATA, MAGIC, MORE, NEW, TITLE


def attribute(level: int, name: int, data: bytes) -> bytes:
    """Return one attribute with its check sum."""
    return struct.pack("<BHHL", level, name, 6, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def tnef(*files: tuple[str, str, bytes]) -> bytes:
    """Return a wrapping of (short name, long name, content) each."""
    out = MAGIC + b"\x01\0" + attribute(1, 0x9006, struct.pack("<L", 0x10000))
    for short, long, data in files:
        wide = long.encode("utf-16-le") + b"\0\0"
        more = struct.pack("<L", 1) + b"\x1f\x00\x07\x37" + struct.pack("<2L", 1, len(wide)) + wide
        out += attribute(2, NEW, bytes(14)) + attribute(2, TITLE, short.encode("cp1252") + b"\0")
        out += attribute(2, DATA, data) + (attribute(2, MORE, more) if long else b"")
    return out
