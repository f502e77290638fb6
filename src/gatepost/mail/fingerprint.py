"""What makes a message the same when it comes again: a hash of it, but for what servers on the way add.

A sender that got no answer, or a 4xx, sends the same bytes again, perhaps from another machine: then only
the trace fields differ. Bounded: of a long message the beginning, the end and the length are taken.
"""

from __future__ import annotations

from hashlib import blake2b

from gatepost.mail.headers import strip_headers
from gatepost.mail.message import MAX_HEAD, Message

SIZE = 16
"""Bytes of a fingerprint."""
BEGINNING = 1 << 20
END = 1 << 16
"""Bytes that are looked at of a long message."""
TRACE = ("Received", "Return-Path", "X-Received", "Delivered-To")
"""Fields that each server on the way adds (RFC 5321, 4.4)."""


def fingerprint(message: Message) -> bytes:
    """Return the fingerprint of a message, of its headers alone where its body is not there."""
    found = blake2b(strip_headers(message.head[:MAX_HEAD], TRACE), digest_size=SIZE)
    body = message.body
    if body is not None:
        start = len(message.head)
        found.update(b"\0%d\0" % (len(body) - start))
        found.update(memoryview(body)[start : start + BEGINNING])
        found.update(memoryview(body)[max(start + BEGINNING, len(body) - END) :])
    return found.digest()
