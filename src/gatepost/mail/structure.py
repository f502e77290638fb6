"""The MIME structure of a message (RFC 2046): its parts with byte-exact spans, in one pass.

Bounded: parts, depth and bytes of a part's header. What a mail program may read in another way (a
boundary that is missing or doubled, two Content-Types, an encoding nobody knows) stands in `troubles`:
it is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gatepost.mail.decode import ENCODINGS, decode_text, decode_transfer
from gatepost.mail.message import Message, find_border
from gatepost.mail.parameters import Value, read_value

MAX_PARTS = 1_000
MAX_DEPTH = 30
MAX_PART_HEAD = 16_384
"""Bytes of a part's header block that are looked at."""
MAX_PART_HEADS = 1 << 20
"""Bytes of the header blocks of all parts together; those of the message itself are not among them."""
MAX_BOUNDARY = 1_000
"""RFC 2046, 5.1.1 allows 70; longer ones are met."""

AS_IT_IS = ("", "7bit", "8bit", "binary")
MESSAGES = ("message/rfc822", "message/global")
MAX_INNER = 1 << 20
"""Bytes of an encoded message in a message that are looked at."""

_DELIMITER = re.compile(rb"[^\r\n]{1,1010}")
_TOKEN = re.compile(r"[a-z0-9!#$&^_.+-]*")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


@dataclass(slots=True)
class Part:
    """One part; a multipart is one, too, with its own parts behind it."""

    raw: bytes = field(repr=False)
    """The whole message, shared by all parts."""
    headers: Message
    """The part's own header block; of the first part that of the message."""
    content_type: Value
    disposition: Value
    encoding: str
    """`base64`, `quoted-printable` and so on, in lower case."""
    start: int
    """Where its header block begins in `raw`, and where its content begins and ends."""
    body: int
    end: int
    depth: int

    @property
    def type(self) -> str:
        """`text/html`, in lower case; `text/plain` where nothing useful is said (RFC 2045, 5.2)."""
        return self.content_type.word

    @property
    def is_multipart(self) -> bool:
        """Whether it only holds other parts."""
        return self.type.startswith("multipart/")

    @property
    def filenames(self) -> list[str]:
        """All names that a mail program may show for it, the likeliest first."""
        found = self.disposition.parameters.get("filename", []) + self.content_type.parameters.get("name", [])
        return list(dict.fromkeys(found))

    def content(self, limit: int = 1 << 20) -> bytes:
        """Return at most `limit` bytes with the transfer encoding undone."""
        end = min(self.end, self.body + 4 * limit + 1_000)
        return decode_transfer(self.raw[self.body : end], self.encoding, limit)

    def text(self, limit: int = 1 << 18) -> str:
        """Return the content as text."""
        html = self.type == "text/html"
        return decode_text(self.content(limit), self.content_type.get("charset"), html=html)


@dataclass(slots=True)
class Structure:
    """All parts in the order of the bytes, and what is odd about them."""

    parts: list[Part] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """Each once: what can be read in more than one way, and which bound was passed."""
    parameters: int = 0
    """Of all parts together."""
    part_heads: int = 0
    """Bytes of their header blocks that were read."""

    def leaves(self) -> Iterator[Part]:
        """Yield the parts that hold something themselves."""
        return (part for part in self.parts if not part.is_multipart)

    def trouble(self, what: str) -> None:
        """Note it once."""
        if what not in self.troubles:
            self.troubles.append(what)


def read_structure(message: Message) -> Structure:
    """Read the parts of a message whose bytes are there (`message.body`)."""
    raw = message.body or message.head
    found = Structure()
    if message.ambiguous:
        found.trouble("ambiguous header")
    _Walk(raw, found).message(message, 0, len(message.head) if message.body else len(raw))
    return found


@dataclass(slots=True)
class _Open:
    """A multipart that is not closed yet."""

    boundary: bytes
    part: Part
    next: int = -1
    """The line end before its next delimiter; the length of all where none is known."""
    seen: int = -1
    """Up to there `next` was looked for."""


