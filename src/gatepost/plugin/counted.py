"""How a counted or dated address is read: `word.5.user`, `user.5.word`, `word.2026-12-24.user`.

Pure: a local part in, its possible readings out, the likeliest first; who asks picks the first one
whose user exists. The rules are those of spamgourmet and of the qpsmtpd plugin of the same name:
a letter is a number (`c` is 3), `+` (or `sender`) belongs to the first sender alone, `*` (or
`domain`) to the first sender's domain. What is kept about an address that was used is here too,
because the check writes it and the owner reads and changes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from gatepost.mail.address import MAX_LOCAL

WORD = 20
"""Characters of a word that count; the rest is cut off."""
MAX_READINGS = 24
"""Readings of one local part that are looked at: it may be all dots and counts."""
NO_LIMIT = 1_000_000_000
"""The count of an address that is dated or belongs to one sender: only so that its uses are known."""
SEPARATORS = frozenset(".~_-=+")
"""What may stand between the parts."""
KEYS = "at "
"""How the keys of addresses begin."""
EXCLUSIVE = {"+": "sender", "sender": "sender", "*": "domain", "domain": "domain"}

_NUMBER = re.compile(r"[0-9]{1,4}")
_LETTER = re.compile(r"[a-z]")
_DATE = re.compile(r"(?<![0-9])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")
_JOINED = "\x00"
"""Stands for the dashes of a date while a local part is split at dashes."""


@dataclass(frozen=True, slots=True)
class Count:
    """What stands where the count stands."""

    number: int = 0
    until: date | None = None
    """The last day on which the address is good."""
    only: str = ""
    """`sender` or `domain`: good for the first one alone."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which a local part is a counted address."""

    user: str
    word: str
    count: Count | None
    """None: none was given, the user's own number holds."""
    prefix: str = ""
    separator: str = "."

    @property
    def key(self) -> str:
        """Under which its record and its count are kept: both orders of one word are one address."""
        return key_of(self.user, self.word)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept about an address that was used, or that its owner closed."""

    limit: int
    """So many mails; `NO_LIMIT` where it is not counted."""
    until: float | None = None
    """Seconds since 1970."""
    only: str = ""
    """`bob@example.net` or `@example.net`: mail of others is refused."""
    made: float = 0.0
    by: str = ""
    """The sender of the first mail, or the person who made it."""
    address: str = ""
    """As it was written first."""
    closed: bool = False
    before: int = 0
    """Uses that no longer count: the owner reset it."""
    changed: str = ""
    """Who reset or closed it last."""

    def record(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def last_day(self) -> date | None:
        """The last day on which a dated address is good."""
        return None if self.until is None else datetime.fromtimestamp(self.until - 1).date()

    def left(self, used: int) -> int | None:
        """Return how many mails it still takes, None where it is not counted."""
        return None if self.limit >= NO_LIMIT else max(0, self.limit - (used - self.before))

    def over(self, used: int, now: float) -> str:
        """Return in words why it takes no mail any more, "" where it does."""
        if self.closed:
            return "closed by its owner"
        if self.until is not None and now >= self.until:
            return "its date is over"
        return "used up" if self.left(used) == 0 else ""

    def reset(self, used: int, limit: int | None, by: str) -> Kept:
        """Return it as new: all uses are ahead again, and it is open."""
        return replace(self, closed=False, before=used, limit=limit or self.limit, changed=by)


def kept(record: Any) -> Kept | None:
    """Return what a stored record says, None for one that cannot be read."""
    if not isinstance(record, Mapping):
        return None
    known = {name: record[name] for name in Kept.__slots__ if name in record}
    if not isinstance(known.get("limit"), int):
        return None
    return Kept(**known)


def key_of(user: str, word: str) -> str:
    """Return the key of an address of a user."""
    return f"{prefix_of(user)}{word[:WORD]}"


def prefix_of(user: str) -> str:
    """Return how the keys of all addresses of a user begin."""
    return f"{KEYS}{user} "


def parts_of(key: str) -> tuple[str, str] | None:
    """Return user and word of a key, None for a key of something else."""
    user, space, word = key.removeprefix(KEYS).partition(" ")
    return (user, word) if key.startswith(KEYS) and space else None


def parse_count(text: str) -> Count | None:
    """Read a number, a letter, a date, `+`, `*`, `sender` or `domain`; None: it is no count."""
    if text in EXCLUSIVE:
        return Count(only=EXCLUSIVE[text])
    if _NUMBER.fullmatch(text):
        return Count(int(text))
    if _LETTER.fullmatch(text):
        return Count(ord(text) - ord("a") + 1)
    found = _DATE.fullmatch(text.replace(_JOINED, "-"))
    if found is None:
        return None
    try:
        return Count(until=date(int(found[1]), int(found[2]), int(found[3])))
    except ValueError:
        return None


def end_of(day: date) -> float:
    """Return the moment at which a day ends, in the machine's zone."""
    return datetime.combine(day + timedelta(days=1), time.min).timestamp() if day < date.max else float("inf")


def readings(local: str, separators: Iterable[str]) -> list[Reading]:
    """Return the ways in which a folded local part is a counted address, the likeliest first."""
    found: list[Reading] = []
    for separator in separators:
        if separator in local:
            if any(c.isspace() or c == _JOINED for c in local):
                return []
            found += islice(_readings(local, separator), MAX_READINGS)
    if not found:
        return found
    # A count that was written goes before one that was left out.
    found.sort(key=lambda reading: reading.count is None)
    return found[:MAX_READINGS]


def _readings(local: str, separator: str) -> Iterator[Reading]:
    if separator == "-":
        local = _DATE.sub(rf"\1{_JOINED}\2{_JOINED}\3", local)
    parts = local.split(separator)
    if len(parts) > MAX_LOCAL or not all(parts):
        return
    for at in range(1, len(parts)):
        count = parse_count(parts[at])
        if count is None:
            continue
        before, behind = parts[:at], parts[at + 1 :]
        if behind and len(before) <= 2:  # word.5.user, prefix.word.5.user
            yield _reading(behind, before, count, separator)
        if 1 <= len(behind) <= 2:  # user.5.word, user.5.prefix.word
            yield _reading(before, behind, count, separator)
        if not behind:  # user.word.5, user.prefix.word.5
            for words in (1, 2):
                if len(before) > words:
                    yield _reading(before[:-words], before[-words:], count, separator)
    for words in (1, 2):  # word.user, prefix.word.user
        if len(parts) > words:
            yield _reading(parts[words:], parts[:words], None, separator)


def _reading(user: list[str], words: list[str], count: Count | None, separator: str) -> Reading:
    prefix, word = words if len(words) == 2 else ("", words[0])
    plain = [part.replace(_JOINED, "-") for part in (separator.join(user), word[:WORD], prefix)]
    return Reading(plain[0], plain[1], count, plain[2], separator)
