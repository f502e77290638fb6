"""What a settings model says of a wrong value, in words for the person who typed it.

A model (pydantic's) tells each fault as a mapping: `type`, `msg`, `input`, `ctx`. Its sentences are for
programmers ("Input should be a valid tuple"); here they name the value that was given and one
that would do. Pure, and without pydantic: a mapping in, a sentence out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

OWN_WORDS = "Value error, "
"""What pydantic puts before the sentence of a validator of ours."""
MAX_SHOWN = 60
_LISTS = ("tuple_type", "list_type", "set_type", "frozen_set_type")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "dict": "a table: {...}",
    "model": "a table: {...}",
}
_FIELDS = {"missing": "is missing", "extra_forbidden": "there is no such field"}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def in_words(fault: Mapping[str, Any], *, secret: bool = False) -> str:
    """Return what is wrong and what would be right; the value is not shown where it is a secret."""
    kind, message = str(fault["type"]), str(fault["msg"]).removeprefix(OWN_WORDS)
    value, more = fault.get("input"), fault.get("ctx") or {}
    if kind in _FIELDS:
        return _FIELDS[kind]
    given = "it" if secret else _given(value)
    if kind in _LISTS:
        one = "ENTRY" if secret or not isinstance(value, str | int | float) else value
        return f"{given} is not a list; write {json.dumps([one], ensure_ascii=False)}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{given} is out of bounds; allowed: {words} {more.get(key, '?')}"
    if kind in ("literal_error", "enum"):
        return f"{given} is not one of its values; allowed: {_plain(more.get('expected', '?'))}"
    wanted = (
        _KINDS.get(kind.partition("_")[0]) if kind.endswith(("_type", "_parsing", "_from_float")) else None
    )
    return f"{given} is not {wanted}" if wanted else message


def _given(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _plain(expected: object) -> str:
    return str(expected).replace("'", "").replace(" or ", ", ")
