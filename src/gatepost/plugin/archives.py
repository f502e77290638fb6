"""What is in an archive, as a stream, through libarchive: nothing is ever written anywhere.

Only formats that libarchive reads by itself are switched on, one for each type, so that no program is
started (`lzop` and its like would be) and nothing is guessed. Names are texts to look at and never paths.
Who calls this counts what comes out: an archive of a few kilobytes may unpack to terabytes.

libarchive and its Python side are an extra: `Missing` where they are not there.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

PACKED = frozenset({"gzip", "bzip2", "xz", "zstd", "lz4", "lzip", "compress"})
"""Types that are one compressed file, which may be an archive; libarchive calls its filters so, too."""
RAW = "raw"
FORMATS: dict[str, tuple[str, ...]] = {
    "zip": ("zip",),
    "rar": ("rar", "rar5"),
    "7z": ("7zip",),
    "tar": ("tar",),
    "cpio": ("cpio",),
    "ar": ("ar",),
    "cab": ("cab",),
    "lha": ("lha",),
    "iso": ("iso9660",),
    **dict.fromkeys(PACKED, (RAW,)),
}
"""Type -> libarchive's formats."""
SKIPS = frozenset({"zip", "iso", "tar", "cpio", "ar"})
"""Where the rest of a file is passed over without unpacking it."""
MAX_NAME = 1_000
MISSING = "archives cannot be looked into: install gatepost with its extra `attachments`, and libarchive"
_FILE, _KINDS = 0o100000, 0o170000


class Missing(Exception):
    """libarchive or its Python side is not installed."""


class Broken(Exception):
    """The archive cannot be read, or not from here on; the text says why."""


class Member(NamedTuple):
    """One entry."""

    name: str
    """As it stands there; "" where it cannot be read."""
    file: bool
    """A file, and not a folder, link or device."""
    encrypted: bool


@cache
def library() -> Any:
    """Return the functions of libarchive."""
    try:
        from libarchive import ffi

        ffi.ffi("entry_is_encrypted", [ffi.c_archive_entry_p], ctypes.c_int)
        ffi.ffi("read_has_encrypted_entries", [ffi.c_archive_p], ctypes.c_int)
    except (ImportError, OSError, AttributeError, TypeError) as error:
        raise Missing(MISSING) from error
    logging.getLogger("libarchive").disabled = True  # what it warns of comes from the mail
    return ffi


class Archive:
    """One archive that is being read, member by member."""

    def __init__(self, ffi: Any, pointer: Any) -> None:
        self._ffi = ffi
        self._pointer = pointer

    def members(self) -> Iterator[Member]:
        """Yield what is in it; Broken where it cannot be read on."""
        ffi = self._ffi
        entry = ffi.entry_new()
        try:
            while True:
                try:
                    if ffi.read_next_header2(self._pointer, entry) == ffi.ARCHIVE_EOF:
                        return
                except ffi.ArchiveError as error:
                    raise Broken(_words(error)) from None
                file = ffi.entry_mode(entry) & _KINDS in (_FILE, 0)
                yield Member(_name(ffi, entry), file, bool(ffi.entry_is_encrypted(entry)))
        finally:
            ffi.entry_free(entry)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Yield address and length of each piece of the member at hand; good until the next is asked for."""
        ffi = self._ffi
        place, size, offset = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_longlong()
        ends = ctypes.byref(place), ctypes.byref(size), ctypes.byref(offset)
        while True:
            try:
                if ffi.read_data_block(self._pointer, *ends) == ffi.ARCHIVE_EOF:
                    return
            except ffi.ArchiveError as error:
                raise Broken(_words(error)) from None
            if size.value and place.value:
                yield place.value, size.value

    @property
    def encrypted(self) -> bool:
        """Whether libarchive saw that something in it, or its list, is encrypted."""
        return bool(self._ffi.read_has_encrypted_entries(self._pointer) > 0)


@contextlib.contextmanager
def opened(data: bytes, kind: str, inner: str = RAW) -> Iterator[Archive]:
    """Open an archive of a type of `FORMATS`; `inner`: as what one that is `PACKED` is read."""
    ffi = library()
    pointer = ffi.read_new()
    try:
        for name in (inner,) if kind in PACKED else FORMATS[kind]:
            ffi.get_read_format_function(name)(pointer)
        if kind in PACKED:
            ffi.get_read_filter_function(kind)(pointer)
        try:
            ffi.read_open_memory(pointer, ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))
        except ffi.ArchiveError as error:
            raise Broken(_words(error)) from None
        yield Archive(ffi, pointer)
    finally:
        ffi.read_free(pointer)


def _name(ffi: Any, entry: Any) -> str:
    """Return a name however it is written; its end counts."""
    with contextlib.suppress(ValueError):  # characters that Unicode has not
        wide = ffi.entry_pathname_w(entry)
        if wide:
            return str(wide[-MAX_NAME:])
    raw: bytes = ffi.entry_pathname(entry) or b""
    return raw[-MAX_NAME:].decode("utf-8", "replace")


def _words(error: Any) -> str:
    said = str(error.msg or "it ends too early")[:200]
    return "".join(c if c.isprintable() else "?" for c in said)
