"""The header block of a message, read within bounds and in linear time.

Python's `email` package takes 44 seconds for one long Subject and gigabytes for another
(reference/peers.md, 4.6); this reader has a budget and a flag instead. It decides nothing: a message
whose readings may differ is `ambiguous`, one past a bound is `over_budget`, and the policy of the
recipient's domain says what that means (T3.1, T6.2).
"""

from __future__ import annotations

import codecs
import re
from binascii import Error as BadBase64
from binascii import a2b_base64, a2b_qp
from collections.abc import KeysView
from dataclasses import dataclass

MAX_HEAD = 102_400
"""Octets of the header block that are read."""
MAX_LINES = 1000
"""Lines of it."""
MAX_WORDS = 2000
"""Characters of one field in which encoded words are decoded."""

_FIELD = re.compile(rb"([!-9;-~]+)([ \t]*):")
"""RFC 5322, 2.2 and 3.6.8; blanks before the colon are obsolete (4.5), and readers differ on them."""
_BLANKS = b" \t\r"
_WORD = re.compile(r"=\?([A-Za-z0-9._:\-]{1,40})(?:\*[A-Za-z0-9\-]{0,20})?\?([bBqQ])\?([!->@-~]*)\?=")
_CHARSET = re.compile(
    r"(us-)?ascii|utf-?8|utf-?(16|32)(-?[lb]e)?|iso-?8859-?\d{1,2}|latin-?\d|(windows-?|cp-?)\d{3,4}"
    r"|koi8-?[rut]|big5(-?hkscs)?|gb-?2312|gbk|gb18030|hz(-gb-2312)?|euc-?(jp|kr)|shift[-_]?jis"
    r"|iso-?2022-?(jp(-[123])?|kr)|tis-?620|ks_c_5601-1987|mac-?(roman|cyrillic|greek|latin2|turkish)"
)


@dataclass(frozen=True, slots=True)
class Header:
    """One header field."""

    name: str
    """As it was written."""
    raw: bytes
    """All its lines with their ends, byte for byte."""
    value: str
    """What stands behind the colon, unfolded and stripped; not yet decoded (`decode_words`)."""


def find_border(buffer: bytes) -> int:
    """Return the place behind the empty line that ends the header block, -1 if there is none yet."""
    if buffer.startswith(b"\r\n"):
        return 2
    place = buffer.find(b"\r\n\r\n")
    return place + 4 if place >= 0 else -1


class Message:
    """A message as checks see it: its head in fields, and its bytes if anyone asked for them."""

    __slots__ = ("_fields", "ambiguous", "body", "head", "headers", "over_budget")

    def __init__(self, head: bytes, body: bytes | None = None) -> None:
        self.head = head
        """The header block with the empty line, as far as it was read."""
        self.body = body
        """The whole message, dots undone; None where no check asked for it."""
        self.over_budget = len(head) > MAX_HEAD
        """More than `MAX_HEAD` octets or `MAX_LINES` lines; what lies behind was not read."""
        self.ambiguous = False
        """The block can be read in more than one way: a bare CR or LF, a NUL, a line that is no field, a
        blank before a colon, no empty line at the end. Signatures over it prove nothing (T1.5)."""
        self.headers: list[Header] = []
        self._fields: dict[str, list[str]] | None = None
        self._read(head[:MAX_HEAD])

    def get(self, name: str) -> str | None:
        """Return the value of the first field of this name (any case), None if there is none."""
        values = self._by_name().get(name.lower())
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Return the values of all fields of this name, from the top."""
        return list(self._by_name().get(name.lower(), ()))

    def names(self) -> KeysView[str]:
        """Return the names of all fields, in lower case."""
        return self._by_name().keys()

    @property
    def subject(self) -> str:
        """The first Subject, decoded, "" if there is none."""
        return decode_words(self.get("Subject") or "")

    def _by_name(self) -> dict[str, list[str]]:
        if self._fields is None:
            self._fields = {}
            for header in self.headers:
                self._fields.setdefault(header.name.lower(), []).append(header.value)
        return self._fields

    def _read(self, head: bytes) -> None:
        lines = head.split(b"\n", MAX_LINES)
        last = lines.pop()  # behind the last LF that was looked at
        if last:
            self.ambiguous = True
            if len(lines) == MAX_LINES:
                self.over_budget = True
            elif not self.over_budget:
                lines.append(last)
        field: list[bytes] = []
        for line in lines:
            if line == b"\r":
                break
            if line[-1:] != b"\r" or b"\r" in line[:-1] or b"\0" in line:
                self.ambiguous = True
            if line[:1] in (b" ", b"\t"):
                # A folded line; blank ones end the block for some readers and not for others.
                self.ambiguous = self.ambiguous or not field or not line.strip(_BLANKS)
                field.append(line)
                continue
            self._add(field)
            field = [line]
        else:
            self.ambiguous = True
        self._add(field)

    def _add(self, lines: list[bytes]) -> None:
        if not lines:
            return
        match = _FIELD.match(lines[0])
        if match is None:
            self.ambiguous = True
            return
        if match[2]:
            self.ambiguous = True
        first = lines[0][match.end() :]
        value = b" ".join(line.strip(_BLANKS) for line in (first, *lines[1:])) if len(lines) > 1 else first
        raw = b"".join(line + b"\n" for line in lines)
        self.headers.append(Header(match[1].decode("ascii"), raw, _text(value.strip(_BLANKS))))


def _text(value: bytes) -> str:
    """Return 8-bit header text as what it most likely is (RFC 6532, or an old program's Latin-1)."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def decode_words(raw: str, limit: int = MAX_WORDS) -> str:
    """Return a field's text with its encoded words decoded (RFC 2047), for people to read: on one line.

    What is badly encoded stays as it is; what is not printable becomes a space. At most `limit`
    characters are looked at. Neighbours in one character set are joined before they are decoded:
    much software cuts inside a character.
    """
    return printable(decode_as_is(raw, limit))


def printable(text: str) -> str:
    """Return a text on one line: what is not printable becomes a space."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def decode_as_is(raw: str, limit: int = MAX_WORDS) -> str:
    """Return a field's text with its encoded words decoded, and with all that is in them."""
    return _decode_all(raw[:limit])


def _decode_all(raw: str) -> str:
    if "=?" not in raw:
        return raw
    out: list[str] = []
    run: list[bytes] = []
    charset = ""
    at = 0
    for match in _WORD.finditer(raw):
        data = _decode_one(match[2], match[3])
        codec = codec_of(match[1])
        if data is None or not codec:
            continue
        between = raw[at : match.start()]
        if run and (codec != charset or between.strip()):
            out.append(_decode_run(run, charset))
            run = []
        if between.strip() or at == 0:
            out.append(between)
        run.append(data)
        charset = codec
        at = match.end()
    if run:
        out.append(_decode_run(run, charset))
    out.append(raw[at:])
    return "".join(out)


def _decode_run(run: list[bytes], charset: str) -> str:
    return b"".join(run).decode(charset, "replace")


def _decode_one(encoding: str, text: str) -> bytes | None:
    try:
        if encoding in "bB":
            return a2b_base64(text + "=" * (-len(text) % 4))
        return a2b_qp(text, header=True)
    except BadBase64:
        return None


def codec_of(charset: str) -> str:
    """Return Python's name of a character set, "" for what is none.

    Only names that could be one are looked up: zip, punycode and rot13 are codecs too, and Python
    remembers for ever each name that it did not find.
    """
    if _CHARSET.fullmatch(charset.lower()) is None:
        return ""
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return ""
