"""Reads Authentication-Results (RFC 8601, 2.2): who wrote it, and which results it holds.

Needed twice: to find forged fields in our own name, and to see what a trusted sealer saw (RFC
8617). Bounded and linear; comments are skipped at any depth up to a bound, quoted strings are
read as what they mean. What cannot be read is None, and the caller takes the careful side.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_VALUE = 16_384
MAX_RESULTS = 100
MAX_DEPTH = 20

_TOKEN = re.compile(r"[^\s()\";=,\\]++")
_BEHIND = re.compile(r"[^\s()\";,\\]++")
"""A value: much software writes `smtp.mailfrom=SRS0=x=y` and `header.b=abc==` without quotes."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(@[^\s()\";,\\]++)?', re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_COMMENT = re.compile(r"[^()\\]++|\\.|[()]", re.DOTALL)
_BLANK = re.compile(r"\s++")

Properties = tuple[tuple[str, str], ...]


class Results(NamedTuple):
    """One field."""

    authserv_id: str
    """Lower case, quotes undone."""
    results: tuple[tuple[str, str, Properties], ...]
    """(method, result, properties), methods and results in lower case."""


class _Unreadable(ValueError):
    pass


def read_results(value: str) -> Results | None:
    """Return what a field holds, None for what cannot be read."""
    try:
        words = _words(value[: MAX_VALUE + 1])
        at, authserv_id = _value(words, 0)
        if at < len(words) and words[at] != ";":
            at += 1  # the version
        return Results(authserv_id.lower(), tuple(_resinfos(words, at)))
    except _Unreadable:
        return None


def read_authserv_id(value: str) -> str | None:
    """Return only who wrote a field, lower case; None when even that cannot be read."""
    try:
        words = _words(value[:MAX_VALUE], first=True)
        return _value(words, 0)[1].lower()
    except _Unreadable:
        return None


def _words(value: str, *, first: bool = False) -> list[str]:
    """Return tokens, quoted strings (with a quote in front) and the marks `;` and `=`."""
    if len(value) > MAX_VALUE:
        raise _Unreadable
    words: list[str] = []
    at, end = 0, len(value)
    while at < end:
        c = value[at]
        if c.isspace():
            match = _BLANK.match(value, at)
            assert match is not None
            at = match.end()
        elif c == "(":
            at = _after_comment(value, at)
        elif c == ";" or (c == "=" and words[-1:] != ["="]):
            words.append(c)
            at += 1
        elif c == '"':
            quoted = _QUOTED.match(value, at)
            if quoted is None:
                raise _Unreadable
            words.append('"' + _PAIR.sub(r"\1", quoted[1]) + (quoted[2] or ""))
            at = quoted.end()
        else:
            token = (_BEHIND if words[-1:] == ["="] else _TOKEN).match(value, at)
            if token is None:
                raise _Unreadable
            words.append(token[0])
            at = token.end()
        if first and words:
            break
    return words


def _after_comment(value: str, at: int) -> int:
    depth = 0
    for match in _COMMENT.finditer(value, at):
        if match[0] == "(":
            depth += 1
            if depth > MAX_DEPTH:
                raise _Unreadable
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                return match.end()
    raise _Unreadable


def _value(words: list[str], at: int) -> tuple[int, str]:
    if at >= len(words) or words[at] in (";", "="):
        raise _Unreadable
    word = words[at]
    return at + 1, word[1:] if word[0] == '"' else word


def _resinfos(words: list[str], at: int) -> list[tuple[str, str, Properties]]:
    found: list[tuple[str, str, Properties]] = []
    for info in _parts(words, at):
        if len(info) == 1 and info[0].lower() == "none":
            continue
        pairs = _pairs(info)
        if not pairs or len(found) >= MAX_RESULTS:
            raise _Unreadable
        method, result = pairs[0]
        found.append((method.lower().partition("/")[0], result.lower(), tuple(pairs[1:])))
    return found


def _parts(words: list[str], at: int) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words[at:]:
        if word == ";":
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def _pairs(info: list[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(info):
        at, name = _value(info, at)
        if at < len(info) and info[at] == "=":
            at, value = _value(info, at + 1)
            pairs.append((name.lower(), value))
        else:
            raise _Unreadable
    return pairs
