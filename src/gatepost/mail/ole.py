"""Read an OLE file (MS-CFB): old Office documents with their macros, installers, messages, packed files.

The names of what is in it are read, and of a few streams the bytes. Bounded by `MAX_ENTRIES`, by the
sectors that the file has, and by its size: no byte is given out twice. What is broken is looked through
for the names as bytes, which always stand there in UTF-16.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 20_000
MAX_FILES = 500
END = 0xFFFFFFFA
"""Sector numbers from here on mean something else (2.1)."""
MSI = bytes.fromhex("84100c0000000000c000000000000046")
"""CLSID of an installer's root: 000C1084-0000-0000-C000-000000000046."""
MSP = bytes.fromhex("86100c0000000000c000000000000046")
STORAGE, STREAM, ROOT = 1, 2, 5
SMALL = 4096
"""Streams below this size lie in a stream of their own (2.4)."""
NATIVE = "\x01ole10native"
ATTACHED = "__attach_version1.0_"
CONTENT = "__substg1.0_37010102"
NAMES = ("__substg1.0_3707001f", "__substg1.0_3707001e", "__substg1.0_3704001f", "__substg1.0_3704001e")
"""Of an attachment in a message (MS-OXMSG, 2.2.2): its long and short name, in UTF-16 and 8 bit."""
BOUNDSHEET, MACRO_SHEET = 0x85, 1
"""A sheet of a workbook, and the type of one with Excel's macros from before VBA (MS-XLS, 2.4.28)."""
_ENTRY = 128


class Packed(NamedTuple):
    """A file in it."""

    names: tuple[str, ...]
    data: bytes


@dataclass(slots=True)
class Ole:
    """What an OLE file is."""

    names: frozenset[str] = frozenset()
    """Of its streams and storages, in lower case."""
    installer: bool = False
    broken: bool = False
    macro_sheets: bool = False
    files: list[Packed] = field(default_factory=list)
    """Attachments of a message, and files that were packed into a document."""

    @property
    def macros(self) -> bool:
        """Whether there is a VBA project, or a storage for one (MS-OVBA, 2.2), or a sheet of macros."""
        return self.macro_sheets or bool(self.names & {"_vba_project", "vba", "_vba_project_cur", "macros"})

    @property
    def encrypted(self) -> bool:
        """Whether it is the wrapping of an encrypted document (MS-OFFCRYPTO, 1.3)."""
        return "encryptedpackage" in self.names

    @property
    def message(self) -> bool:
        """Whether it is a message as Outlook saves it (MS-OXMSG)."""
        return "__properties_version1.0" in self.names


class _Entry(NamedTuple):
    name: str
    kind: int
    left: int
    right: int
    child: int
    first: int
    size: int


def read_ole(data: bytes) -> Ole:
    """Return what an OLE file is and what is in it."""
    try:
        reader = _Reader(data)
        entries = reader.entries()
    except (struct.error, ValueError):
        return _by_bytes(data)
    found = Ole(frozenset(one.name for one in entries.values()), reader.installer)
    for one in entries.values():
        try:
            if one.kind == STORAGE and one.name.startswith(ATTACHED):
                packed = _attachment(reader, entries, one)
            elif one.kind == STREAM and one.name == NATIVE:
                packed = _native(reader.stream(one))
            else:
                if one.kind == STREAM and one.name in ("workbook", "book"):
                    found.macro_sheets = found.macro_sheets or _has_macro_sheet(reader.stream(one))
                continue
        except (struct.error, ValueError):
            found.broken = True
            continue
        if packed is not None:
            found.files.append(packed)
            if len(found.files) >= MAX_FILES:
                found.broken = True
                break
    return found


