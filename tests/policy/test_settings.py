"""Settings: what may be set where, and what is said of a wrong value."""

import pytest

from gatepost.policy.settings import (
    SETTINGS,
    SettingError,
    check_setting,
    check_settings,
    known_keys,
    plugin_error,
    plugin_fields,
    read_value,
)
from tests.policy.dnsbl import DEFAULTS, Settings


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("route", "smtp://10.0.0.5:25", ["smtp://10.0.0.5:25"]),
        ("route", ["smtp://a:25", "lmtp:///run/lmtp"], ["smtp://a:25", "lmtp:///run/lmtp"]),
        ("recipients", "callout", "callout"),
        ("refuse_at", "rcpt", "rcpt"),
        ("score.tag_at", 3, 3.0),
        ("score.quarantine_at", "off", "off"),
        ("keep_days", 7, 7),
        ("bypass", "on", True),
        ("subjects", False, False),
        ("why.page", "on", True),
        ("digest", "weekly", "weekly"),
        ("digest.hour", 0, 0),
        ("digest.to", "ann, bob@example.org ann", ["ann", "bob@example.org"]),
        ("digest.to", [], []),
        ("digest.language", "de", "de"),
        ("digest.zone", "Europe/Berlin", "Europe/Berlin"),
        ("dnsbl.mode", "watch", "watch"),
        ("dnsbl.mode", True, "on"),
        ("dnsbl.action", "tag", "tag"),
        ("dnsbl.on_failure", "defer", "defer"),
        ("dnsbl.zones", ["zen.example"], ["zen.example"]),
    ],
)
def test_what_can_be_set(key: str, value: object, kept: object) -> None:
    """The value as it is kept."""
    assert check_settings({key: value}, DEFAULTS) == {key: kept}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("recipient", "list", ["no such setting", "did you mean 'recipients'"]),
        ("recipients", "lst", ["'lst'", "list, callout, any", "did you mean 'list'"]),
        ("dnsbl.mod", "on", ["no such setting", "'dnsbl.mode'"]),
        ("dnsbl.mode", "onn", ["off, watch, on", "did you mean 'on'"]),
        ("dnsbl.action", "bounce", ["reject, quarantine, defer, tag"]),
        ("dnsbl.zone", [], ["did you mean 'dnsbl.zones'"]),
        ("dnsbl.zones", "zen", ["dnsbl.zones", "list"]),
        ("dnsbl.zones", ["a", 5], ["zones.1", "text"]),
        ("dnsbl", "on", ["no such setting"]),
        ("nosuch.mode", "on", ["no such setting"]),
        ("keep_days", 0, ["1 to 3650"]),
        ("keep_days", True, ["1 to 3650"]),
        ("keep_days", "30", ["'30'"]),
        ("score.reject_at", -1, ["more than 0"]),
        ("score.reject_at", float("nan"), ["number of points"]),
        ("digest", "hourly", ["off, daily, weekly"]),
        ("digest.hour", 24, ["0 to 23"]),
        ("digest.hour", True, ["0 to 23"]),
        ("digest.to", ["a b"], ["'a b' is not a mailbox"]),
        ("digest.to", ["x\r\nBcc: y"], ["not a mailbox"]),
        ("digest.to", [5], ["not a list of mailboxes"]),
        ("digest.to", [f"u{n}" for n in range(21)], ["more than 20"]),
        ("digest.language", "../de", ["en, de"]),
        ("digest.zone", "../../etc/passwd", ["not the name of a time zone"]),
        ("digest.zone", 5, ["not the name of a time zone"]),
        ("route", "http://a", ["not a route", "smtp+mx://domain"]),
        ("route", [], ["at least one route"]),
        ("route", ["smtp://a\r\n:25"], ["unprintable"]),
        ("route", ["smtp://a"] * 21, ["more than 20"]),
        ("bypass", "perhaps", ["neither on nor off"]),
        ("client_rate.mode", "off", ["whole machine", "all domains"]),
    ],
)
def test_what_cannot(key: str, value: object, words: list[str]) -> None:
    """The error names the key, the reason, what is allowed and what was probably meant."""
    with pytest.raises(SettingError) as caught:
        check_settings({key: value}, DEFAULTS)
    text = str(caught.value)
    assert key.split(".", maxsplit=1)[0] in text
    for word in words:
        assert word in text


def test_levels() -> None:
    """Not everything can be set everywhere."""
    with pytest.raises(SettingError, match="all domains"):
        check_setting("route", "smtp://a:25", DEFAULTS, "all")
    with pytest.raises(SettingError, match="one mailbox"):
        check_setting("keep_days", 3, DEFAULTS, "mailbox")
    assert check_setting("client_rate.mode", "off", DEFAULTS, "all") == "off"


def test_fields_are_looked_at_together_with_what_is_there() -> None:
    """A check's model sees what is set already and what is new."""
    with pytest.raises(SettingError, match="dnsbl"):
        check_settings({"dnsbl.weight": 2}, DEFAULTS, present={"dnsbl.zones": 5})
    assert check_settings({"dnsbl.weight": 2}, DEFAULTS, present={"dnsbl.zones": ["a"]})


def test_plugin_fields() -> None:
    """The fields of one check out of many settings."""
    values = {"dnsbl.zones": ["a"], "dnsbl.mode": "on", "keep_days": 3}
    assert plugin_fields(values, DEFAULTS["dnsbl"]) == {"zones": ["a"]}


def test_plugin_error() -> None:
    """What a model says is for people: no web addresses, no class names."""
    with pytest.raises(ValueError, match="zones") as caught:
        Settings.model_validate({"zones": 3, "weight": "x"})
    text = str(plugin_error("dnsbl", caught.value))
    assert text.startswith("dnsbl.zones: ")
    assert "weight" in text
    assert "http" not in text
    assert str(plugin_error("dnsbl", ValueError("no"))) == "dnsbl: no"


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("on", "on"), ('["a"]', ["a"]), ("true", True), ("smtp://a", "smtp://a")]
)
def test_read_value(text: str, value: object) -> None:
    """What is typed is JSON where it is JSON, else text."""
    assert read_value(text) == value


def test_table() -> None:
    """Each core setting has a default of its own kind and a sentence; all keys are known."""
    for setting in SETTINGS.values():
        assert setting.sentence.endswith(".")
        if setting.key != "route":
            assert setting.check(setting.default) == setting.default
    assert {"route", "score.tag_at", "dnsbl.mode", "dnsbl.zones"} <= set(known_keys(DEFAULTS))
