"""Names from the net that become a part of a path, in one place (T3.4, CONTRACT 7).

What a stranger chose (a domain, an id, a mailbox) is never a path by itself: everything but
letters, digits, `-`, `_`, `@`, `+`, `=` and inner dots is written as `%XX`, so `../`, NUL, line ends and
control characters cannot be said. Two different names never give the same one.
"""

from __future__ import annotations

import hashlib
import re

LONGEST = 150
"""Bytes; with endings still far below the 255 that file systems take."""

_PLAIN = re.compile(r"[A-Za-z0-9_@+=-][A-Za-z0-9_@+=.-]{0,149}")
_UNSAFE = re.compile(rb"[^A-Za-z0-9_@+=.-]")


def safe_name(text: str) -> str:
    """Return `text` as one component of a path: never empty, `.`, `..`, hidden, or too long."""
    if _PLAIN.fullmatch(text):
        return text
    raw = text.encode("utf-8", "surrogatepass")
    name = _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], raw).decode("ascii")
    if not name:
        return "%"
    if name[0] == ".":
        name = "%2E" + name[1:]
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 34]}%~{hashlib.sha256(raw).hexdigest()[:32]}"
    return name


def is_safe(name: str) -> bool:
    """Return whether `name` is something that `safe_name` could have made."""
    return (
        0 < len(name) <= LONGEST
        and name[0] != "."
        and name.isascii()
        and all(c.isalnum() or c in "_@+=.-%~" for c in name)
    )