class _Reader:
    """Sectors, their table, and the directory."""

    def __init__(self, data: bytes) -> None:
        (shift,) = struct.unpack_from("<H", data, 30)
        if data[:8] != MAGIC or shift not in (9, 12):
            raise ValueError("not an OLE file")
        self.data = data
        self.size = 1 << shift
        self.installer = False
        self.left = len(data)
        """Bytes that may still be given out."""
        self._places = self._table()
        self._small: list[int] = []
        self._small_data = b""

    def _table(self) -> list[int]:
        data, size = self.data, self.size
        places = [n for n in struct.unpack_from("<109L", data, 76) if n < END]
        more, count = struct.unpack_from("<2L", data, 68)
        while more < END and count and len(places) <= len(data) // size:  # further places (2.5)
            numbers = struct.unpack(f"<{size // 4}L", self._sector(more))
            places += [n for n in numbers[:-1] if n < END]
            more, count = numbers[-1], count - 1
        return places

    def _sector(self, number: int) -> bytes:
        at = (number + 1) * self.size
        block = self.data[at : at + self.size]
        if len(block) < self.size:
            raise ValueError("a sector that is not there")
        return block

    def _chain(self, first: int, most: int) -> bytes:
        """Return the sectors from one on, at most so many bytes."""
        out: list[bytes] = []
        each = self.size // 4
        while first < END and len(out) * self.size < most:
            out.append(self._sector(first))
            if first // each >= len(self._places):
                raise ValueError("a sector without a place in the table")
            table = (self._places[first // each] + 1) * self.size
            (first,) = struct.unpack_from("<L", self.data, table + first % each * 4)
        return b"".join(out)[:most]

    def entries(self) -> dict[int, _Entry]:
        """Read the directory; the small streams' stream with it."""
        (first,) = struct.unpack_from("<L", self.data, 48)
        directory = self._chain(first, min(len(self.data), MAX_ENTRIES * _ENTRY))
        found: dict[int, _Entry] = {}
        for number in range(len(directory) // _ENTRY):
            entry = directory[number * _ENTRY : (number + 1) * _ENTRY]
            length, kind, _, left, right, child = struct.unpack_from("<HBB3L", entry, 64)
            if kind == 0 or not 2 <= length <= 64:
                continue
            start, size = struct.unpack_from("<LL", entry, 116)
            name = entry[: length - 2].decode("utf-16-le", "replace").lower()
            found[number] = _Entry(name, kind, left, right, child, start, size)
            if kind == ROOT:
                self.installer = self.installer or entry[80:96] in (MSI, MSP)
                self._root(start, size)
        return found

    def _root(self, start: int, size: int) -> None:
        first, count = struct.unpack_from("<2L", self.data, 60)
        try:
            table = self._chain(first, min(len(self.data), count * self.size))
            self._small = list(struct.unpack(f"<{len(table) // 4}L", table))
            self._small_data = self._chain(start, min(len(self.data), size))
        except (struct.error, ValueError):
            self._small = []  # names can be read all the same

    def stream(self, entry: _Entry) -> bytes:
        """Return the bytes of a stream."""
        self.left -= min(entry.size, len(self.data))
        if self.left < 0:
            raise ValueError("streams share bytes")
        if entry.size >= SMALL:
            return self._chain(entry.first, min(entry.size, len(self.data)))
        out: list[bytes] = []
        at = entry.first
        while at < len(self._small) and len(out) * 64 < entry.size:
            out.append(self._small_data[at * 64 : at * 64 + 64])
            at = self._small[at]
        return b"".join(out)[: entry.size]


def _children(entries: dict[int, _Entry], storage: _Entry) -> Iterator[_Entry]:
    """Yield what lies in a storage: a tree, each of whose nodes is visited once."""
    waiting, seen = [storage.child], set()
    while waiting:
        number = waiting.pop()
        if number in seen or number not in entries:
            continue
        seen.add(number)
        yield entries[number]
        waiting += [entries[number].left, entries[number].right]


def _attachment(reader: _Reader, entries: dict[int, _Entry], storage: _Entry) -> Packed | None:
    parts = {one.name: one for one in _children(entries, storage) if one.kind == STREAM}
    names = []
    for name in NAMES:
        if name in parts:
            raw = reader.stream(parts[name])[:2_000]
            names.append(raw.decode("utf-16-le" if name.endswith("f") else "cp1252", "replace").rstrip("\0"))
    if CONTENT not in parts and not names:
        return None
    data = reader.stream(parts[CONTENT]) if CONTENT in parts else b""
    return Packed(tuple(dict.fromkeys(names)), data)


def _native(raw: bytes) -> Packed:
    """A file packed into a document (MS-OLEDS has only its size; the rest is what programs write)."""
    names: list[str] = []
    at = 6
    for _ in range(2):  # how it is called, and where it came from
        end = raw.index(b"\0", at, at + 2_000)
        names.append(raw[at:end].decode("cp1252", "replace"))
        at = end + 1
    at += 4
    (length,) = struct.unpack_from("<L", raw, at)
    at += 4 + length
    (size,) = struct.unpack_from("<L", raw, at)
    return Packed(tuple(dict.fromkeys(names)), raw[at + 4 : at + 4 + size])


def _has_macro_sheet(raw: bytes) -> bool:
    at = 0
    for _ in range(10_000):
        if at + 10 > len(raw):
            return False
        kind, length = struct.unpack_from("<2H", raw, at)
        if kind == BOUNDSHEET and raw[at + 9] == MACRO_SHEET:
            return True
        at += 4 + length
    return False


def _by_bytes(data: bytes) -> Ole:
    wanted = ("_VBA_PROJECT", "EncryptedPackage", "__properties_version1.0")
    names = {name.lower() for name in wanted if name.encode("utf-16-le") in data}
    return Ole(frozenset(names), MSI in data[:65_536], True)
