"""Settings and their values as people say them."""

import pytest

from gatepost.console.setting_words import LONGEST, change, meaning, named, title
from gatepost.console.text import Words
from gatepost.policy.settings import HIDDEN, SETTINGS

ENGLISH, GERMAN = Words(), Words("de")


@pytest.mark.parametrize(
    ("key", "english", "german"),
    [
        ("keep_days", "Kept for (days)", "Aufbewahrt für (Tage)"),
        ("dnsbl.mode", "dnsbl, switch", "dnsbl, Schalter"),
        ("spf.action", "spf, what its refusal becomes", "spf, was ihre Ablehnung bewirkt"),
        ("bounce_storm.closed_minutes", "bounce_storm, closed minutes", "bounce_storm, Minuten geschlossen"),
        ("gone", "gone", "gone"),
    ],
)
def test_title(key: str, english: str, german: str) -> None:
    """A setting of the domain by its name in the form, a check's by the check and its field."""
    assert (english, german) == (title(ENGLISH, key), title(GERMAN, key))


def test_each_setting_has_a_title() -> None:
    """No setting of a domain is called by its key."""
    assert [] == [key for key in SETTINGS if title(ENGLISH, key) == key and key not in ("route",)]


@pytest.mark.parametrize(
    ("key", "value", "english", "german"),
    [
        ("keep_days", None, "not set", "nicht gesetzt"),
        ("score.tag_at", 5.5, "5.5", "5,5"),
        ("score.tag_at", 8.0, "8", "8"),
        ("score.tag_at", "off", "off", "aus"),
        ("why.page", True, "on", "an"),
        ("recipients", "any", "everybody", "jeder"),
        ("dnsbl.mode", "watch", "watch", "beobachten"),
        ("spf.action", "quarantine", "hold it for a person", "für einen Menschen zurückhalten"),
        ("spf.on_failure", "defer", "ask the sender to come back", "den Absender später wiederkommen lassen"),
        ("clamav.found", "reject", "reject", "reject"),
        ("dnsbl.zones", [], "nothing", "nichts"),
        ("dnsbl.zones", list("abcdefg"), "a, b, c, d, e and 2 more", "a, b, c, d, e und 2 mehr"),
        ("x.rules", [{"pattern": "route66", "how": "whole"}, {"a_b": 1, "c": False}], "route66, a b 1 c off",
         "route66, a b 1 c aus"),
        ("x.table", {"recipients": "any"}, "recipients any", "recipients any"),
        ("arc.seal_key", HIDDEN, "not shown", "wird nicht gezeigt"),
        ("x.text", "y" * 500, "y" * (LONGEST - 1) + "…", "y" * (LONGEST - 1) + "…"),
    ],
)  # fmt: skip
def test_meaning(key: str, value: object, english: str, german: str) -> None:
    """Values by the words of the forms, numbers as the reader writes them; nothing looks like a program's."""
    assert (english, german) == (meaning(ENGLISH, key, value), meaning(GERMAN, key, value))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, ["a", "b"], "x, zones: not set → a, b"),
        (["a", "b"], ["b", "c"], "x, zones: added: c; removed: a"),
        (["a", "b"], ["b", "a"], "x, zones: another order"),
        (["a"], None, "x, zones: a → not set"),
        ([{"pattern": "p", "note": "1"}], [{"pattern": "p", "note": "2"}], "x, zones: changed: p"),
        (HIDDEN, HIDDEN, "x, zones: changed, not shown"),
        (1, 2, "x, zones: 1 → 2"),
    ],
)
def test_change(before: object, after: object, expected: str) -> None:
    """From what to what; of a list what came and what went."""
    assert expected == change(ENGLISH, "x.zones", before, after)


def test_named() -> None:
    """Five are named."""
    assert ("nothing", "a") == (named(ENGLISH, []), named(ENGLISH, ["a"]))
