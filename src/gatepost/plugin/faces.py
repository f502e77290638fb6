"""One settings model, many faces: what the command line, the forms and the reference page show.

Everything is read from the class: the docstring, the hooks, and each field with its type, its
default, its bounds and the sentence under it. Nothing is written twice, so nothing can be stale.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import Any

from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.hooks import HOOKS, hooks_of
from gatepost.plugin.registry import Loaded
from gatepost.policy.policy import Action, Mode, OnFailure

_SCOPES = {
    Scope.SESSION: "one answer for all domains with equal settings",
    Scope.DOMAIN: "one answer for all recipients of a domain",
    Scope.RECIPIENT: "an answer for each recipient",
    Scope.GATEWAY: "acts for the whole machine; set for all domains only",
}


@dataclass(frozen=True, slots=True)
class Face:
    """One setting as a person sees it."""

    key: str
    """`dnsbl.zones`."""
    kind: str
    """`true or false`, `number`, `text`, `list of ...`, or the values to choose from."""
    default: Any
    sentence: str
    bounds: str = ""
    """`at least 1, at most 86400`."""
    machine: bool = False
    """Only an administrator sets it."""


def switches(plugin: Plugin) -> list[Face]:
    """Return the settings that every plugin has."""
    name = plugin.name
    return [
        Face(
            f"{name}.mode", _choice(Mode), str(plugin.default_mode), "off, watch (run and write down), or on."
        ),
        Face(f"{name}.action", _choice(Action), str(plugin.default_action), "What its refusal becomes."),
        Face(f"{name}.on_failure", _choice(OnFailure), str(plugin.on_failure), "When it cannot answer."),
    ]


def own_settings(plugin: Plugin) -> list[Face]:
    """Return the plugin's own settings."""
    described = schema(plugin)
    definitions = described.get("$defs", {})
    fields = described.get("properties", {})
    defaults = plugin.settings().model_dump(mode="json")
    return [
        Face(
            f"{plugin.name}.{name}",
            _kind(field, definitions),
            defaults[name],
            " ".join(str(field.get("description", "")).split()),
            _bounds(field),
            bool(field.get("machine")),
        )
        for name, field in fields.items()
    ]


def machine_settings(plugin: Plugin) -> frozenset[str]:
    """Return the names of the plugin's own settings that only an administrator sets."""
    return frozenset(
        name
        for name, field in plugin.settings.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("machine")
    )


def schema(plugin: Plugin) -> dict[str, Any]:
    """Return the settings as JSON schema, for forms and the API."""
    return plugin.settings.model_json_schema()


def sentence(plugin: Plugin) -> str:
    """Return the first paragraph of the docstring: what the plugin does."""
    return " ".join(_doc(plugin).partition("\n\n")[0].split())


def why(plugin: Plugin) -> str:
    """Return the rest of the docstring: why it works, and when it errs."""
    return _doc(plugin).partition("\n\n")[2].strip()


def describe(loaded: Loaded) -> dict[str, Any]:
    """Return everything about a plugin as plain values, for `plugin show --json`."""
    plugin = loaded.plugin
    return {
        "name": loaded.name,
        "origin": loaded.origin,
        "error": loaded.error,
        "does": "" if loaded.error else sentence(plugin),
        "why": "" if loaded.error else why(plugin),
        "hooks": [] if loaded.error else list(hooks_of(plugin)),
        "scope": str(plugin.scope),
        "cost": plugin.cost.name.lower(),
        "seconds": plugin.timeout,
        "general allow list": not plugin.unskippable,
        "settings": [
            {
                "key": face.key,
                "type": face.kind,
                "default": face.default,
                "bounds": face.bounds,
                "text": face.sentence,
            }
            for face in (*switches(plugin), *own_settings(plugin))
        ],
    }


def page(loaded: Loaded) -> str:
    """Return the plugin's page of the reference, in Markdown."""
    plugin = loaded.plugin
    lines = [f"## {loaded.name}", "", sentence(plugin), ""]
    if why(plugin):
        lines += [" ".join(part.split()) + "\n" for part in why(plugin).split("\n\n")]
    lines += [f"* **{hook}**: {HOOKS[hook].when}" for hook in hooks_of(plugin)]
    lines.append(f"* scope: {_SCOPES[plugin.scope]}; cost: {plugin.cost.name.lower()}; {plugin.timeout:g} s")
    if plugin.unskippable:
        lines.append("* a general allow entry does not lead past it")
    if plugin.knows_recipients:
        lines.append("* where it refuses, nothing else is asked: the address is nobody's")
    lines += ["", "| setting | values | default | meaning |", "|---|---|---|---|"]
    for face in (*switches(plugin), *own_settings(plugin)):
        values = f"{face.kind}, {face.bounds}" if face.bounds else face.kind
        default = json.dumps(face.default, ensure_ascii=False)
        row = (f"`{face.key}`", values, f"`{default}`", face.sentence)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def reference(loaded: Any) -> str:
    """Return the whole reference of plugins, made from the code."""
    pages = [page(one) for one in loaded if not one.error]
    return "# Plugins\n\nMade from the code by `gatepost.plugin.faces`; do not edit.\n\n" + "\n".join(pages)


def _doc(plugin: Plugin) -> str:
    return inspect.cleandoc(type(plugin).__doc__ or "")


def _choice(kind: Any) -> str:
    return ", ".join(str(one) for one in kind)


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2].lower()
    if "enum" in field:
        return ", ".join(str(one) for one in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(one, definitions) for one in field["anyOf"])
    kind = field.get("type", "any value")
    if kind == "array":
        return f"list of {_kind(field.get('items', {}), definitions)}"
    return _TYPES.get(kind, str(kind))


_TYPES = {"boolean": "true or false", "integer": "whole number", "string": "text", "null": "nothing"}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "pattern": "like {}",
}


def _bounds(field: dict[str, Any]) -> str:
    return ", ".join(text.format(field[word]) for word, text in _BOUNDS.items() if word in field)
