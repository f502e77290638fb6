"""Read the directory of an OLE file (MS-CFB): old Office documents, their macros, installers, messages.

Only the names of what is in it are read. Bounded by `MAX_ENTRIES` and by the sectors that the file has;
what is broken is looked through for the names as bytes, which always stand there in UTF-16.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 20_000
END = 0xFFFFFFFA
"""Sector numbers from here on mean something else (2.1)."""
MSI = bytes.fromhex("84100c0000000000c000000000000046")
"""CLSID of an installer's root: 000C1084-0000-0000-C000-000000000046."""
MSP = bytes.fromhex("86100c0000000000c000000000000046")
_ENTRY = 128


class Ole(NamedTuple):
    """What an OLE file is."""

    names: frozenset[str]
    """Of its streams and storages, in lower case."""
    installer: bool
    broken: bool

    @property
    def macros(self) -> bool:
        """Whether there is a VBA project, or a storage for one (MS-OVBA, 2.2)."""
        return bool(self.names & {"_vba_project", "vba", "_vba_project_cur", "macros"})

    @property
    def encrypted(self) -> bool:
        """Whether it is the wrapping of an encrypted document (MS-OFFCRYPTO, 1.3)."""
        return "encryptedpackage" in self.names

    @property
    def message(self) -> bool:
        """Whether it is a message as Outlook saves it (MS-OXMSG)."""
        return "__properties_version1.0" in self.names


def read_ole(data: bytes) -> Ole:
    """Return the directory of an OLE file."""
    try:
        directory = _directory(data)
    except (struct.error, ValueError):
        return _by_bytes(data)
    names: set[str] = set()
    installer = False
    for at in range(0, min(len(directory), MAX_ENTRIES * _ENTRY), _ENTRY):
        entry = directory[at : at + _ENTRY]
        length, kind = struct.unpack_from("<HB", entry, 64) if len(entry) == _ENTRY else (0, 0)
        if kind == 0 or not 2 <= length <= 64:
            continue
        names.add(entry[: length - 2].decode("utf-16-le", "replace").lower())
        installer = installer or (kind == 5 and entry[80:96] in (MSI, MSP))
    return Ole(frozenset(names), installer, False)


def _directory(data: bytes) -> bytes:
    """Return the sectors of the directory, in their order."""
    (shift,) = struct.unpack_from("<H", data, 30)
    if data[:8] != MAGIC or shift not in (9, 12):
        raise ValueError("not an OLE file")
    size = 1 << shift
    (first,) = struct.unpack_from("<L", data, 48)
    places = [n for n in struct.unpack_from("<109L", data, 76) if n < END]
    more, count = struct.unpack_from("<2L", data, 68)
    sectors = len(data) // size
    while more < END and count and len(places) <= sectors:  # further places of the table (2.5)
        block = _sector(data, more, size)
        numbers = struct.unpack(f"<{size // 4}L", block)
        places += [n for n in numbers[:-1] if n < END]
        more, count = numbers[-1], count - 1
    out: list[bytes] = []
    most = min(sectors, MAX_ENTRIES * _ENTRY // size + 1)
    while first < END and len(out) < most:
        out.append(_sector(data, first, size))
        table = first // (size // 4)
        if table >= len(places):
            raise ValueError("a sector without a place in the table")
        (first,) = struct.unpack_from("<L", _sector(data, places[table], size), first % (size // 4) * 4)
    return b"".join(out)


def _sector(data: bytes, number: int, size: int) -> bytes:
    at = (number + 1) * size
    block = data[at : at + size]
    if len(block) < size:
        raise ValueError("a sector that is not there")
    return block


def _by_bytes(data: bytes) -> Ole:
    wanted = ("_VBA_PROJECT", "EncryptedPackage", "__properties_version1.0")
    names = {name.lower() for name in wanted if name.encode("utf-16-le") in data}
    return Ole(frozenset(names), MSI in data[:65_536], True)
