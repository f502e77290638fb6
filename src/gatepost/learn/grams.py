"""The raw views: overlapping windows of four bytes, of the message as received and of its decoded text.

They need no idea of what a word, a header or a language is, and see what a parser would throw away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]
"""Distinct 32-bit hashes of a message's features in one view."""

RAW_BYTES = 3_000
"""More of the message only blurs the picture (reference/classifier.md)."""
TEXT_BYTES = 4_000


def grams(data: bytes, seed: int) -> Hashes:
    """Return the hashes of the distinct windows of four bytes."""
    if len(data) < 4:
        return np.zeros(0, np.uint32)
    b = np.frombuffer(data, np.uint8).astype(np.uint32)
    v = b[:-3] | b[1:-2] << np.uint32(8) | b[2:-1] << np.uint32(16) | b[3:] << np.uint32(24)
    return mixed(np.unique(v), seed)


def mixed(values: Hashes, seed: int) -> Hashes:
    """Spread 32-bit values over all 32 bits, one to one (so that distinct ones stay distinct)."""
    v = values ^ np.uint32(seed & 0xFFFFFFFF)
    v ^= v >> np.uint32(16)
    v *= np.uint32(0x7FEB352D)
    v ^= v >> np.uint32(15)
    v *= np.uint32(0x846CA68B)
    v ^= v >> np.uint32(16)
    return v
