"""A plugin describes itself in a few words; all of them have a careful default."""

import pytest

from gatepost.plugin.base import Cost, Plugin, PluginSettings, Scope, snake_case
from gatepost.policy.policy import Action, Mode, OnFailure


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HeloName", "helo_name"),
        ("Dnsbl", "dnsbl"),
        ("DNSBLCheck", "dnsbl_check"),
        ("subject-words", "subject_words"),
        ("already_snake", "already_snake"),
        ("P2PCheck", "p2_p_check"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    """The name of a class is the name of the plugin."""
    assert expected == snake_case(name)


def test_defaults() -> None:
    """A third party's plugin is off, refuses when it is on, lets pass when it fails, and may be led past."""

    class SubjectWords(Plugin):
        """Made for a test."""

    class Named(Plugin):
        """Made for a test."""

        name = "other"

    plugin = SubjectWords()
    assert ("subject_words", "other") == (plugin.name, Named().name)
    assert (Mode.OFF, Action.REJECT, OnFailure.PASS) == (
        plugin.default_mode,
        plugin.default_action,
        plugin.on_failure,
    )
    assert (Scope.DOMAIN, Cost.MEMORY, 10.0) == (plugin.scope, plugin.cost, plugin.timeout)
    assert not plugin.unskippable
    assert plugin.has_work("rcpt", plugin.settings(), None)


def test_settings() -> None:
    """Unknown keys and numbers that are none are errors; settings cannot be changed."""

    class Settings(PluginSettings):
        limit: float = 1.0
        """How many."""

    assert "How many." == Settings.model_fields["limit"].description
    for wrong in ({"limt": 1}, {"limit": "many"}, {"limit": float("nan")}):
        with pytest.raises(ValueError, match=r"1 validation error"):
            Settings.model_validate(wrong)
    with pytest.raises(ValueError, match="frozen"):
        Settings().limit = 2  # type: ignore[misc]
