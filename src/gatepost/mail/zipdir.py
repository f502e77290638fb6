"""The directory of a zip against what really lies in it (PKWARE's APPNOTE, 4.3).

A zip says twice what it holds: before each file, and in a directory at its end. One program reads the
one, the next the other; so a file can be hidden from a filter, or many can be made of the same bytes.
Here both are compared. Pure, bounded by `most` entries, linear in the bytes; nothing is unpacked.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

END = b"PK\x05\x06"
END64 = b"PK\x06\x06"
LOCATOR = b"PK\x06\x07"
CENTRAL = b"PK\x01\x02"
LOCAL = b"PK\x03\x04"
TAIL = 65_535 + 22
"""The end record lies within so many bytes: its comment has 65,535 at most."""
ENCRYPTED = 0x1
UTF8 = 0x800
BIG = 0xFFFFFFFF

MAX_VERSION, MAX_METHOD, MAX_NAME = 70, 99, 4_096
"""What a real file says of itself at most: version needed, method, length of its name."""

MAX_TRIES = 10_000
"""Marks of a file that are looked at between two files."""

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(slots=True)
class Directory:
    """What a zip's directory says, and what is wrong with it."""

    names: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    """Files that lie in the zip and do not stand in its directory, or under another name."""
    encrypted: bool = False
    overlaps: bool = False
    """Two files share bytes: no program writes that, but zip bombs are made so."""
    over_budget: bool = False
    unpacked: int = 0
    """Bytes that it says it unpacks to."""
    lies: str = ""
    """Why programs may see different files, "" if they do not."""


@dataclass(slots=True)
class _File:
    name: bytes
    at: int
    size: int
    flags: int


def read_directory(data: bytes, most: int) -> Directory | None:
    """Return the directory of a zip, None where it has none that can be read."""
    end = data.rfind(END, max(0, len(data) - TAIL))
    if end < 0 or len(data) - end < _END.size:
        return None
    _, _, _, _, count, size, start, _ = _END.unpack_from(data, end)
    stop = end
    if data[end - 20 : end - 16] == LOCATOR:
        wide = _wide(data, end)
        if wide is None:
            return None
        count, size, start, stop = wide
    # What stands before the zip (a program that unpacks it) moves all of its places.
    shift = stop - size - start
    if shift < 0:
        return None
    found = Directory()
    files = _files(data, start + shift, stop, min(count, most), shift, found)
    if files is None:
        return None
    if count > most:  # the rest of the list was not read, so nothing can be held against the files
        found.over_budget = True
        return found
    _compare(data, files, start + shift, found)
    return found


def _wide(data: bytes, end: int) -> tuple[int, int, int, int] | None:
    """Read the end record of a zip64 (4.3.14)."""
    at = data.rfind(END64, max(0, end - 4_096), end)
    if at < 0 or at + _END64.size > len(data):
        return None
    record = _END64.unpack_from(data, at)
    return record[7], record[8], record[9], at


def _files(data: bytes, at: int, stop: int, count: int, shift: int, found: Directory) -> list[_File] | None:
    files: list[_File] = []
    for _ in range(count):
        if at + _CENTRAL.size > stop or data[at : at + 4] != CENTRAL:
            return None
        said = _CENTRAL.unpack_from(data, at)
        flags, packed, size, names, extra, comment, place = (
            said[3], said[8], said[9], said[10], said[11], said[12], said[16],
        )  # fmt: skip
        at += _CENTRAL.size
        name = data[at : at + names]
        if BIG in (packed, place):
            packed, place = _wide_file(data[at + names : at + names + extra], packed, size, place)
        at += names + extra + comment
        files.append(_File(name, place + shift, packed, flags))
        found.names.append(_text(name, flags))
        found.encrypted = found.encrypted or bool(flags & ENCRYPTED)
        found.unpacked += size
    return files


def _wide_file(extra: bytes, packed: int, size: int, place: int) -> tuple[int, int]:
    """Read sizes and place of one file of a zip64 (4.5.3): only those that do not fit stand there."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == 1:
            values = [
                int.from_bytes(extra[n : n + 8], "little") for n in range(at + 4, at + 4 + length - 7, 8)
            ]
            if size == BIG and values:
                values.pop(0)
            if packed == BIG and values:
                packed = values.pop(0)
            if place == BIG and values:
                place = values.pop(0)
            break
        at += 4 + length
    return packed, place


def _compare(data: bytes, files: list[_File], end: int, found: Directory) -> None:
    """Hold the directory against the files, in the order of their places."""
    at = 0
    for one in sorted(files, key=lambda f: f.at):
        if one.at + _LOCAL.size > len(data) or data[one.at : one.at + 4] != LOCAL:
            found.lies = found.lies or "its directory names a file that is not there"
            continue
        said = _LOCAL.unpack_from(data, one.at)
        name = data[one.at + _LOCAL.size : one.at + _LOCAL.size + said[9]]
        if name != one.name:
            found.hidden.append(_text(name, said[2]))
            found.lies = found.lies or "a file has two names"
        if one.at < at:
            found.overlaps = True
        elif one.at > at:
            _gap(data, at, one.at, found)
        at = max(at, one.at + _LOCAL.size + said[9] + said[10] + one.size)
    if at < end:
        _gap(data, at, end, found)
    if found.overlaps:
        found.lies = found.lies or "its files share bytes"


def _gap(data: bytes, at: int, end: int, found: Directory) -> None:
    """Look between two files, and before the first: a descriptor may lie there, or a program, but no file."""
    tries = 0
    while (at := data.find(LOCAL, at, end)) >= 0 and at + _LOCAL.size <= end:
        tries += 1
        if tries > MAX_TRIES:
            found.lies = found.lies or "it is full of marks of files"
            return
        said = _LOCAL.unpack_from(data, at)
        if said[1] & 0xFF > MAX_VERSION or said[3] > MAX_METHOD or not 0 < said[9] <= MAX_NAME:
            at += 4  # the mark alone, as a program that unpacks has it
            continue
        found.hidden.append(_text(data[at + _LOCAL.size : at + _LOCAL.size + said[9]], said[2]))
        found.lies = found.lies or "a file in it does not stand in its directory"
        if len(found.hidden) >= 100:
            return
        at += _LOCAL.size + said[9]


def _text(name: bytes, flags: int) -> str:
    """UTF-8 where it says so (4.4.4, bit 11) or is so; else the letters of the first PC (appendix D)."""
    name = name[-1_000:]
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("utf-8", "replace") if flags & UTF8 else name.decode("cp437")
