"""What the classifier sees of a message: hashed features in three views, and how they are kept.

A feature is 24 bits of a hash under the installation's secret seed: nobody outside can work out
collisions, and what is kept holds no text. The seed and `VERSION` stand in each model's header, since
other ones mean other features.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from gatepost.learn.grams import RAW_BYTES, TEXT_BYTES, Hashes, grams
from gatepost.learn.words import words
from gatepost.mail.message import Message
from gatepost.mail.structure import Structure, read_structure
from gatepost.mail.text import strip_html, texts

VERSION = 1
"""Counts up when a message gives other features than before."""
BITS = 24
RAW, WORDS, TEXT = range(3)
VIEWS = ("raw", "words", "text")
MAX_FEATURES = 8_000
"""Of one view; more are not made, and not read back."""
MAX_SOURCE = 20_000
"""Characters of text that the third view's bytes are taken from."""

_COUNT = struct.Struct("<H")


@dataclass(slots=True)
class Features:
    """A message's features: distinct hashes for each view."""

    views: tuple[Hashes, Hashes, Hashes]
    words: list[str] = field(default_factory=list)
    """What the hashes of the second view stand for, in their order; empty where they were kept."""

    def pack(self) -> bytes:
        """Return them as bytes: a count and 3 bytes a feature, view by view."""
        out = []
        for view in self.views:
            cut = view[:MAX_FEATURES]
            raw = cut.astype("<u4").view(np.uint8).reshape(-1, 4)
            out += [_COUNT.pack(len(cut)), raw[:, :3].tobytes()]
        return b"".join(out)


def unpack(data: bytes) -> Features:
    """Return what `pack` made; ValueError where that is not what it is."""
    views: list[Hashes] = []
    at = 0
    for _ in VIEWS:
        if len(data) < at + 2:
            raise ValueError("features are cut off")
        (count,) = _COUNT.unpack_from(data, at)
        end = at + 2 + 3 * count
        if count > MAX_FEATURES or len(data) < end:
            raise ValueError("features are cut off")
        raw = np.zeros((count, 4), np.uint8)
        raw[:, :3] = np.frombuffer(data, np.uint8, 3 * count, at + 2).reshape(-1, 3)
        views.append(raw.view("<u4").reshape(-1).astype(np.uint32))
        at = end
    if at != len(data):
        raise ValueError("something stands behind the features")
    return Features((views[0], views[1], views[2]))


def features(
    message: Message, seed: int, facts: tuple[str, ...] = (), structure: Structure | None = None
) -> Features:
    """Return the features of a message whose bytes are there; `facts` are words about its session."""
    found = structure if structure is not None else read_structure(message)
    said = words(message, found, facts)
    hashes = np.fromiter(
        (zlib.crc32(word.encode("utf-8", "replace"), seed) for word in said), np.uint32, len(said)
    )
    raw = message.body if message.body is not None else message.head
    return Features(
        (
            grams(raw[:RAW_BYTES], seed) >> np.uint32(32 - BITS),
            hashes >> np.uint32(32 - BITS),
            grams(_text(message, found), seed + 1) >> np.uint32(32 - BITS),
        ),
        said,
    )


def in_worker(head: bytes, body: bytes, seed: int) -> tuple[bytes, list[str]]:
    """Return features packed, and the words: plain values, for a process of its own."""
    found = features(Message(head, body), seed)
    return found.pack(), found.words[:MAX_FEATURES]


def _text(message: Message, structure: Structure) -> bytes:
    """Subject and decoded text on one line: what the raw view misses behind long headers or base64."""
    said = [message.subject]
    for kind, text in texts(structure, MAX_SOURCE):
        said.append(strip_html(text) if kind == "text/html" else text)
    return " ".join(" ".join(said).split())[:TEXT_BYTES].encode("utf-8", "replace")[:TEXT_BYTES]
