"""What a file is beyond its first bytes: by the name that it claims, and by the names that are in it.

A zip may be a program, a document, a document with macros; a file called `.zip` is opened as one whatever
stands before it. Pure.
"""

from __future__ import annotations

from gatepost.mail.filetypes import FileType, Kind, is_mail
from gatepost.mail.zipdir import read_directory

ZIPPED = frozenset(
    [
        "docm",
        "docx",
        "dotm",
        "dotx",
        "epub",
        "jar",
        "odp",
        "ods",
        "odt",
        "potm",
        "potx",
        "ppam",
        "ppsm",
        "ppsx",
        "pptm",
        "pptx",
        "xlam",
        "xlsb",
        "xlsm",
        "xlsx",
        "xltm",
        "xltx",
        "xpi",
        "zip",
    ]
)
"""Endings whose programs open a zip."""


def claimed_type(names: tuple[str, ...]) -> str:
    """Return the type that a name claims where the first bytes need not show it, "" for none.

    A zip is read from its end, so anything may stand before it; the first tars had no mark.
    """
    for name in names:
        ending = name.rstrip(" .").rpartition(".")[2].lower()
        if ending in ZIPPED:
            return "zip"
        if ending == "tar":
            return "tar"
    return ""


def opens_as(claimed: str, whole: bytes) -> FileType | None:
    """Return the type as which a file is opened that claims one, None where that fails."""
    if claimed == "zip" and read_directory(whole, 1) is None:
        return None
    return FileType(claimed, Kind.ARCHIVE)


def is_message(names: tuple[str, ...], head: bytes) -> bool:
    """Return whether a file is a message that was saved."""
    return any(name.lower().rstrip(" .").endswith(".eml") for name in names) and is_mail(head)


def names_of_single(names: tuple[str, ...], data: bytes, said: str) -> tuple[str, ...]:
    """Return the names of a file that is compressed alone: the archive's without its ending, its own."""
    found = [name.rpartition(".")[0] or name for name in names]
    if data[:2] == b"\x1f\x8b" and data[3:4] == b"\x08":  # RFC 1952, 2.3.1: FNAME alone
        found.append(data[10 : 10 + 500].partition(b"\0")[0].decode("latin-1"))
    if said != "data":
        found.append(said)
    return tuple(dict.fromkeys(found)) or (said,)


def refined(names: list[str]) -> tuple[str, str]:
    """Return type and kind of a zip by the names in it."""
    there = {name.lower() for name in names}
    if "androidmanifest.xml" in there:
        return "apk", Kind.EXECUTABLE.value
    if "appxmanifest.xml" in there:
        return "appx", Kind.EXECUTABLE.value
    if "[content_types].xml" in there:
        return "ooxml", Kind.OFFICE.value
    if "meta-inf/manifest.mf" in there and any(name.endswith(".class") for name in there):
        return "jar", Kind.EXECUTABLE.value
    if "mimetype" in there and "meta-inf/manifest.xml" in there:
        return "odf", Kind.OFFICE.value
    return "zip", Kind.ARCHIVE.value


def has_macros(names: list[str]) -> bool:
    """Return whether a document has macros: VBA (MS-OFFMACRO), Excel's older ones, those of OpenDocument."""
    return any(
        name.endswith("vbaproject.bin")
        or "/macrosheets/" in f"/{name}"
        or (name.startswith("basic/") and name.endswith(".xml") and "script-l" not in name)
        for name in (one.lower().replace("\\", "/") for one in names)
    )
