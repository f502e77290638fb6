"""The reader's language, numbers and times: Babel, with catalogues as plain `locale/LANGUAGE/*.po`.

English stands in the code; each other language is a folder of catalogues, one for a group of pages,
read and compiled when the console starts. Times are shown in the reader's zone.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALE = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"


def mark(text: str) -> str:
    """Return the text; what stands here is found for the catalogues and translated when it is shown."""
    return text


def languages() -> list[str]:
    """Return the languages that the console speaks, English first."""
    return [SOURCE_LANGUAGE, *sorted(p.name for p in LOCALE.iterdir() if any(p.glob("*.po")))]


@cache
def language_names() -> dict[str, str]:
    """Return each language with what it calls itself."""
    return {one: (Locale.parse(one).get_language_name(one) or one).capitalize() for one in languages()}


@cache
def catalogue(language: str) -> NullTranslations:
    """Return everything that a language says; English says what stands in the code."""
    merged = Catalog(locale=language)
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as stream:
            for message in read_po(stream, locale=language):
                if message.id:
                    merged[message.id] = message
    if not len(merged):
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return Translations(compiled)


def language_for(wanted: str, accepted: str) -> str:
    """Return the language for a person: their own choice, else the best of `Accept-Language`."""
    spoken = languages()
    if wanted in spoken:
        return wanted
    weighed = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        weighed.append((-weight, place, tag.split("-")[0].lower()))
    return next((tag for weight, _, tag in sorted(weighed) if weight and tag in spoken), SOURCE_LANGUAGE)


def zone_for(*wanted: str) -> tzinfo:
    """Return the first of these zones that exists, else UTC."""
    for name in wanted:
        try:
            if name:
                return ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            continue
    return UTC


@dataclass(frozen=True, slots=True)
class Words:
    """How things are written for one reader; templates know it as `words`."""

    language: str = SOURCE_LANGUAGE
    zone: tzinfo = UTC
    now: float = 0.0

    @property
    def locale(self) -> Locale:
        """Babel's locale; English is written with a 24 hour clock and day before month."""
        try:
            return Locale.parse("en_GB" if self.language == SOURCE_LANGUAGE else self.language)
        except (UnknownLocaleError, ValueError):
            return Locale.parse("en_GB")

    @property
    def zone_name(self) -> str:
        """`Europe/Berlin`, `UTC`."""
        return getattr(self.zone, "key", None) or "UTC"

    def say(self, text: str, **values: object) -> str:
        """Return a text in the reader's language, with values put in as `%(name)s`."""
        said = catalogue(self.language).gettext(text)
        return said % values if values else said

    def say_many(self, one: str, many: str, n: int, **values: object) -> str:
        """The same for something counted; `n` is put in as `%(n)s`."""
        said = catalogue(self.language).ngettext(one, many, n)
        return said % {"n": self.number(n), **values}

    def moment(self, at: float | None) -> str:
        """Return date and time; today's only the time."""
        if at is None:
            return "\u2013"
        local, today = self._local(at), self._local(self.now)
        if local.date() == today.date():
            return dates.format_time(local, "HH:mm:ss", tzinfo=self.zone, locale=self.locale)
        kind = "d MMM, HH:mm" if local.year == today.year else "d MMM y, HH:mm"
        return dates.format_datetime(local, kind, tzinfo=self.zone, locale=self.locale)

    def exact(self, at: float | None) -> str:
        """Return date, time and zone in full."""
        if at is None:
            return ""
        return dates.format_datetime(
            self._local(at), "d MMM y, HH:mm:ss zzz", tzinfo=self.zone, locale=self.locale
        )

    def typed(self, at: float | None) -> str:
        """Return a moment as it is typed into a form, in the reader's zone: `2026-12-31 14:30`."""
        return "" if at is None else self._local(at).strftime("%Y-%m-%d %H:%M")

    def iso(self, at: float | None) -> str:
        """Return the moment for machines (`<time datetime>`)."""
        return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")

    def day_and_time(self, at: float) -> str:
        """Return weekday, date and time, for what is not read on the day that it is written."""
        return dates.format_datetime(
            self._local(at), "EEE d MMM, HH:mm", tzinfo=self.zone, locale=self.locale
        )

    def day(self, at: float) -> str:
        """Return weekday and date."""
        return self.date(self._local(at).date())

    def whole_day(self, at: float) -> str:
        """Return weekday and date in full, the heading of what happened on a day."""
        return dates.format_date(self._local(at).date(), "full", locale=self.locale)

    def clock(self, at: float) -> str:
        """Return the time of the day alone."""
        return dates.format_time(self._local(at), "HH:mm", tzinfo=self.zone, locale=self.locale)

    def hour(self, at: float) -> str:
        """Return weekday and time."""
        return dates.format_datetime(self._local(at), "EEE HH:mm", tzinfo=self.zone, locale=self.locale)

    def date(self, day: date) -> str:
        """Return weekday and date of a day that is one already."""
        return dates.format_date(day, "EEE d MMM", locale=self.locale)

    def change(self, now: float, then: float) -> str:
        """Return by how much something became more or less, in per cent with its sign."""
        return (
            numbers.format_percent((now - then) / then, "+#,##0%;-#,##0%", locale=self.locale) if then else ""
        )

    def ago(self, at: float | None) -> str:
        """Return how long ago something was, or in how long it will be."""
        if at is None:
            return "\u2013"
        return dates.format_timedelta(
            timedelta(seconds=at - self.now), add_direction=True, locale=self.locale, threshold=1.2
        )

    def number(self, value: float) -> str:
        """Return a number with its thousands apart."""
        return numbers.format_decimal(value, locale=self.locale)

    def share(self, value: float | None) -> str:
        """Return a part of 1 as per cent."""
        return "\u2013" if value is None else numbers.format_percent(value, "0.#%", locale=self.locale)

    def size(self, value: float) -> str:
        """Return bytes as people say them, 1 kB = 1000 bytes."""
        for unit in ("B", "kB", "MB", "GB"):
            if abs(value) < 1000 or unit == "GB":
                break
            value /= 1000
        text = numbers.format_decimal(
            round(value, 1 if value < 10 and unit != "B" else 0), locale=self.locale
        )
        return f"{text} {unit}"

    def seconds(self, value: float) -> str:
        """Return a short time with its unit."""
        if value < 0.0995:
            return f"{self.number(round(value * 1000, 1))} ms"
        return f"{self.number(round(value, 2 if value < 10 else 0))} s"

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self.zone)


def words_for(
    accepted: str, cookies: Mapping[str, str], now: float, language: str = "", zone: str = ""
) -> Words:
    """Return the words of a reader: what the account says, else what the browser says."""
    return Words(
        language_for(language or cookies.get("language", ""), accepted),
        zone_for(zone, cookies.get("zone", "")),
        now,
    )
