"""A message with another header block: read as often as needed, and never copied as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.mail.headers import add_to_subject


class Retitled:
    """Bytes whose header block is another one."""

    __slots__ = ("_body", "_head", "_skip")

    def __init__(self, body: Iterable[bytes], skip: int, head: bytes) -> None:
        self._body = body
        self._skip = skip
        """Bytes of the header block that came."""
        self._head = head

    def __iter__(self) -> Iterator[bytes]:
        """Yield the new header block, and what comes behind the old one."""
        yield self._head
        skip = self._skip
        for piece in self._body:
            if skip < len(piece):
                yield piece[skip:] if skip else piece
            skip = max(0, skip - len(piece))


def with_words(pieces: Iterable[bytes], head: bytes, words: str) -> tuple[int, Retitled]:
    """Return a message with words behind its Subject, and how much longer it is; `head`: its header block."""
    new = add_to_subject(head, words)
    return len(new) - len(head), Retitled(pieces, len(head), new)
