"""Spans of time and moments as people write them: `30d`, `1h`, `1d12h`, `2026-11-23`, `2026-11-23 14:30`.

Moments are read in the machine's local zone (CONTRACT 3); the clock is the caller's.
"""

from __future__ import annotations

import re
import time

from gatepost.desk.errors import DeskError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
LONGEST = 100 * UNITS["y"]

_SPAN = re.compile(r"(?:\d{1,9}[smhdwy])+")
_PART = re.compile(r"(\d+)([smhdwy])")
_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_HELP = "write a span as 30d, 12h, 45m, 2w, or a moment as 2026-11-23 or '2026-11-23 14:30'"


def seconds(text: str) -> int:
    """Return the seconds of a span; DeskError says how to write one."""
    word = text.strip().lower()
    if _SPAN.fullmatch(word) is None:
        raise DeskError(f"{text!r} is not a span of time; write 30d, 12h, 45m, 2w or 1d12h")
    total = sum(int(number) * UNITS[unit] for number, unit in _PART.findall(word))
    if not 0 < total <= LONGEST:
        raise DeskError(f"{text!r} is not a span from one second to a hundred years")
    return total


def moment(text: str) -> float | None:
    """Return the moment (seconds since 1970) that a date in the local zone means, None if it is none."""
    for form in _FORMS:
        try:
            return time.mktime(time.strptime(text.strip(), form))
        except (ValueError, OverflowError):
            continue
    return None


def since(text: str, now: float) -> float:
    """Return the moment a span ago (`1h`), or a date."""
    at = moment(text)
    if at is not None:
        return at
    try:
        return now - seconds(text)
    except DeskError:
        raise DeskError(f"{text!r}: {_HELP}") from None


def until(text: str, now: float) -> float:
    """Return the moment a span from now (`30d`), or a date that is still to come."""
    at = moment(text)
    if at is None:
        try:
            return now + seconds(text)
        except DeskError:
            raise DeskError(f"{text!r}: {_HELP}") from None
    if at <= now:
        raise DeskError(f"{text!r} is over already")
    return at


def spoken(span: float) -> str:
    """Return a span as a person says it, with one or two units: `3d`, `1h05m`, `12s`."""
    left = max(0, int(span))
    for unit, finer in (("d", "h"), ("h", "m"), ("m", "s")):
        if left >= UNITS[unit]:
            whole, rest = divmod(left, UNITS[unit])
            small = rest // UNITS[finer]
            return f"{whole}{unit}{small:02d}{finer}" if small and whole < 10 else f"{whole}{unit}"
    return f"{left}s"
