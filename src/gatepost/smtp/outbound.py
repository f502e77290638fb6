"""A message on its way to a server that takes our line ends at their word (T1.3).

We stand in the trusted networks of our back ends, so smuggling would work through us where it does
not against us (Postfix HISTORY 20260816). What leaves here holds no bare CR, no bare LF and no NUL,
has its dots stuffed, and ends by exactly one CRLF . CRLF; anything else is an `OutboundError` before
the offending bytes are given out. The connection must then be cut: half a message is no message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import IncrementalNewlineDecoder
from typing import Any

from gatepost.smtp.data import END, stuff_pieces
from gatepost.smtp.errors import OutboundError


def outbound(chunks: Iterable[bytes], *, stuffed: bool) -> Iterator[bytes]:
    """Yield the bytes that follow a 354, final dot included. `stuffed`: dots are doubled already."""
    pieces = _checked(chunks)
    context = b"\r\n"
    for piece in pieces if stuffed else stuff_pieces(pieces):
        if stuffed and (END in piece or END in context + piece[:4]):
            raise OutboundError("the end of data inside a message")
        yield piece
        context = (context + piece[-4:])[-4:]
    if context.endswith(b"\r\n"):
        yield b".\r\n"
    elif context.endswith(b"\r\n."):
        raise OutboundError("the end of data inside a message")
    else:
        yield b"\r\n.\r\n"


def _checked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes; a CR at the end of a chunk waits for its LF."""
    decoder: Any = IncrementalNewlineDecoder(None, False)
    held = b""
    for chunk in chunks:
        if not chunk:
            continue
        decoder.decode(chunk.decode("latin-1"))
        if decoder.newlines not in (None, "\r\n"):
            raise OutboundError("a bare CR or LF in a message")
        if b"\0" in chunk:
            raise OutboundError("a NUL in a message")
        piece = held + chunk if held else chunk
        held = b""
        if piece.endswith(b"\r"):
            held = b"\r"
            piece = piece[:-1]
        if piece:
            yield piece
    if held:
        raise OutboundError("a bare CR or LF in a message")
