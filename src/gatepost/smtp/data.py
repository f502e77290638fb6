"""Read the bytes between DATA and the lone dot that ends them.

A line ends in CRLF and in nothing else (RFC 5321, 2.3.8). A server that lets a bare LF or CR end
a line, while its neighbour does not, lets a sender hide a second message inside the first ("SMTP
smuggling", T1.1). So only CRLF . CRLF ends the data here, and a bare CR, a bare LF or a NUL is
noted while the reader reads on to the true end: what follows must never be taken for commands.

The bytes are given back as they came, dots still stuffed: most messages are only handed on, and
undoing the dots costs more than everything else (reference/performance.md, section 4). `unstuff`,
`stuff` and `normalize_pieces` are for those who need more.

No I/O and no clock. Time is linear in the bytes fed; memory is the chunk in hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import IncrementalNewlineDecoder
from typing import Any

END = b"\r\n.\r\n"
NUL, BARE, LINE = "nul", "bare", "line"


class Inspector:
    """Looks at a message's bytes in pieces: NUL, bare CR or LF, a line that is too long.

    CPython's newline decoder, made for text files, notes which kinds of line ends went by, also over
    the border of two pieces; that is one pass where counting takes two, and a third of the time.
    """

    __slots__ = ("_decoder", "_feed", "_line", "_line_limit", "long", "nul")

    def __init__(self, line_limit: int) -> None:
        self._decoder: Any = IncrementalNewlineDecoder(None, False)
        self._feed = self._decoder.decode
        self._line = 0  # bytes since the last LF
        self._line_limit = line_limit
        self.nul = False
        self.long = False
        """A line, with its end, is longer than the limit."""

    def look(self, piece: bytes) -> None:
        """Take the next piece."""
        self._feed(piece.decode("latin-1"))
        if b"\0" in piece:
            self.nul = True
        if self._line + len(piece) > self._line_limit:
            self._measure(piece)
        else:
            last = piece.rfind(b"\n")
            self._line = len(piece) - last - 1 if last >= 0 else self._line + len(piece)

    def verdict(self) -> str:
        """Behind the last piece: `nul`, `line` (too long), `bare` (a CR or an LF stood alone), or ""."""
        if self.nul:
            return NUL
        if self.long:
            return LINE
        self._feed("", True)  # a CR at the very end waits for its LF
        return "" if self._decoder.newlines in (None, "\r\n") else BARE

    def _measure(self, piece: bytes) -> None:
        """The piece is long enough to hold a line that is too long: look for one, in linear time."""
        limit = self._line_limit
        start = -self._line  # where the line in hand began
        while len(piece) - start > limit:
            end = piece.rfind(b"\n", max(start, 0), max(start + limit, 0))
            if end < 0:
                self.long = True
                break
            start = end + 1
        last = piece.rfind(b"\n")
        self._line = len(piece) - last - 1 if last >= 0 else self._line + len(piece)


class DataReader:
    """Feed it what comes after the 354; it gives back the message, dots stuffed, without the final dot."""

    __slots__ = ("_context", "_held", "_inspector", "done", "max_size", "rest", "size")

    def __init__(self, max_size: int, line_limit: int = 1_048_576) -> None:
        self.max_size = max_size
        self.size = 0
        """Bytes given back or dropped, as they came over the wire (a stuffed dot counts)."""
        self.done = False
        self.rest = b""
        """What came after the end: the client's next command, if it pipelines."""
        self._inspector = Inspector(line_limit)
        # The last bytes that went by. DATA's own CRLF counts: the first line may be the dot.
        self._context = b"\r\n"
        # Of these, the dot (and CR) that may be the end and may be text.
        self._held = b""

    @property
    def too_big(self) -> bool:
        """More than the limit came; nothing is given back any more."""
        return self.size > self.max_size

    @property
    def spoilt(self) -> str:
        """Once done: what is wrong with the bytes (`Inspector.verdict`), "" if nothing is."""
        return self._inspector.verdict()

    def feed(self, chunk: bytes) -> bytes:
        """Return the part of the message that is now certain; it may be b""."""
        if self.done:
            raise RuntimeError("fed after the end of the data")
        context = self._context
        border = (context + chunk[:4]).find(END)
        if border >= 0:
            end = border + 2 - len(context)
        else:
            end = chunk.find(END)
            if end >= 0:
                end += 2
            elif not chunk:
                return b""
            else:
                return self._go_on(chunk)
        self.done = True
        # With end <= 0 the held bytes were the beginning of the end.
        self.rest = chunk[end + 3 :]
        return self._take(self._held + chunk[:end] if self._held else chunk[:end]) if end > 0 else b""

    def _go_on(self, chunk: bytes) -> bytes:
        """No end yet: hold back a dot at the beginning of a line, until it is known what it is."""
        held = self._held
        self._context = context = (self._context + chunk[-4:])[-4:]
        self._held = b""
        if context[-1] in b".\r":
            if context.endswith(b"\r\n."):
                self._held = b"."
            elif context.endswith(b"\r\n.\r"):
                self._held = b".\r"
        piece = held + chunk if held else chunk
        if self._held:
            piece = piece[: -len(self._held)]
        return self._take(piece) if piece else b""

    def _take(self, piece: bytes) -> bytes:
        self.size += len(piece)
        self._inspector.look(piece)
        return piece if self.size <= self.max_size else b""


def unstuff(pieces: Iterable[bytes]) -> bytes:
    """Return the message's own bytes: a line that begins with a dot loses it (RFC 5321, 4.5.2)."""
    whole = b"".join(pieces)
    text = whole.replace(b"\r\n.", b"\r\n") if b"\r\n." in whole else whole
    return text[1:] if text.startswith(b".") else text


def stuff(text: bytes) -> bytes:
    """Return the bytes as DATA carries them: a line that begins with a dot gets another."""
    if b"\r\n." in text:
        text = text.replace(b"\r\n.", b"\r\n..")
    return b"." + text if text.startswith(b".") else text


def unstuff_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Like `unstuff` for a message that is too large to be joined."""
    before = b"\r\n"  # of what came, the last two bytes
    for piece in pieces:
        if not piece:
            continue
        window = before + piece
        # A dot stands behind the window's own CRLFs only: what is cut off was looked at last time.
        yield window.replace(b"\r\n.", b"\r\n")[len(before) :]
        before = window[-2:]


def stuff_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Like `stuff` for a message that is too large to be joined."""
    before = b"\r\n"
    for piece in pieces:
        if not piece:
            continue
        window = before + piece
        yield window.replace(b"\r\n.", b"\r\n..")[len(before) :]
        before = window[-2:]


def normalize_pieces(pieces: Iterable[bytes], *, stuffed: bool) -> Iterator[bytes]:
    """Yield the same message with every bare CR and bare LF made a CRLF.

    Dots are undone first, by the true line ends only, and made anew after: a dot that stood behind
    a bare LF is text, and text it stays on the way to a server that takes our line ends at their word.
    """
    clean = _with_crlf(unstuff_pieces(pieces) if stuffed else pieces)
    return stuff_pieces(clean) if stuffed else clean


def _with_crlf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    decoder: Any = IncrementalNewlineDecoder(None, True)
    for piece in pieces:
        lines = decoder.decode(piece.decode("latin-1"))
        if lines:
            yield lines.replace("\n", "\r\n").encode("latin-1")
    last = decoder.decode("", True)
    if last:
        yield b"\r\n"
