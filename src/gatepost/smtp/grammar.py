"""Small pieces of grammar that commands share: xtext, esmtp parameters, what may stand in a line."""

from __future__ import annotations

import re

from gatepost.mail.reply import Reply
from gatepost.smtp.errors import CommandError

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_XCHAR = re.compile(r"\+([0-9A-F]{2})")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([!-<>-~]+))?")
"""esmtp-param of RFC 5321, 4.1.2."""
MAX_PARAMETERS = 20

CONTROL = Reply(500, "5.5.2", "Control or 8-bit character in command")
SYNTAX = Reply(501, "5.5.4", "Syntax error in parameters")
TWICE = Reply(501, "5.5.4", "Parameter given twice")


def is_xtext(text: str) -> bool:
    """Return whether text is xtext (RFC 3461, 4)."""
    return _XTEXT.fullmatch(text) is not None


def from_xtext(text: str) -> str | None:
    """Return what xtext means, None if it is none. What was UTF-8 is UTF-8 again."""
    if _XTEXT.fullmatch(text) is None:
        return None
    if "+" not in text:
        return text
    raw = _XCHAR.sub(lambda match: chr(int(match[1], 16)), text).encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def to_xtext(text: str) -> str:
    """Return text as xtext: everything but printable ASCII, and `+` and `=`, as `+XX` of its UTF-8."""
    if text.isalnum() and text.isascii():
        return text
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}"
        for octet in text.encode("utf-8", "replace")
    )


def parameters(rest: bytes) -> dict[str, str | None]:
    """Return the parameters behind a path: upper-case keyword -> value, None if it has none."""
    out: dict[str, str | None] = {}
    if not rest:
        return out
    if not rest.isascii():
        raise CommandError(CONTROL)
    text = rest.decode("ascii")
    if not text.startswith(" "):
        raise CommandError(SYNTAX)
    words = text.split()
    if len(words) > MAX_PARAMETERS:
        raise CommandError(SYNTAX)
    for word in words:
        match = _PARAMETER.fullmatch(word)
        if match is None:
            raise CommandError(SYNTAX)
        name = match[1].upper()
        if name in out:
            raise CommandError(TWICE)
        out[name] = match[2]
    return out


def is_clean(line: bytes, *, utf8: bool = False) -> bool:
    """Return whether a command line holds printable ASCII only (or UTF-8 too, where asked)."""
    if line.isascii():
        return line.decode("ascii").isprintable()
    if not utf8:
        return False
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(octet < 32 or octet == 127 for octet in line)
