"""The words for completion are the right ones, though no check is loaded for them."""

from __future__ import annotations

import subprocess
import sys

from gatepost.desk.desk import Desk
from gatepost.desk.keys import plugin_words, setting_words
from gatepost.policy.settings import known_keys


def test_words_are_keys(desk: Desk) -> None:
    """Every word offered can be set, and every shipped check is offered."""
    assert set(setting_words()) <= set(known_keys(desk.registry.defaults()))
    assert set(plugin_words()) == {one.name for one in desk.registry}


def test_no_check_is_loaded() -> None:
    """A shell completes while somebody types: no pydantic."""
    code = "import sys, gatepost.desk.keys as k; k.setting_words(); assert 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
