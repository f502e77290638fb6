"""Archives for the tests: by Python's tools, by libarchive, or by hand where nobody may write them."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from base64 import encodebytes
from collections.abc import Callable
from zlib import crc32

import libarchive

EXE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(200)
"""What begins like a program; it is none."""
Files = dict[str, bytes]
PLAIN: Files = {"read me.txt": b"hello", "folder/setup.exe": EXE}


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tarred(files: Files, mode: str = "w") -> bytes:
    """Return a tar, packed by `w:gz`, `w:bz2`, `w:xz`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def by_libarchive(
    files: Files, form: str, packing: str | None = None, options: str = "", passphrase: str | None = None
) -> bytes:
    """Return an archive as libarchive writes it: 7zip, iso9660, cpio ..."""
    out = io.BytesIO()

    def write(data: bytes) -> int:
        return out.write(data)

    with libarchive.custom_writer(write, form, packing, options=options, passphrase=passphrase) as archive:
        for name, data in files.items():
            archive.add_file_from_memory(name, len(data), data)
    return out.getvalue()


def _vint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _rar5_block(body: bytes) -> bytes:
    sized = _vint(len(body)) + body
    return crc32(sized).to_bytes(4, "little") + sized


def rar5(files: Files) -> bytes:
    """Return a RAR of version 5 with its files as they are (technical note on the format, rarlab.com)."""
    out = b"Rar!\x1a\x07\x01\0" + _rar5_block(b"\x01\0\0")
    for name, data in files.items():
        raw = name.encode()
        fields = [2, 2, len(data), 4, len(data), 0o100644]
        head = b"".join(map(_vint, fields)) + crc32(data).to_bytes(4, "little")
        out += _rar5_block(head + _vint(0) + _vint(1) + _vint(len(raw)) + raw) + data
    return out + _rar5_block(b"\x05\0\0")


def rar4(files: Files, encrypted: bool = False, hidden: bool = False) -> bytes:
    """Return a RAR of version 4 with its files as they are; marked as encrypted, or its list as well."""

    def block(kind: int, flags: int, rest: bytes) -> bytes:
        body = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
        return (crc32(body) & 0xFFFF).to_bytes(2, "little") + body

    out = b"Rar!\x1a\x07\0" + block(0x73, 0x80 if hidden else 0, bytes(6))
    for name, data in files.items():
        raw = name.encode()
        size = len(data)
        fields = struct.pack("<LLBLLBBHL", size, size, 3, crc32(data), 0, 20, 0x30, len(raw), 0o100644)
        out += block(0x74, 0x8000 | (0x04 if encrypted else 0), fields + raw) + data
    return out + block(0x7B, 0x4000, b"")


FORMATS: dict[str, Callable[[Files], bytes]] = {
    "zip": zipped,
    "stored zip": lambda files: zipped(files, zipfile.ZIP_STORED),
    "zip by bzip2": lambda files: zipped(files, zipfile.ZIP_BZIP2),
    "zip by lzma": lambda files: zipped(files, zipfile.ZIP_LZMA),
    "zip without a directory": lambda files: zipped(files).partition(b"PK\x01\x02")[0],
    "zip behind a program": lambda files: b"\x90" * 1_000 + zipped(files),
    "tar": tarred,
    "tar.gz": lambda files: tarred(files, "w:gz"),
    "tar.bz2": lambda files: tarred(files, "w:bz2"),
    "tar.xz": lambda files: tarred(files, "w:xz"),
    "tar.zst": lambda files: by_libarchive(files, "pax", "zstd"),
    "7z": lambda files: by_libarchive(files, "7zip"),
    "iso": lambda files: by_libarchive(files, "iso9660"),
    "cpio": lambda files: by_libarchive(files, "cpio_newc"),
    "rar5": rar5,
    "rar4": rar4,
}


def mail(*attachments: tuple[str, bytes], head: bytes = b"") -> bytes:
    """Return a message with these attachments."""
    parts = [b"Content-Type: text/plain\r\n\r\nsee the file\r\n"]
    for name, data in attachments:
        lines = encodebytes(data).replace(b"\n", b"\r\n")
        said = f'Content-Disposition: attachment; filename="{name}"\r\n'.encode()
        parts.append(
            b"Content-Type: application/octet-stream\r\n" + said
            + b"Content-Transfer-Encoding: base64\r\n\r\n" + lines
        )  # fmt: skip
    top = (
        b"From: Ann <me@client.example>\r\nTo: ann@example.org\r\nSubject: a file\r\n"
        b"Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@client.example>\r\nMIME-Version: 1.0\r\n"
    )
    body = b"".join(b"--limit\r\n" + part for part in parts) + b"--limit--\r\n"
    return top + head + b"Content-Type: multipart/mixed; boundary=limit\r\n\r\n" + body
