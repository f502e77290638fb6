"""What a person asked for cannot be done: one clear line each, without a trace.

Whoever talks to the person (command line, console) catches `DeskError` and shows its text; every
other exception is a fault of ours.
"""

from __future__ import annotations


class DeskError(Exception):
    """It cannot be done; the text says why, for the person who asked."""


class NotFound(DeskError):
    """What was named is not there."""


class Conflict(DeskError):
    """Somebody else was faster; what they wrote stands."""
