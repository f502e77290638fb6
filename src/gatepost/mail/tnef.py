"""Files in a `winmail.dat`: Outlook's own wrapping of attachments (MS-OXTNEF), which many programs open.

Only what a filter must know is read: the names of each attachment and its bytes. Bounded by `MAX_FILES`
and by the bytes that are there; what is cut or wrong ends the reading, and what was found stands.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = b"\x78\x9f\x3e\x22"
MAX_FILES = 500
MAX_ATTRIBUTES = 20_000
NEW, TITLE, DATA, MORE = 0x9002, 0x8010, 0x800F, 0x9005
"""Attributes of an attachment (2.1.3.3): it begins, short name, content, properties."""
LONG_NAMES = (b"\x1f\x00\x07\x37", b"\x1e\x00\x07\x37", b"\x1f\x00\x01\x30", b"\x1e\x00\x01\x30")
"""Properties among the rest (MS-OXPROPS): PidTagAttachLongFilename, PidTagDisplayName; UTF-16 and 8 bit."""
_ATTRIBUTE = struct.Struct("<BHHL")


class Attached(NamedTuple):
    """One attachment."""

    names: tuple[str, ...]
    data: bytes


def read_tnef(raw: bytes) -> tuple[list[Attached], bool]:
    """Return the attachments, and whether it could be read to its end."""
    files: list[tuple[list[str], list[bytes]]] = []
    at = 6  # the mark, and a key that says nothing
    whole = raw.startswith(MAGIC)
    for _ in range(MAX_ATTRIBUTES if whole else 0):
        if at + _ATTRIBUTE.size > len(raw):
            whole = at == len(raw)
            break
        level, name, _, size = _ATTRIBUTE.unpack_from(raw, at)
        at += _ATTRIBUTE.size
        if level not in (1, 2) or at + size + 2 > len(raw):
            whole = False
            size = min(size, len(raw) - at)
        if level == 2:
            if name == NEW:
                if len(files) >= MAX_FILES:
                    whole = False
                    break
                files.append(([], []))
            elif files:
                _attribute(files[-1], name, raw, at, size)
        if not whole:
            break
        at += size + 2
    else:
        whole = False
    return [Attached(tuple(dict.fromkeys(names)), b"".join(data)) for names, data in files], whole


def _attribute(file: tuple[list[str], list[bytes]], name: int, raw: bytes, at: int, size: int) -> None:
    names, data = file
    if name == DATA:
        data.append(raw[at : at + size])
    elif name == TITLE:
        names.append(raw[at : at + min(size, 1_000)].partition(b"\0")[0].decode("cp1252", "replace"))
    elif name == MORE:
        names[:0] = [found for tag in LONG_NAMES if (found := _property(raw, tag, at, at + size))]


def _property(raw: bytes, tag: bytes, at: int, end: int) -> str:
    """Return a property's text: its tag, how many values, the length of the first, the first."""
    place = raw.find(tag, at, end)
    if place < 0 or place + 12 > end:
        return ""
    count, size = struct.unpack_from("<2L", raw, place + 4)
    if count != 1 or place + 12 + size > end:
        return ""
    text = raw[place + 12 : place + 12 + min(size, 2_000)]
    wide = tag[0] == 0x1F
    return text.decode("utf-16-le" if wide else "cp1252", "replace").partition("\0")[0]
