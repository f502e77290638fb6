"""The name of an attachment as the reader's computer takes it, with the tricks that hide what it is.

A name is shown by one program and used by another: marks that turn text around, dots and blanks at its
end that Windows drops, a NUL at which an old program stops. So a name has several endings, and whoever
forbids one asks for each. Pure and linear; `MAX_NAME` characters are looked at, the last ones, since the
ending decides.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from gatepost.mail.parameters import OVERRIDES

MAX_NAME = 500
MAX_SHOWN = 120

TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that begin or end text in the other direction (UAX 9): `invoice_\u202efdp.exe` is shown with .pdf."""
_PADDED = re.compile(r"[\s_]{12,}\.[A-Za-z0-9]{1,12}\Z|\s{6,}\.[A-Za-z0-9]{1,12}\Z")
_ENDING = re.compile(r"\.([^.\s]{1,30})\Z")
TURNED = "letters that are shown the other way round"
SHOWN_AS_SAFE = frozenset(
    [
        "avi",
        "bmp",
        "csv",
        "doc",
        "docx",
        "eml",
        "gif",
        "html",
        "htm",
        "jpeg",
        "jpg",
        "mov",
        "mp3",
        "mp4",
        "odp",
        "ods",
        "odt",
        "pdf",
        "png",
        "ppt",
        "pptx",
        "rtf",
        "tif",
        "tiff",
        "txt",
        "wav",
        "xls",
        "xlsx",
        "xml",
    ]
)
"""Endings that people take for harmless, in front of the one that counts."""


class Name(NamedTuple):
    """One name."""

    shown: str
    """For the owner: printable, on one line, short."""
    endings: tuple[str, ...]
    """Lower case, without dot, of each reading; none for a name without one."""
    double: str
    """`pdf.exe` where one ending stands before another, "" otherwise."""
    trick: str
    """How it hides its ending, "" if it does not."""


def read_name(raw: str) -> Name:
    """Return what a name comes to."""
    raw = raw[-MAX_NAME:]
    # A NUL is where C programs stop, a colon where NTFS begins a stream.
    cut = [raw.partition(mark)[0] for mark in ("\0", ":") if mark in raw]
    readings = [_used(name) for name in (raw, *cut)]
    endings: dict[str, None] = {}
    double = ""
    for reading in readings:
        found = _ENDING.search(reading)
        if found is None:
            continue
        ending = found[1].lower()
        endings[ending] = None
        before = _ENDING.search(reading[: found.start()].rstrip(" ._"))
        if before is not None and before[1].lower() in SHOWN_AS_SAFE and before[1].lower() != ending:
            double = double or f"{before[1].lower()}.{ending}"
    return Name(shown(raw), tuple(endings), double, _trick(raw, readings[0]))


def shown(text: str) -> str:
    """Return a name as a person can read it: what is not printable, or turns text around, is `?`."""
    clean = "".join(c if c.isprintable() and not TURNS.match(c) else "?" for c in text)
    return clean if len(clean) <= MAX_SHOWN else f"...{clean[3 - MAX_SHOWN :]}"


def _used(raw: str) -> str:
    """Return the name under which Windows stores it: the last part, without marks, dots and blanks behind."""
    name = raw.replace("\\", "/").rstrip("/").rpartition("/")[2]
    if not name.isascii():
        name = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return name.rstrip(" .\t\r\n\v\f\0\xa0")


def _trick(raw: str, used: str) -> str:
    if OVERRIDES.search(raw):
        return TURNED
    if _PADDED.search(used):
        return "blanks before its ending"
    return "a NUL in the middle" if "\0" in raw.rstrip("\0") else ""