class _Walk:
    """One pass: a stack of open multiparts, and the delimiter lines in the order of the bytes."""

    def __init__(self, raw: bytes, found: Structure) -> None:
        self.raw = raw
        self.found = found
        self.open: list[_Open] = []
        self.current: Part | None = None
        self.messages: list[tuple[int, Part]] = []
        """Messages in the message that go on, each with the number of multiparts around it."""
        self.inner: list[Part] = []
        """Messages that are encoded: bytes of their own, read when this pass is over."""
        self.dashes = -1
        """The line end before the next line that begins as a delimiter, as known."""

    def message(self, headers: Message, start: int, body: int, depth: int = 0) -> None:
        self._begin(headers, start, body, depth)
        at = max(0, body - 1)
        while (place := self._next(at)) < len(self.raw):
            at = self._line(place)
            if len(self.found.parts) >= MAX_PARTS:
                self.found.trouble("too many parts")
                break
        if self.open:
            self.found.trouble("no closing boundary")
        for part in self.inner:
            raw = part.content(MAX_INNER).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            border = find_border(raw)
            head = raw[:border] if border >= 0 else raw
            if len(self.found.parts) < MAX_PARTS:
                _Walk(raw, self.found).message(Message(head, raw), 0, len(head), part.depth + 1)

    def _begin(self, headers: Message, start: int, body: int, depth: int, usual: str = "text/plain") -> None:
        part = Part(
            self.raw,
            headers,
            self._type(headers, usual),
            self._disposition(headers),
            self._encoding(headers),
            start,
            body,
            len(self.raw),
            depth,
        )
        self.found.parts.append(part)
        self.current = part
        self.found.parameters += part.content_type.count + part.disposition.count
        if part.content_type.over_budget or part.disposition.over_budget:
            self.found.trouble("too many parameters")
        if part.is_multipart:
            self._open(part)
        elif part.type in MESSAGES:
            self._inner(part)

    def _inner(self, part: Part) -> None:
        """A message in the message: a reader shows it, so it is read, too."""
        if part.depth >= MAX_DEPTH:
            self.found.trouble("too deep")
        elif part.encoding in AS_IT_IS:
            self.messages.append((len(self.open), part))
            inner, at = self._head(part.body)
            self._begin(inner, part.body, at, part.depth + 1)
        else:  # RFC 2046, 5.2.1 forbids to encode it; mail programs decode it all the same
            self.inner.append(part)

    def _open(self, part: Part) -> None:
        readings = part.content_type.parameters.get("boundary", [])
        if len(set(readings)) > 1:
            self.found.trouble("several boundaries")
        boundary = readings[0].rstrip() if readings else ""
        if not boundary or len(boundary) > MAX_BOUNDARY:
            self.found.trouble("no boundary")
        elif part.depth >= MAX_DEPTH:
            self.found.trouble("too deep")
        else:
            said = boundary.encode("utf-8", "replace")
            if any(known.boundary == said for known in self.open):
                self.found.trouble("a boundary twice")
            self.open.append(_Open(said, part))

    def _next(self, at: int) -> int:
        """Return the line end before the next delimiter from here on; the length of all where there is none.

        Each boundary is looked for by itself, and what is found is always a delimiter: lines that only
        look like one cost nothing, however many there are. An inner one is looked for only up to where an
        outer one ends it: so each depth reads the bytes once, however many multiparts lie there; and
        none does where no line begins with two dashes.
        """
        end = len(self.raw)
        if self.dashes < at:
            found = self.raw.find(b"\n--", at)
            self.dashes = found if found >= 0 else end
        for one in self.open:
            if one.seen < at:
                found = self.raw.find(b"\n--" + one.boundary, self.dashes, end + 3 + len(one.boundary))
                one.next, one.seen = (found, found) if found >= 0 else (len(self.raw), end)
            end = min(end, one.next)
        return end

    def _line(self, place: int) -> int:
        """Take a delimiter line (RFC 2046, 5.1.1); return where it ends.

        A boundary that is the whole line goes before one that the line only begins with, an inner
        one before an outer.
        """
        match = _DELIMITER.match(self.raw, place + 3)
        end = match.end() if match is not None else place + 3
        line = self.raw[place + 3 : end].rstrip(b" \t")
        levels = [n for n in range(len(self.open) - 1, -1, -1) if self.open[n].next == place]
        whole = [n for n in levels if line in (self.open[n].boundary, self.open[n].boundary + b"--")]
        level = (whole or levels)[0]
        boundary = self.open[level].boundary
        closes = line == boundary + b"--" if whole else line.startswith(b"--", len(boundary))
        self._delimiter(level, place + 1, end, closes=closes)
        return end

    def _delimiter(self, level: int, begin: int, end: int, *, closes: bool) -> None:
        before = self._close_down_to(level if closes else level + 1, begin)
        if closes:
            return
        self._end_messages(level, before)
        parent = self.open[level].part
        at = self.raw.find(b"\n", end) + 1 or len(self.raw)
        headers, body = self._head(at)
        usual = "message/rfc822" if parent.type == "multipart/digest" else "text/plain"
        self._begin(headers, at, body, parent.depth + 1, usual)

    def _close_down_to(self, level: int, at: int) -> int:
        """End the part in hand and what is open from this level on; the line end is the boundary's."""
        end = at - 2 if self.raw[at - 2 : at] == b"\r\n" else at - 1
        if self.current is not None and not self.current.is_multipart:
            end = self._end(self.current, end)
        for n in reversed(range(level, len(self.open))):
            end = self._end(self.open[n].part, self._end_messages(n, end))
        if level < len(self.open) - 1:
            self.found.trouble("an inner boundary was not closed")
        del self.open[level:]
        self.current = None
        return end

    def _end_messages(self, level: int, end: int) -> int:
        """End the messages that lie in the multipart of a level."""
        while self.messages and self.messages[-1][0] > level:
            end = self._end(self.messages.pop()[1], end)
        return end

    def _end(self, part: Part, end: int) -> int:
        """End a part; return where, which is behind `end` where its empty line is the boundary's line end."""
        part.end = min(part.end, max(part.body, end))
        return max(part.end, end)

    def _head(self, start: int) -> tuple[Message, int]:
        """Read a part's header block; it may be empty, and its empty line may be missing."""
        # A part may have no header, and no content: it ends at the next delimiter all the same.
        most = min(MAX_PART_HEAD, MAX_PART_HEADS - self.found.part_heads)
        block = self.raw[start : min(start + most, max(start, self._next(start - 1) + 1))]
        if block.startswith((b"\r\n", b"\n")):
            return Message(b"\r\n"), start + (2 if block[:1] == b"\r" else 1)
        border = find_border(block)
        lf = block.find(b"\n\n")
        if lf >= 0 and (border < 0 or lf + 2 < border):
            border = lf + 2
        if border < 0:
            if len(block) == most:
                self.found.trouble("too much in headers of parts")
            elif block:
                self.found.trouble("a part without an end of its header")
            self.found.part_heads += len(block)
            return Message(block), start + len(block)
        self.found.part_heads += border
        headers = Message(block[:border])
        if headers.ambiguous:
            self.found.trouble("ambiguous header of a part")
        return headers, start + border

    def _type(self, headers: Message, usual: str) -> Value:
        said = headers.all("content-type")
        if len(said) > 1:
            self.found.trouble("several Content-Types")
        value = read_value(said[0]) if said else Value(usual)
        if not _TYPE.fullmatch(value.word):
            self.found.trouble("unreadable Content-Type")
            if not value.word.startswith("multipart/"):
                value.word = "text/plain"
        return value

    def _disposition(self, headers: Message) -> Value:
        said = headers.all("content-disposition")
        if len(said) > 1:
            self.found.trouble("several Content-Dispositions")
        value = read_value(said[0]) if said else Value()
        if not _TOKEN.fullmatch(value.word):
            self.found.trouble("unreadable Content-Disposition")
        return value

    def _encoding(self, headers: Message) -> str:
        said = headers.all("content-transfer-encoding")
        if len(said) > 1:
            self.found.trouble("several encodings")
        encoding = said[0].partition(";")[0].partition("(")[0].strip().lower() if said else ""
        if encoding not in ENCODINGS:
            self.found.trouble("unknown encoding")
        return encoding
