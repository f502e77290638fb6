"""Tag lists, `a=b; c=d`: signatures, key records, policies (RFC 6376, 3.2).

The same list must not be read in two ways: a tag that stands twice, a name that is none, or a
byte that has no place there makes the whole list unreadable.
"""

from __future__ import annotations

import re
from binascii import Error as BadBase64
from binascii import a2b_base64

MAX_LIST = 16_384
"""Octets of one list."""
MAX_TAGS = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FOLDS = " \t\r\n"
_ODD = re.compile(r"[^\t\r\n -~\x80-\U0010ffff]")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class TagProblem(ValueError):
    """A list that cannot be read, or a value that cannot be; the text says why."""


def read_tags(raw: bytes | str) -> dict[str, str]:
    """Return name -> value, names as written, white space around values taken off."""
    if len(raw) > MAX_LIST:
        raise TagProblem("list of tags is too long")
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    except UnicodeDecodeError:
        raise TagProblem("list of tags is not UTF-8") from None
    if _ODD.search(text):
        raise TagProblem("control character in list of tags")
    specs = text.split(";")
    if not specs[-1].strip(_FOLDS):
        specs.pop()  # one semicolon may stand at the end
    if not specs or len(specs) > MAX_TAGS:
        raise TagProblem("no tags" if not specs else "too many tags")
    tags: dict[str, str] = {}
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip(_FOLDS)
        if not equals or _NAME.fullmatch(name) is None:
            raise TagProblem(f"{spec.strip(_FOLDS)[:40]!r} is not a tag")
        if name in tags:
            raise TagProblem(f"tag {name}= stands twice")
        tags[name] = value.strip(_FOLDS)
    return tags


def unfolded(value: str) -> str:
    """Return a value without any white space, as base64 and lists of names are read."""
    return "".join(value.split())


def base64_value(value: str) -> bytes:
    """Return the octets of a base64 value; TagProblem for what is none."""
    text = unfolded(value)
    if _BASE64.fullmatch(text) is None or len(text) % 4:
        raise TagProblem("value is not base64")
    try:
        return a2b_base64(text)
    except BadBase64:
        raise TagProblem("value is not base64") from None


def without_b(value: bytes) -> bytes:
    """Return a signature's field with the value of b= deleted (RFC 6376, 3.7), all else as it stands."""
    specs = value.split(b";")
    for n, spec in enumerate(specs):
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip(b" \t\r\n") == b"b":
            specs[n] = name + equals
    return b";".join(specs)
