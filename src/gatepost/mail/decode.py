"""Bytes of a MIME part as they were meant: transfer encodings (RFC 2045, 6) and character sets.

Tolerant, as the programs are that people read their mail with: what is not of the alphabet is passed over,
a character set that nobody knows is UTF-8 or a single byte one. Never more than asked for.
"""

from __future__ import annotations

import re
from binascii import Error as BadBase64
from binascii import a2b_base64, a2b_qp, a2b_uu

from gatepost.mail.message import codec_of

_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_UU_LINE = re.compile(rb"^([!-_][ -`]{1,90})\r?$", re.MULTILINE)
"""A length of 1 to 63, and as many characters; `begin` and `end` are in small letters."""
MAX_BAD = 1_000
"""Broken lines of uuencode after which it is none."""
ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "uuencode"})


def decode_transfer(data: bytes, encoding: str, limit: int) -> bytes:
    """Return at most `limit` bytes of a part's content."""
    if encoding == "base64":
        return _base64(data, limit)
    if encoding == "quoted-printable":
        # Each byte is written as three at most, and soft line ends are three more in 76.
        return a2b_qp(data[: 4 * limit + 100])[:limit]
    if encoding in ("x-uuencode", "uuencode"):
        return _uu(data, limit)
    return data[:limit]


def decode_text(data: bytes, charset: str, *, html: bool = False) -> str:
    """Return text in its declared character set, else UTF-8, else Windows-1252 (Latin-1 and more)."""
    codec = codec_of(charset)
    if html and not codec and (match := _META.search(data, 0, 4_096)):
        codec = codec_of(match[1].decode("ascii"))
    if codec and codec not in ("ascii", "utf-8"):
        return data.decode(codec, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A cut in the middle of a character is still UTF-8; so is a text with one bad byte, if it says so.
        if codec == "utf-8" or error.start >= len(data) - 3:
            return data.decode("utf-8", "replace")
        return data.decode("cp1252", "replace")


def _base64(data: bytes, limit: int) -> bytes:
    out: list[bytes] = []
    size = 0
    # A stream may be several ones behind each other, each with its own padding.
    clean = data[: 2 * limit + 1_000].translate(None, _NOT_BASE64)
    for run in re.findall(rb"[^=]+", clean):
        whole = run[: len(run) - len(run) % 4]
        rest = run[len(whole) :]
        # The alphabet is clean and the length whole: this cannot fail.
        piece = a2b_base64(whole)
        if len(rest) > 1:
            piece += a2b_base64(rest + b"=" * (4 - len(rest)))
        out.append(piece)
        size += len(piece)
        if size >= limit:
            break
    return b"".join(out)[:limit]


def _uu(data: bytes, limit: int) -> bytes:
    """Only lines that may be ones are looked at; each gives a byte at least, or is one of `MAX_BAD`."""
    out: list[bytes] = []
    size = bad = 0
    for match in _UU_LINE.finditer(data):
        try:
            piece = a2b_uu(match[1])
        except BadBase64:
            bad += 1
            if bad >= MAX_BAD:
                break
            continue
        out.append(piece)
        size += len(piece)
        if size >= limit:
            break
    return b"".join(out)[:limit]
