"""The three presets: careful only watches, usual is each check's own mind, strict asks for more."""

import pytest

from gatepost.policy.policy import Action, Mode
from gatepost.policy.presets import DEFAULT_PRESET, PRESETS
from gatepost.policy.settings import SETTINGS


def test_names() -> None:
    """There are three, and a domain has the usual one."""
    assert list(PRESETS) == ["careful", "usual", "strict"]
    assert SETTINGS["preset"].default == DEFAULT_PRESET == "usual"


@pytest.mark.parametrize(
    ("preset", "plugin", "own", "wanted"),
    [
        ("careful", "dnsbl", Mode.ON, Mode.WATCH),
        ("careful", "rdns", Mode.OFF, Mode.WATCH),
        ("careful", "greylist", Mode.OFF, Mode.OFF),
        ("careful", "early_talker", Mode.ON, Mode.WATCH),
        ("careful", "recipients", Mode.ON, Mode.ON),
        ("careful", "deny_list", Mode.ON, Mode.ON),
        ("usual", "dnsbl", Mode.ON, Mode.ON),
        ("usual", "rdns", Mode.WATCH, Mode.WATCH),
        ("usual", "greylist", Mode.OFF, Mode.OFF),
        ("strict", "helo_name", Mode.OFF, Mode.ON),
        ("strict", "greylist", Mode.OFF, Mode.ON),
        ("strict", "somebodys", Mode.OFF, Mode.OFF),
    ],
)
def test_modes(preset: str, plugin: str, own: Mode, wanted: Mode) -> None:
    """The switch of a check under a preset."""
    assert PRESETS[preset].mode(plugin, own) is wanted


def test_actions() -> None:
    """No preset changes what a check's refusal becomes unless the table says so."""
    assert all(p.action("dnsbl", Action.TAG) is p.actions.get("dnsbl", Action.TAG) for p in PRESETS.values())


def test_values_can_be_set() -> None:
    """What a preset says of core settings would be taken from a person too."""
    for preset in PRESETS.values():
        for key, value in preset.values.items():
            assert SETTINGS[key].check(value) == value
        assert preset.sentence


def test_usual_is_the_contract() -> None:
    """CONTRACT 5: 5, off, 15."""
    assert PRESETS["usual"].values == {
        "score.tag_at": 5.0,
        "score.quarantine_at": "off",
        "score.reject_at": 15.0,
    }
