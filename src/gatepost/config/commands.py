"""The kind of value of `[scanner.commands.NAME]`: filters that run as commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gatepost.config.problems import BadValue, nearest
from gatepost.config.values import SIZE, STRING, Kind, count, seconds
from gatepost.policy.commands import SIDES, Command

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_SHORTEST = Command("", ())


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise BadValue('not a list of program and arguments, such as ["bogofilter", "-d", "{data}"]')
    if any("\0" in word for word in value):
        raise BadValue("a NUL cannot stand in a command")
    return tuple(value)


def _exits(value: Any) -> Mapping[int, Any]:
    if not isinstance(value, dict) or not all(
        status.isdecimal() and int(status) < 256 and side in SIDES for status, side in value.items()
    ):
        raise BadValue(
            'not a table of exit status = spam, ham or unsure, such as {"0" = "spam", "1" = "ham"}'
        )
    return MappingProxyType({int(status): side for status, side in value.items()})


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadValue("not a number")
    return float(value)


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "classify": _words,
    "spam": _words,
    "ham": _words,
    "prepare": _words,
    "exits": _exits,
    "pattern": STRING.read,
    "spam_from": _number,
    "ham_to": _number,
    "seconds": seconds(0.1, 120).read,
    "processes": count(1, 64).read,
    "memory": SIZE.read,
    "max_size": SIZE.read,
}


def _read_command(name: str, value: Any) -> Command:
    if not _NAME.fullmatch(name):
        raise BadValue(f"{name!r:.80}: a name has small letters, digits, - and _")
    if not isinstance(value, dict):
        raise BadValue(f"{name} is not a table with classify = [...]")
    given: dict[str, Any] = {}
    for key, inner in value.items():
        if key not in _FIELDS:
            raise BadValue(f"{name}.{key} is unknown", nearest(key, _FIELDS))
        try:
            given[key] = _FIELDS[key](inner)
        except BadValue as error:
            raise BadValue(f"{name}.{key}: {error}") from None
    if not given.get("classify"):
        raise BadValue(f"{name}.classify is missing: the program that is asked, with its arguments")
    command = Command(name, **given)
    if command.pattern:
        try:
            groups = command.compiled.groupindex
        except ValueError as error:
            raise BadValue(f"{name}.pattern: {error}") from None
        if not {"verdict", "score"} & set(groups):
            raise BadValue(f"{name}.pattern needs a group (?P<verdict>...) or (?P<score>...)")
    elif not command.exits:
        raise BadValue(f"{name} needs exits or a pattern: how does it say what it thinks?")
    return command


def _read(value: Any) -> Mapping[str, Command]:
    if not isinstance(value, dict):
        raise BadValue("not a table of commands by name")
    return MappingProxyType({name: _read_command(name, inner) for name, inner in value.items()})


def _write(commands: Mapping[str, Command]) -> dict[str, dict[str, Any]]:
    """Return what was said, as in the file; defaults are left out."""
    return {
        name: {
            key: _plain(getattr(command, key))
            for key in _FIELDS
            if getattr(command, key) != getattr(_SHORTEST, key)
        }
        for name, command in commands.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): inner for key, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


COMMANDS: Kind[Mapping[str, Command]] = Kind(
    f"a table for each filter, with {', '.join(_FIELDS)}",
    _read,
    dict,
    _write,
)
