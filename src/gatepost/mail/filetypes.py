"""What a file is by its first bytes: an own table of signatures, whatever its name says.

One table, read from the top. It tells apart what matters to a mail filter: what runs, what holds other
files, documents that may hold macros, and the harmless that others pose as. Pure; `HEAD` bytes are enough.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

HEAD = 65_536
"""Bytes of a file that are looked at; an ISO image is known at 32,769."""


class Kind(StrEnum):
    """What files of a type are good for."""

    EXECUTABLE = "executable"
    SCRIPT = "script"
    ARCHIVE = "archive"
    DISK = "disk"
    """An image of a disk: it is opened by a double click, and marks of the web are lost in it."""
    OFFICE = "office"
    DOCUMENT = "document"
    IMAGE = "image"
    MEDIA = "media"
    MESSAGE = "message"
    UNKNOWN = "unknown"


class FileType(NamedTuple):
    """A type."""

    name: str
    kind: Kind


UNKNOWN = FileType("unknown", Kind.UNKNOWN)
X, A, D, I, M = Kind.EXECUTABLE, Kind.ARCHIVE, Kind.DISK, Kind.IMAGE, Kind.MEDIA  # noqa: E741 - columns
SIGNATURES: tuple[tuple[str, Kind, int, bytes], ...] = (
    ("elf", X, 0, b"\x7fELF"),
    ("macho", X, 0, b"\xfe\xed\xfa\xce"),
    ("macho", X, 0, b"\xfe\xed\xfa\xcf"),
    ("macho", X, 0, b"\xce\xfa\xed\xfe"),
    ("macho", X, 0, b"\xcf\xfa\xed\xfe"),
    ("java", X, 0, b"\xca\xfe\xba\xbe"),  # or a Mach-O of several machines: it runs either way
    ("dex", X, 0, b"dex\n"),
    ("wasm", X, 0, b"\0asm"),
    ("lnk", X, 0, b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F"),
    ("chm", X, 0, b"ITSF\x03\0\0\0"),
    ("flash", X, 0, b"FWS"),
    ("flash", X, 0, b"CWS"),
    ("flash", X, 0, b"ZWS"),
    ("rpm", X, 0, b"\xed\xab\xee\xdb"),
    ("zip", A, 0, b"PK\x03\x04"),
    ("zip", A, 0, b"PK\x05\x06"),
    ("zip", A, 0, b"PK\x07\x08"),
    ("rar", A, 0, b"Rar!\x1a\x07"),
    ("7z", A, 0, b"7z\xbc\xaf\x27\x1c"),
    ("gzip", A, 0, b"\x1f\x8b"),
    ("bzip2", A, 0, b"BZh"),
    ("xz", A, 0, b"\xfd7zXZ\0"),
    ("zstd", A, 0, b"\x28\xb5\x2f\xfd"),
    ("lz4", A, 0, b"\x04\x22\x4d\x18"),
    ("lzip", A, 0, b"LZIP"),
    ("compress", A, 0, b"\x1f\x9d"),
    ("cab", A, 0, b"MSCF\0\0\0\0"),
    ("lha", A, 2, b"-lh"),
    ("lha", A, 2, b"-lz"),
    ("arj", A, 0, b"\x60\xea"),
    ("ace", A, 7, b"**ACE**"),
    ("tar", A, 257, b"ustar"),
    ("cpio", A, 0, b"07070"),
    ("ar", A, 0, b"!<arch>\n"),
    ("xar", A, 0, b"xar!"),
    ("iso", D, 32_769, b"CD001"),
    ("udf", D, 32_769, b"BEA01"),
    ("vhd", D, 0, b"conectix"),
    ("vhdx", D, 0, b"vhdxfile"),
    ("wim", D, 0, b"MSWIM\0\0\0"),
    ("vmdk", D, 0, b"KDMV"),
    ("ole", Kind.OFFICE, 0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("onenote", Kind.OFFICE, 0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
    ("access", Kind.OFFICE, 4, b"Standard Jet DB"),
    ("access", Kind.OFFICE, 4, b"Standard ACE DB"),
    ("rtf", Kind.DOCUMENT, 0, b"{\\rt"),
    ("tnef", Kind.MESSAGE, 0, b"\x78\x9f\x3e\x22"),
    ("png", I, 0, b"\x89PNG\r\n\x1a\n"),
    ("jpeg", I, 0, b"\xff\xd8\xff"),
    ("gif", I, 0, b"GIF8"),
    ("tiff", I, 0, b"II*\0"),
    ("tiff", I, 0, b"MM\0*"),
    ("ico", I, 0, b"\0\0\x01\0"),
    ("webp", I, 8, b"WEBPVP8"),
    ("heic", I, 4, b"ftyphe"),
    ("heic", I, 4, b"ftypmif1"),
    ("avif", I, 4, b"ftypavif"),
    ("mp4", M, 4, b"ftyp"),
    ("wav", M, 8, b"WAVEfmt "),
    ("avi", M, 8, b"AVI LIST"),
    ("mp3", M, 0, b"ID3"),
    ("ogg", M, 0, b"OggS"),
    ("flac", M, 0, b"fLaC"),
    ("matroska", M, 0, b"\x1a\x45\xdf\xa3"),
)
"""Name, kind, where, which bytes."""
CLAIMS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("bmp", "gif", "heic", "jpeg", "jpg", "png", "tif", "tiff", "webp"), frozenset({Kind.IMAGE.value})
    ),
    **dict.fromkeys(("avi", "mov", "mp3", "mp4", "ogg", "wav"), frozenset({Kind.MEDIA.value})),
    **dict.fromkeys(
        ("doc", "docx", "ppt", "pptx", "xls", "xlsx", "odt", "ods", "odp", "rtf"),
        frozenset({"office", "ooxml", "odf", "rtf", "html", "pdf", "zip"}),
    ),
    "pdf": frozenset({"pdf"}),
    "txt": frozenset(),
    "csv": frozenset(),
}
"""What a file with this ending may be, besides unknown: kinds and names. Only endings that people trust."""
_SCRIPT = re.compile(rb"#!\s?/|<\?php|<job\b|<package\b", re.IGNORECASE)
_PROLOGUE = rb"(?:<!--.{0,500}?-->\s{0,200}|<\?xml.{0,200}?>\s{0,200}){0,5}"
_HTML = re.compile(_PROLOGUE + rb"<(?:!doctype html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL)
_SVG = re.compile(_PROLOGUE + rb"(?:<!doctype svg[^>]{0,300}>\s{0,200})?<svg\b", re.IGNORECASE | re.DOTALL)
_MAIL = re.compile(rb"\A(?:[!-9;-~]{1,70}:[^\n]{0,998}\n(?:[ \t][^\n]{0,998}\n){0,100}){3}")


def sniff(head: bytes) -> FileType:
    """Return what a file is by its first bytes."""
    if head[:2] in (b"MZ", b"ZM") and _runs(head):
        return FileType("exe", Kind.EXECUTABLE)
    for name, kind, at, mark in SIGNATURES:
        if head.startswith(mark, at) and (name != "bzip2" or head[4:10] == b"1AY&SY"):
            return FileType(name, kind)
    if b"%PDF-" in head[:1_024]:
        return FileType("pdf", Kind.DOCUMENT)
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return FileType("bmp", Kind.IMAGE)
    start = head[:4_096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if _SCRIPT.match(start):
        return FileType("script", Kind.SCRIPT)
    if _HTML.match(start):
        return FileType("html", Kind.DOCUMENT)
    return FileType("svg", Kind.IMAGE) if _SVG.match(start) else UNKNOWN


def is_mail(head: bytes) -> bool:
    """Return whether bytes begin like a message: three header fields."""
    return _MAIL.match(head) is not None


def disguised(endings: tuple[str, ...], found: FileType) -> bool:
    """Return whether a name claims a type that the bytes contradict."""
    if found is UNKNOWN or found.kind is Kind.UNKNOWN:
        return False
    claims = [CLAIMS[ending] for ending in endings if ending in CLAIMS]
    return bool(claims) and not any(found.name in may or found.kind.value in may for may in claims)


def _runs(head: bytes) -> bool:
    """Two letters may begin a text as well: a program has a second header, or at least zeros in its first."""
    at = int.from_bytes(head[60:64], "little")
    if head[at : at + 2] in (b"PE", b"NE", b"LE", b"LX"):
        return True
    return b"\0" in head[:64] or at > len(head) > HEAD // 2
