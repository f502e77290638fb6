"""Read the moment that a header names: Date, the end of Received, the first line of an mbox.

Lenient where programs have always been (no seconds, no zone, a two-digit year), and None for what
is no moment; never more than the first `LONGEST` characters are looked at.
"""

from __future__ import annotations

import calendar
import re

LONGEST = 200
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_MONTH = "(" + "|".join(MONTHS) + ")"
_RFC5322 = re.compile(
    rf"\b(\d{{1,2}})\s+{_MONTH}\s+(\d{{2,4}})\s+{_TIME}(?:\s+([+-])(\d{{2}})(\d{{2}}))?", re.ASCII
)
"""RFC 5322, 3.3; its obsolete zones by name (4.3) are taken as UTC."""
_ASCTIME = re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})\s+{_TIME}\s+(\d{{4}})", re.ASCII)
"""RFC 4155: the first line of a message in an mbox ends so, in UTC."""


def parse_date(text: str) -> float | None:
    """Return seconds since 1970 of the first moment in a text, None if there is none."""
    text = text[:LONGEST].lower()
    found = _RFC5322.search(text)
    if found is not None:
        day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
        shift = (int(hours) * 60 + int(minutes)) * 60 if sign else 0
        moment = _moment(year, month, day, hour, minute, second)
        return None if moment is None else moment - (shift if sign == "+" else -shift)
    found = _ASCTIME.search(text)
    if found is None:
        return None
    month, day, hour, minute, second, year = found.groups()
    return _moment(year, month, day, hour, minute, second)


def _moment(year: str, month: str, day: str, hour: str, minute: str, second: str | None) -> float | None:
    number = int(year)
    if len(year) < 4:  # RFC 5322, 4.3
        number += 2000 if number < 50 else 1900
    parts = (number, MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second or 0))
    if not (number >= 1970 and 1 <= parts[2] <= 31 and parts[3] < 24 and parts[4] < 60 and parts[5] <= 60):
        return None
    return float(calendar.timegm(parts))
