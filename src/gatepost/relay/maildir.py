"""Delivery into a Maildir: the last hop, for small installations and for the demo domain.

`%d` and `%u` in the path are the recipient's domain and local part, made safe: `../` in an address is a name
like any other. Written in `tmp/`, fsynced, renamed into `new/`, both directories fsynced. Line ends become
LF, as in every other Maildir; Return-Path and Delivered-To stand on top (RFC 5321, 4.4).
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from gatepost.mail.address import Address, fold
from gatepost.relay.results import Content
from gatepost.smtp.data import unstuff_pieces
from gatepost.spool.names import safe_name
from gatepost.store.durable import SYSTEM, Files, make_directory, write_durable

_numbers = itertools.count(1)
_HOST = safe_name(socket.gethostname())


def folder(template: str, recipient: Address) -> Path:
    """Return the recipient's Maildir."""
    parts = {"%d": safe_name(recipient.domain), "%u": safe_name(fold(recipient.local)), "%%": "%"}
    path = ""
    rest = template
    while rest:
        two = rest[:2]
        if two in parts:
            path += parts[two]
            rest = rest[2:]
        else:
            path += rest[0]
            rest = rest[1:]
    return Path(path)


def deliver(
    template: str,
    sender: Address | None,
    recipient: Address,
    content: Content,
    now: float,
    files: Files = SYSTEM,
) -> Path:
    """Write one copy; when this returns it is on the disk. OSError: it is not there."""
    place = folder(template, recipient)
    for name in ("tmp", "new", "cur"):
        make_directory(place / name, files)
    unique = f"{int(now)}.M{int(now * 1e6) % 1_000_000}P{os.getpid()}Q{next(_numbers)}.{_HOST}"
    path = place / "new" / unique
    write_durable(path, _as_lines(sender, recipient, content), files, tmp_dir=place / "tmp")
    return path


def exists(template: str, recipient: Address) -> bool:
    """Return whether the recipient has a Maildir (where all share one, everybody has)."""
    return "%u" not in template or folder(template, recipient).is_dir()


def _as_lines(sender: Address | None, recipient: Address, content: Content) -> Iterator[bytes]:
    path = _clean(sender.text) if sender else ""
    envelope = f"Return-Path: <{path}>\r\nDelivered-To: {_clean(recipient.text)}\r\n".encode()
    yield from with_lf(itertools.chain([envelope], _plain(content)))


def _plain(content: Content) -> Iterator[bytes]:
    if content.top:
        yield content.top
    yield from unstuff_pieces(content.chunks) if content.stuffed else content.chunks


def with_lf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same text with LF for CRLF, whatever the pieces are cut at."""
    held = b""
    for piece in pieces:
        piece = held + piece
        held = b"\r" if piece.endswith(b"\r") else b""
        if held:
            piece = piece[:-1]
        if piece:
            yield piece.replace(b"\r\n", b"\n")
    if held:
        yield held


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
