"""The words that can stand before `=`: for completion, without loading a single check."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import gatepost
from gatepost.policy.settings import SETTINGS

SWITCHES = ("mode", "action", "on_failure")

Words = list[str]


def plugin_words() -> Words:
    """Return the names of the shipped checks, read from their files' names."""
    folder = Path(gatepost.__file__).parent / "plugins"
    return [m.name for m in pkgutil.iter_modules([str(folder)]) if not m.name.startswith("_")]


def setting_words() -> Words:
    """Return the core settings and the switches of the shipped checks."""
    return [*SETTINGS, *(f"{name}.{switch}" for name in plugin_words() for switch in SWITCHES)]
