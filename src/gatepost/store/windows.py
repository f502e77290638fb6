"""Counting within a window that slides, with two numbers for each key.

Time is cut into pieces as long as the window. The count of "the last `window` seconds" is the
piece that runs, and of the one before as large a part as still lies within the window. Exact for
what came in one burst or evenly; off by no more than the piece before otherwise, and never lower
than what came in the piece that runs.
"""

from __future__ import annotations


def bucket_of(now: float, window: float) -> int:
    """Return the number of the piece of time that runs."""
    return int(now // window)


def sliding(now: float, window: float, running: int, before: int) -> int:
    """Return the count of about the last `window` seconds."""
    if not before:
        return running
    part = 1.0 - (now / window - now // window)
    return running + round(before * part)
