"""KEY=VALUE: JSON where VALUE is JSON, else the text itself."""

from __future__ import annotations

import click
import pytest

from gatepost.cli.words import one_scope, read_values


def test_read_values() -> None:
    """Numbers, lists and flags as JSON; words, routes and what only looks like JSON as text."""
    said = ["a=1", 'b=["x"]', "c=on", "d=smtp://h:25?tls=off", "e=", "f={", "g=null", "h=a=b", "i=true"]
    assert read_values(said) == {
        "a": 1,
        "b": ["x"],
        "c": "on",
        "d": "smtp://h:25?tls=off",
        "e": "",
        "f": "{",
        "g": None,
        "h": "a=b",
        "i": True,
    }


@pytest.mark.parametrize("words", [["x"], ["=1"], ["a=1", "a=2"]])
def test_bad_words(words: list[str]) -> None:
    """Wrong words are wrong usage."""
    with pytest.raises(click.UsageError):
        read_values(words)


def test_one_scope() -> None:
    """A domain or all domains, not both and not neither."""
    assert one_scope("example.org", False) == "example.org"
    assert one_scope(None, True) is None
    for domain, everywhere in ((None, False), ("example.org", True)):
        with pytest.raises(click.UsageError):
            one_scope(domain, everywhere)
