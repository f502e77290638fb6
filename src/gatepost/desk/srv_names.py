"""Names as file names and back: the one place where a name becomes part of a path (CONTRACT 7).

A local part may hold a slash, dots, quotes, anything: `../../checks/all` is one by RFC 5321. So
every byte that is not plainly harmless is written `%2F`, and a file name read back is only data.
Names that people made by hand (`ann+news`) are read as they stand. What a name means is checked
by its own grammar, by whoever reads it.
"""

from __future__ import annotations

import re

from gatepost.desk.errors import DeskError

SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.+=@:*")
LONGEST = 255
"""Bytes of a file name, on every file system that matters."""
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


class BadName(DeskError):
    """A name cannot be a file name, or a file name is no name."""


def to_file(name: str) -> str:
    """Return the file name of a name: never empty, hidden, `_global_`, or with a slash."""
    raw = name.encode("utf-8", "surrogatepass")
    # A dot in front hides a file (and is `.` or `..`); an underscore in front is kept for `_global_`.
    text = "".join(
        chr(byte) if byte in SAFE and not (place == 0 and byte in b"._") else f"%{byte:02X}"
        for place, byte in enumerate(raw)
    )
    if not text or len(text) > LONGEST:
        raise BadName(f"{name[:40]!r} cannot be a file name: it is empty or too long")
    return text


def from_file(file: str) -> str:
    """Return the name that a file name stands for; `BadName` if it is not UTF-8."""
    raw = file.encode("utf-8", "surrogateescape")
    try:
        return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), raw).decode("utf-8")
    except UnicodeDecodeError:
        raise BadName(f"{file!r} is not UTF-8") from None


def is_leftover(file: str) -> bool:
    """Tell whether a file is hidden or what an editor left: it says nothing."""
    return file.startswith((".", "#")) or file.endswith("~")
