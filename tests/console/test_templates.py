"""What holds for every template: tables say what they are, and can be scrolled by the keyboard."""

import re

import pytest

from gatepost.console.environment import TEMPLATES

TABLE = re.compile(r"<table\b(?:[^>{]|\{%.*?%\}|\{\{.*?\}\})*>\s*(<caption)?")
SCROLLS = re.compile(r'<div class="wide"( tabindex="0")?>(.*?)</table>', re.DOTALL)
PRESSED = re.compile(r"<a |<button|<input|m\.|parts\.|\{% include|\{\{ [a-z_]+\(")
"""What can have the keyboard's focus, or may bring it."""
NAMES = sorted(path.name for path in TEMPLATES.glob("*.html"))


@pytest.mark.parametrize("name", NAMES)
def test_tables(name: str) -> None:
    """Each table has a caption; one that scrolls has something for the keyboard, or is itself for it."""
    text = (TEMPLATES / name).read_text()
    assert [] == [found[0] for found in TABLE.finditer(text) if not found[1]]
    assert [] == [
        found[2][:80] for found in SCROLLS.finditer(text) if not found[1] and not PRESSED.search(found[2])
    ]
