"""A form out of a settings model: a field is an input with its sentence, its bounds, its fault beside it.

The model is read as the command line and the reference read it (its JSON schema), so a setting that is
added to a check is in the form without a line here. Reading goes the same way back: what was typed
becomes the value that JSON has; what cannot be read is a fault of its field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gatepost.plugin.base import PluginSettings
from gatepost.policy.settings import HIDDEN, is_secret, read_value

LONG_LINES = 12
"""Lines of the tallest box."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input."""

    name: str
    kind: str
    """`flag`, `number`, `choice`, `lines`, `secret`, `json`, `text`; `words`: of `choices`, or a number."""
    text: str
    """What stands in it; "on" for a flag that is set."""
    sentence: str
    label: str = ""
    least: float | None = None
    most: float | None = None
    whole: bool = False
    """Numbers without a fraction."""
    choices: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    """choice -> what it is called, where its own word would not be understood."""
    origin: str = ""
    """Where the value comes from: `default`, `all`, `domain`."""
    fault: str = ""

    @property
    def rows(self) -> int:
        """How tall its box is."""
        return min(LONG_LINES, max(3, self.text.count("\n") + 2))


@dataclass(slots=True)
class Read:
    """What somebody typed."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def fields_of(
    model: type[PluginSettings],
    values: Mapping[str, tuple[Any, str]],
    faults: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    *,
    admin: bool = True,
) -> list[Field]:
    """Return the inputs of a model; `values`: name -> (value, origin); `typed` stands where it was wrong.

    What only an administrator sets is not shown to others.
    """
    schema = model.model_json_schema()
    found = []
    for name, described in schema.get("properties", {}).items():
        if described.get("machine") and not admin:
            continue
        described = _followed(described, schema)
        kind = _kind(name, described)
        value, origin = values.get(name, (described.get("default"), "default"))
        text = typed[name] if typed is not None and name in typed else written(kind, value)
        numeric = described if "anyOf" not in described else described["anyOf"][-1]
        found.append(
            Field(
                name,
                kind,
                text,
                " ".join(str(described.get("description", "")).split()),
                label=name.replace("_", " "),
                least=numeric.get("minimum", numeric.get("exclusiveMinimum")),
                most=numeric.get("maximum"),
                whole=described.get("type") == "integer",
                choices=_choices(described),
                origin=origin,
                fault=(faults or {}).get(name, ""),
            )
        )
    return found


def read(model: type[PluginSettings], form: Mapping[str, str], *, admin: bool = True) -> Read:
    """Return the values that were typed for every field of a model; an unticked flag is False."""
    schema = model.model_json_schema()
    done = Read()
    for name, described in schema.get("properties", {}).items():
        if described.get("machine") and not admin:
            continue
        kind = _kind(name, _followed(described, schema))
        text = form.get(name, "")
        if kind == "secret" and not text:
            continue  # left as it is: it was never shown
        try:
            done.values[name] = value_of(kind, text)
        except ValueError as error:
            done.faults[name] = str(error)
    return done


def value_of(kind: str, text: str) -> Any:
    """Return the value that a text in an input means; ValueError says what is wrong."""
    text = text.strip()
    match kind:
        case "flag":
            return text == "on"
        case "number":
            try:
                number = float(text)
            except ValueError:
                raise ValueError(f"{text!r} is not a number") from None
            return int(number) if number.is_integer() else number
        case "words":
            return read_value(text)
        case "lines":
            return [_item(line.strip()) for line in text.splitlines() if line.strip()]
        case "json":
            try:
                return json.loads(text or "null")
            except ValueError as error:
                raise ValueError(f"that is not JSON: {error}") from None
    return text


def written(kind: str, value: Any) -> str:
    """Return what stands in an input for a value."""
    match kind:
        case "flag":
            return "on" if value else ""
        case "secret":
            return ""
        case "lines" if isinstance(value, list | tuple):
            return "\n".join(one if isinstance(one, str) else _json(one) for one in value)
        case "json":
            return json.dumps(value, indent=1, ensure_ascii=False, default=str)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else "" if value is None else _json(value)


def changed(before: Mapping[str, tuple[Any, str]], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs from what is there: only that is kept, so that defaults stay defaults."""
    return {
        name: value
        for name, value in values.items()
        if name not in before or (_json(value) != _json(before[name][0]) and value != HIDDEN)
    }


def _item(line: str) -> Any:
    if line.startswith("{"):
        try:
            return json.loads(line)
        except ValueError as error:
            raise ValueError(f"{line[:40]!r} is not JSON: {error}") from None
    return line


def _json(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _followed(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a field with what a reference in it says."""
    reference = described.get("$ref")
    if not reference and len(described.get("allOf", ())) == 1:
        reference = described["allOf"][0].get("$ref")
    if not reference:
        return described
    target = schema.get("$defs", {}).get(reference.rpartition("/")[2], {})
    return {**target, **{k: v for k, v in described.items() if k not in ("$ref", "allOf")}}


def _kind(name: str, described: Mapping[str, Any]) -> str:
    if is_secret(name) or described.get("writeOnly"):
        return "secret"
    if "enum" in described:
        return "choice"
    if "anyOf" in described:
        kinds = {one.get("type") for one in described["anyOf"]}
        return "words" if kinds <= {"string", "number", "integer", "null"} else "json"
    kind = described.get("type")
    if kind == "boolean":
        return "flag"
    if kind in ("integer", "number"):
        return "number"
    if kind == "array":
        return "lines"
    return "text" if kind == "string" else "json"


def _choices(described: Mapping[str, Any]) -> tuple[str, ...]:
    if "enum" in described:
        return tuple(str(one) for one in described["enum"])
    return tuple(str(word) for one in described.get("anyOf", ()) for word in one.get("enum", ()))
