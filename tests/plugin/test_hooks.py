"""What is misspelt in a plugin is found when it is loaded, with a suggestion; good plugins pass."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.plugin.base import Plugin, PluginSettings, Scope
from gatepost.plugin.hooks import HOOKS, faults, hooks_of, suggestion
from tests.plugin.stage import make_plugin


def hook(_self: Plugin, _ctx: Any) -> None:
    """No opinion."""


def test_good() -> None:
    """A docstring and one hook are a plugin; each of the eight hooks may be it."""
    for name in HOOKS:
        assert [] == faults(make_plugin(**{name: hook}))
        assert (name,) == hooks_of(make_plugin(**{name: hook}))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("header", "headers"),
        ("mesage", "message"),
        ("conect", "connect"),
        ("hello", "helo"),
        ("recpt", "rcpt"),
    ],
)
def test_misspelt_hook(name: str, meant: str) -> None:
    """The sentence of ARCHITECTURE 4c: `SubjectWords.header is not a hook; did you mean 'headers'?`."""
    (said,) = faults(make_plugin("SubjectWords", **{name: hook, "done": hook}))
    assert f"SubjectWords.{name} is not a hook; did you mean {meant!r}?" == said


def test_helper_without_underscore() -> None:
    """A public method that is like no hook is told how to be called."""
    (said,) = faults(make_plugin(rcpt=hook, calculate_everything=hook))
    assert "Probe.calculate_everything is not a hook; the name of a helper begins with an underscore" == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"setting": PluginSettings}, "Probe.setting is not a setting of a plugin; did you mean 'settings'?"),
        ({"timout": 3}, "Probe.timout is not a setting of a plugin; did you mean 'timeout'?"),
        (
            {"scope": "sesion"},
            "is none of 'session', 'domain', 'recipient', 'gateway'; did you mean 'session'?",
        ),
        ({"default_mode": "onn"}, "Probe.default_mode 'onn' is none of 'off', 'watch', 'on'"),
        ({"on_failure": "reject"}, "Probe.on_failure 'reject' is none of 'pass', 'defer'"),
        ({"timeout": 0}, "Probe.timeout 0 must be more than 0"),
        ({"timeout": 3600}, "at most 60 seconds"),
        ({"cost": 1}, "Probe.cost must be one of Cost.MEMORY"),
        ({"unskippable": "yes"}, "Probe.unskippable must be True or False"),
        ({"needs": "Spf"}, "Probe.needs must be a tuple of types"),
        ({"settings": dict}, "Probe.settings must be a class made from PluginSettings"),
        ({"name": "My Plugin"}, "must be lower-case letters"),
        ({"public": "two\r\nlines"}, "must be one printable sentence"),
        ({"__doc__": ""}, "has no docstring"),
        ({"rcpt": 5}, "Probe.rcpt must be a method"),
        ({"rcpt": lambda _self: None}, "Probe.rcpt must take one argument, the context"),
        ({"scope": Scope.GATEWAY, "message": hook}, "Probe.message cannot be asked under Scope.GATEWAY"),
    ],
)
def test_wrong_words(words: dict[str, Any], said: str) -> None:
    """A misspelt or impossible word is a sentence that names it."""
    found = faults(make_plugin(**{"rcpt": hook, **words}))
    assert any(said in one for one in found), found


def test_generator() -> None:
    """A hook returns; it does not yield."""

    def rcpt(_self: Plugin, _ctx: Any) -> Any:
        yield None

    assert ["Probe.rcpt must return its verdict, not yield it"] == faults(make_plugin(rcpt=rcpt))


def test_no_hook() -> None:
    """A plugin without a hook is never asked, so it is a mistake."""
    (said,) = faults(make_plugin())
    assert said.startswith("Probe has no hook; the hooks are address, connect, helo, mail, rcpt")


def test_settings() -> None:
    """Every setting has a default that is valid, and none takes the name of a switch."""

    class NoDefault(PluginSettings):
        words: tuple[str, ...]

    class Wrong(PluginSettings):
        limit: int = "many"  # type: ignore[assignment]

    class Taken(PluginSettings):
        mode: str = "fast"

    assert ["Probe: default of words: Field required"] == faults(make_plugin(rcpt=hook, settings=NoDefault))
    assert (
        "Probe: default of limit: Input should be a valid integer"
        in faults(make_plugin(rcpt=hook, settings=Wrong))[0]
    )
    assert ["Probe: a setting cannot be called 'mode', every plugin has that key"] == faults(
        make_plugin(rcpt=hook, settings=Taken)
    )


def test_suggestion() -> None:
    """Only near words are suggested."""
    assert "; did you mean 'zones'?" == suggestion("zone", ["zones", "threshold"])
    assert "" == suggestion("elephant", ["zones", "threshold"])
