"""Every face of a setting is made from the one model; nothing in it is missing or written twice."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from gatepost.plugin.base import PluginSettings
from gatepost.plugin.faces import describe, own_settings, page, reference, schema, sentence, switches, why
from gatepost.plugin.registry import Registry, load
from tests.plugin.stage import counting, make_plugin


class Settings(PluginSettings):
    """Of every kind."""

    words: tuple[str, ...] = Field(default=("casino",), max_length=9)
    """Words that
    are refused."""
    limit: int = Field(default=3, ge=1, le=10)
    """How many."""
    mark: float | None = None
    """Points, or nothing."""
    kind: Literal["fast", "slow"] = "fast"
    """Which | way."""
    deep: bool = True
    """Look deeper."""


DOC = """Look for words.

    Say why it works.

    And when it errs.
    """
PLUGIN = make_plugin("SubjectWords", settings=Settings, headers=counting()[0], __doc__=DOC)()
REGISTRY = Registry([("subject_words", PLUGIN, "file", "")])


def test_settings() -> None:
    """Key, type, default, sentence and bounds of each field."""
    found = [(f.key, f.kind, f.default, f.sentence, f.bounds) for f in own_settings(PLUGIN)]
    assert [
        ("subject_words.words", "list of text", ["casino"], "Words that are refused.", "at most 9"),
        ("subject_words.limit", "whole number", 3, "How many.", "at least 1, at most 10"),
        ("subject_words.mark", "number or nothing", None, "Points, or nothing.", ""),
        ("subject_words.kind", "fast, slow", "fast", "Which | way.", ""),
        ("subject_words.deep", "true or false", True, "Look deeper.", ""),
    ] == found


def test_switches() -> None:
    """The three that every plugin has, with the author's defaults."""
    assert [
        ("subject_words.mode", "off, watch, on", "on"),
        ("subject_words.action", "reject, quarantine, defer, tag", "reject"),
        ("subject_words.on_failure", "pass, defer", "pass"),
    ] == [(f.key, f.kind, f.default) for f in switches(PLUGIN)]


def test_docstring() -> None:
    """The first paragraph says what, the rest why."""
    assert "Look for words." == sentence(PLUGIN)
    assert "Say why it works.\n\nAnd when it errs." == why(PLUGIN)


def test_page() -> None:
    """A page of the reference: heading, texts, hooks, and a row for each setting that Markdown can read."""
    text = page(REGISTRY["subject_words"])
    assert text.startswith("## subject_words\n\nLook for words.\n")
    assert "* **headers**: the message has come; its headers are read" in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert 8 == len(rows)
    assert (
        '| `subject_words.words` | list of text, at most 9 | `["casino"]` | Words that are refused. |' in rows
    )
    assert "Which \\| way." in text


def test_describe() -> None:
    """Everything as plain values, also of a plugin that did not load."""
    said = describe(REGISTRY["subject_words"])
    assert said == json.loads(json.dumps(said))
    assert ["headers"] == said["hooks"]
    assert 8 == len(said["settings"])
    from gatepost.plugin.registry import BrokenPlugin

    broken = BrokenPlugin("SyntaxError: no")
    (loaded,) = Registry([("bad", broken, "bad.py", "SyntaxError: no")])
    assert ("SyntaxError: no", "", []) == (
        describe(loaded)["error"],
        describe(loaded)["does"],
        describe(loaded)["hooks"],
    )


def test_schema() -> None:
    """JSON schema for forms and the API."""
    found = schema(PLUGIN)
    assert {"words", "limit", "mark", "kind", "deep"} == set(found["properties"])
    assert found["additionalProperties"] is False


def test_reference() -> None:
    """The whole reference has a page for each shipped plugin."""
    text = reference(load(entries=False))
    for name in ("client_rate", "deny_list", "dnsbl", "helo_name", "recipients"):
        assert f"## {name}\n" in text
