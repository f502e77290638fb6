"""Languages, numbers, sizes and times as the reader writes them; every text has its translation."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from gatepost.console import text
from gatepost.console.forms import fields_of
from gatepost.console.text import Words, catalogue, language_for, languages, words_for, zone_for
from gatepost.plugin.faces import sentence
from gatepost.plugin.registry import load
from gatepost.policy.presets import PRESETS
from gatepost.policy.settings import LANGUAGES

CONSOLE = Path(text.__file__).parent
AT = 1_795_593_600.0  # 2026-11-25 08:00 UTC
ENGLISH, GERMAN = Words("en", UTC, AT), Words("de", ZoneInfo("Europe/Berlin"), AT)


@pytest.mark.parametrize(
    ("wanted", "accepted", "expected"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.1", "de"),
        ("", "fr,en;q=0.4,de;q=0.6", "de"),
        ("", "de;q=0,en", "en"),
        ("de", "en", "de"),
        ("xx", "en", "en"),
        ("", "de;q=x,*;;,", "en"),
    ],
)
def test_language(wanted: str, accepted: str, expected: str) -> None:
    """The account's choice, else the browser's best, else English."""
    assert expected == language_for(wanted, accepted)


def test_zone() -> None:
    """The first zone that exists; nothing that a cookie holds is a path."""
    assert "Europe/Berlin" == str(zone_for("", "no/such", "Europe/Berlin"))
    assert UTC == zone_for("../../etc/passwd", "", "\0", "Europe")


def test_moments() -> None:
    """Today is a time, another day has its date, in the reader's zone; the title has all."""
    assert ("08:00:00", "09:00:00") == (ENGLISH.moment(AT), GERMAN.moment(AT))
    assert "20 Nov, 12:00" == ENGLISH.moment(AT - 116 * 3600)
    assert "\u2013" == ENGLISH.moment(None)
    assert "2026-11-25T08:00:00+00:00" == GERMAN.iso(AT)
    assert "09:00:00 MEZ" in GERMAN.exact(AT)
    assert ("2 hours ago", "in 2 Tagen") == (ENGLISH.ago(AT - 7200), GERMAN.ago(AT + 2 * 86_400))
    assert "UTC" == ENGLISH.zone_name
    assert "Wed 25 Nov" == ENGLISH.day(AT)
    assert ("08:00", "Mittwoch, 25. November 2026") == (ENGLISH.clock(AT), GERMAN.whole_day(AT))
    assert "Mi. 25 Nov., 09:00" == GERMAN.day_and_time(AT)


def test_numbers() -> None:
    """Numbers have their thousands apart, sizes and times their units."""
    assert ("1,234.5", "1.234,5") == (ENGLISH.number(1234.5), GERMAN.number(1234.5))
    assert ["999 B", "1 kB", "1.5 MB", "12 GB"] == [ENGLISH.size(n) for n in (999, 1000, 1.5e6, 12e9)]
    assert ("34.6%", "\u2013") == (ENGLISH.share(0.3456), ENGLISH.share(None))
    assert ["1.5 ms", "0.25 s", "12 s"] == [ENGLISH.seconds(n) for n in (0.0015, 0.25, 12.2)]


def test_words_for() -> None:
    """The browser's zone is what its cookie says, unless the account says another."""
    assert "Asia/Tokyo" == words_for("", {"zone": "Asia/Tokyo"}, AT).zone_name
    assert "Europe/Berlin" == words_for("", {"zone": "Asia/Tokyo"}, AT, zone="Europe/Berlin").zone_name


def test_digests_speak_what_the_console_speaks() -> None:
    """A language that is added to the catalogues can be set for digests too."""
    assert languages() == ["en", *sorted(set(LANGUAGES) - {"en"})]


def messages() -> set[str]:
    """Return every text that the code and the templates say to people."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {
        "mark": None,
        "say": None,
        "say_many": (1, 2),
        "many": (1, 2),
        "_": None,
        "gettext": None,
        "ngettext": (1, 2),
    }
    found = extract_from_dir(str(CONSOLE), methods, {"**.html": {"trimmed": "false"}}, keywords)
    return {one[2] if isinstance(one[2], str) else one[2][0] for one in found}


@pytest.mark.parametrize("language", languages()[1:])
def test_everything_is_translated(language: str) -> None:
    """No page mixes two languages: each text has its translation (in locale/LANGUAGE/*.po)."""
    known = vars(catalogue(language))["_catalog"]
    missing = sorted(
        text
        for text in messages()
        if not known.get(text) and not any(k[0] == text for k in known if isinstance(k, tuple))
    )

    assert [] == missing, "\n".join(f'msgid "{text}"' for text in missing)


def said_by_checks() -> set[str]:
    """Return what the checks of the house, and presets, say of themselves on pages."""
    found = {preset.sentence for preset in PRESETS.values()}
    for loaded in load(None):
        model = loaded.plugin.settings
        fields = fields_of(model, {})
        found |= {sentence(loaded.plugin)} | {text for one in fields for text in (one.label, one.sentence)}
    return found - {""}


@pytest.mark.parametrize("language", languages()[1:])
def test_checks_are_translated(language: str) -> None:
    """What a check of the house says of itself has its translation; none is left of old words."""
    known = vars(catalogue(language))["_catalog"]
    missing = sorted(text for text in said_by_checks() if not known.get(text))
    assert [] == missing, "\n".join(f'msgid "{text}"' for text in missing)
    with (text.LOCALE / language / "plugins.po").open("rb") as stream:
        kept = {message.id for message in read_po(stream) if message.id}
    assert set() == kept - said_by_checks()


def test_what_a_check_says_is_never_a_pattern() -> None:
    """A check from elsewhere may say per cent."""
    assert "at 5% or %(n)s" == GERMAN.say("at 5% or %(n)s")
