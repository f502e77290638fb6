"""The settings of a domain that are not a check's own: one table, and what is said of a wrong value.

A key is `recipients` or `score.tag_at`; a check's keys are `NAME.mode`, `NAME.action`,
`NAME.on_failure` and `NAME.field`. Values are what JSON has. An error names the key, what is
wrong with the value, what would be right, and the word that was probably meant.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from gatepost.mail.address import AddressError, parse_address
from gatepost.policy.faults import in_words
from gatepost.policy.policy import Action, Mode, OnFailure
from gatepost.policy.presets import PRESETS

MAX_ROUTES = 20
MAX_ROUTE_LENGTH = 1000
MAX_KEEP_DAYS = 3650
MAX_POINTS = 10_000.0
MAX_READERS = 20
"""Who gets a digest of the whole domain."""
MAX_VALUE = 1 << 19
"""Bytes of one value as JSON: a thousand rules with their texts."""
LEVELS = ("all", "domain", "mailbox")
LANGUAGES = ("en", "de")
"""What mails of ours can be written in: the catalogues of the console."""


SECRETS = ("_keys", "_key", "_secret", "_password")
HIDDEN = "(hidden)"
"""What is shown in the place of a secret."""


def is_secret(key: str) -> bool:
    """Return whether the value of a setting is shown only to who asks for it: its name ends so."""
    return key.endswith(SECRETS)


class SettingError(ValueError):
    """A setting cannot be so; the text is for the person who set it."""

    def __init__(self, key: str, reason: str, allowed: str = "", suggestion: str = "") -> None:
        self.key = key
        self.reason = reason
        self.allowed = allowed
        self.suggestion = suggestion
        text = f"{key}: {reason}"
        if allowed:
            text += f"; allowed: {allowed}"
        if suggestion:
            text += f"; did you mean {suggestion!r}?"
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class PluginDefaults:
    """What the policy must know of a check; `plugin.registry` hands it in."""

    name: str
    mode: Mode
    action: Action
    on_failure: OnFailure
    validate: Callable[[dict[str, Any]], Any]
    """Field values -> an instance of the settings model; raises ValueError (pydantic's is one)."""
    fields: tuple[str, ...] = ()
    scope: str = "domain"
    """`gateway`: acts for the whole machine, so it is set for all domains only."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One core setting."""

    key: str
    default: Any
    check: Callable[[Any], Any]
    """Value as given -> value as kept; raises ValueError(what is wrong)."""
    allowed: str
    sentence: str
    levels: tuple[str, ...] = LEVELS


def _one_of(*words: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"{_shown(value)} is not one of its values")
        return value

    return check


def _routes(value: Any) -> Any:
    routes = [value] if isinstance(value, str) else value
    if not isinstance(routes, list | tuple) or not all(isinstance(r, str) for r in routes):
        raise ValueError(f"{_shown(value)} is not a route or a list of routes")
    if not routes:
        raise ValueError("a domain needs at least one route")
    if len(routes) > MAX_ROUTES:
        raise ValueError(f"more than {MAX_ROUTES} routes")
    for route in routes:
        scheme, sep, rest = route.partition("://")
        if not sep or not rest or scheme not in ("smtp", "smtp+mx", "lmtp", "maildir"):
            raise ValueError(f"{_shown(route)} is not a route")
        if len(route) > MAX_ROUTE_LENGTH or not route.isprintable():
            raise ValueError("a route is too long or has unprintable characters")
    return list(routes)


def _points(value: Any) -> Any:
    if value in ("off", None, False):
        return "off"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{_shown(value)} is not a number of points")
    if not 0 < value <= MAX_POINTS:
        raise ValueError(f"must be more than 0 and at most {MAX_POINTS:.0f}")
    return float(value)


def _days(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_KEEP_DAYS:
        raise ValueError(f"{_shown(value)} is not a number of days from 1 to {MAX_KEEP_DAYS}")
    return value


def _hour(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 23:
        raise ValueError(f"{_shown(value)} is not an hour from 0 to 23")
    return value


def _mailboxes(value: Any) -> Any:
    """Local parts; an address of the domain itself is one too (whose it is the desk looks at)."""
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{_shown(value)} is not a list of mailboxes")
    if len(names) > MAX_READERS:
        raise ValueError(f"more than {MAX_READERS} mailboxes")
    for name in names:
        try:
            plain = parse_address(name if "@" in name else f"{name}@example.org").text
            if '"' in plain:
                raise ValueError(f"{_shown(name)} is quoted: a digest goes to plain mailboxes")
        except AddressError as error:
            raise ValueError(f"{_shown(name)} is not a mailbox: {error}") from None
    return list(dict.fromkeys(names))


def _zone(value: Any) -> Any:
    try:
        return ZoneInfo(value).key
    except (ValueError, OSError, KeyError, TypeError):
        raise ValueError(f"{_shown(value)} is not the name of a time zone") from None


def _flag(value: Any) -> Any:
    words = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError(f"{_shown(value)} is neither on nor off")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_ROUTE_FORMS = "smtp://host:port, smtp+mx://domain, lmtp://host:port, lmtp:///socket, maildir:///path"
_POINTS = "a number of points, or off"
_ALL_OR_DOMAIN = ("all", "domain")

SETTINGS: dict[str, Setting] = {
    s.key: s
    for s in (
        Setting("route", None, _routes, _ROUTE_FORMS, "Where the mail goes.", ("domain", "mailbox")),
        Setting("recipients", "list", _one_of("list", "callout", "any"), "list, callout, any",
                "How it is known who exists: a list, asked of the route, or everybody.", _ALL_OR_DOMAIN),
        Setting("refuse_at", "data", _one_of("rcpt", "data"), "rcpt, data",
                "When a refusal is said: as soon as known, or after the data with a copy kept."),
        Setting("refuse_at.unknown", "rcpt", _one_of("rcpt", "data"), "rcpt, data",
                "The same for recipients that do not exist.", _ALL_OR_DOMAIN),
        Setting("score.tag_at", 5.0, _points, _POINTS, "From so many points on the mail is marked."),
        Setting("score.quarantine_at", "off", _points, _POINTS, "From so many points on the mail is held."),
        Setting("score.reject_at", 15.0, _points, _POINTS, "From so many points on the mail is refused."),
        Setting("preset", "usual", _one_of(*PRESETS), ", ".join(PRESETS),
                "The defaults of modes, actions and points."),
        Setting("on_backend_down", "defer", _one_of("defer", "spool"), "defer, spool",
                "The domain's server is down: the sender waits, or we do.", _ALL_OR_DOMAIN),
        Setting("mixed", "hold", _one_of("hold", "split"), "hold, split",
                "Recipients of one mail differ: refused copies are held, or later recipients deferred.",
                _ALL_OR_DOMAIN),
        Setting("poison", "quarantine", _one_of("quarantine", "reject"), "quarantine, reject",
                "What becomes of a message that killed those who read it twice.", _ALL_OR_DOMAIN),
        Setting("keep_days", 30, _days, f"1 to {MAX_KEEP_DAYS}",
                "How long kept mail and its journal stay.", _ALL_OR_DOMAIN),
        Setting("bypass", False, _flag, "on, off",
                "Everything valid is relayed, marked and written down; nothing is refused.", _ALL_OR_DOMAIN),
        Setting("subjects", True, _flag, "on, off",
                "Subjects may stand in journal and archive index.", _ALL_OR_DOMAIN),
        Setting("digest", "off", _one_of("off", "daily", "weekly"), "off, daily, weekly",
                "How often a mail tells what was kept since the last one.", _ALL_OR_DOMAIN),
        Setting("digest.to", [], _mailboxes, "mailboxes of the domain: postmaster, ann",
                "Who gets the digest of the whole domain: mailboxes of the domain itself.", _ALL_OR_DOMAIN),
        Setting("digest.mailboxes", False, _flag, "on, off",
                "Each mailbox gets a digest of its own mail."),
        Setting("digest.hour", 7, _hour, "0 to 23",
                "The hour of the day at which digests are made; weekly ones on Monday.", _ALL_OR_DOMAIN),
        Setting("digest.language", "en", _one_of(*LANGUAGES), ", ".join(LANGUAGES),
                "The language of digests.", _ALL_OR_DOMAIN),
        Setting("digest.zone", "UTC", _zone, "a name as Europe/Berlin",
                "The time zone of digests, for the hour and for the times in them.", _ALL_OR_DOMAIN),
        Setting("why.page", False, _flag, "on, off",
                "Refused senders are told of a page that says why and takes their request for a review.",
                _ALL_OR_DOMAIN),
    )
}  # fmt: skip

_SWITCHES: dict[str, tuple[type[Mode] | type[Action] | type[OnFailure], str]] = {
    "mode": (Mode, "off, watch, on"),
    "action": (Action, "reject, quarantine, defer, tag"),
    "on_failure": (OnFailure, "pass, defer"),
}


def known_keys(defaults: Mapping[str, PluginDefaults]) -> list[str]:
    """Return every key that can be set, core settings first."""
    keys = list(SETTINGS)
    for plugin in defaults.values():
        keys += [f"{plugin.name}.{part}" for part in (*_SWITCHES, *plugin.fields)]
    return keys


def read_value(text: str) -> Any:
    """Return what a person typed behind `KEY=`: JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def check_setting(key: str, value: Any, defaults: Mapping[str, PluginDefaults], level: str = "domain") -> Any:
    """Return the value as it is kept; `SettingError` if it cannot be so.

    The value of a check's own field is not looked at here: only its model knows how the fields go together.
    """
    core = SETTINGS.get(key)
    if core is not None:
        if level not in core.levels:
            raise SettingError(key, f"cannot be set for {_level_name(level)}", _level_names(core.levels))
        try:
            return core.check(value)
        except ValueError as error:
            near = _near(value, core.allowed.split(", "))
            raise SettingError(key, str(error), core.allowed, near) from None
    name, _, part = key.partition(".")
    plugin = defaults.get(name)
    if plugin is None or not part:
        raise SettingError(key, "there is no such setting", "", _near(key, known_keys(defaults)))
    if plugin.scope == "gateway" and level != "all":
        raise SettingError(key, f"{name} acts for the whole machine", "set it for all domains")
    if part in _SWITCHES:
        return _check_switch(key, part, value)
    if part not in plugin.fields:
        near = _near(part, [*_SWITCHES, *plugin.fields])
        raise SettingError(key, f"{name} has no such setting", "", f"{name}.{near}" if near else "")
    return value


def check_settings(
    values: Mapping[str, Any],
    defaults: Mapping[str, PluginDefaults],
    level: str = "domain",
    present: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the values as they are kept; the first wrong one raises `SettingError`.

    `present`: what is set already in the same place; a check's fields are looked at together with it.
    """
    checked = {key: check_setting(key, value, defaults, level) for key, value in values.items()}
    for key, value in checked.items():
        _check_size(key, value)
    for plugin in defaults.values():
        own = plugin_fields(checked, plugin)
        if own:
            try:
                plugin.validate(plugin_fields(present or {}, plugin) | own)
            except ValueError as error:
                raise plugin_error(plugin.name, error) from None
    return checked


def _check_size(key: str, value: Any) -> None:
    """Every process holds every setting, and the list of changes keeps what it was before."""
    size = len(json.dumps(value, default=str))
    if size > MAX_VALUE:
        raise SettingError(key, f"{size >> 10} KiB is more than the {MAX_VALUE >> 10} KiB of one value")


def plugin_fields(values: Mapping[str, Any], plugin: PluginDefaults) -> dict[str, Any]:
    """Return the fields of a check's own settings among these values."""
    return {f: values[key] for f in plugin.fields if (key := f"{plugin.name}.{f}") in values}


def _check_switch(key: str, part: str, value: Any) -> str:
    kind, allowed = _SWITCHES[part]
    if part == "mode" and isinstance(value, bool):  # `mode=true` from JSON or YAML habits
        value = "on" if value else "off"
    try:
        return str(kind(value))
    except ValueError:
        near = _near(value, allowed.split(", "))
        raise SettingError(key, f"{_shown(value)} is not one of its values", allowed, near) from None


def plugin_error(name: str, error: ValueError) -> SettingError:
    """Return what a settings model says (pydantic: the field and a sentence for each fault)."""
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return SettingError(name, str(error))
    found = errors()
    first = next((str(e["loc"][0]) for e in found if e["loc"]), "")
    said = []
    for e in found:
        place = ".".join(str(part) for part in e["loc"])
        words = in_words(e, secret=is_secret(first))
        said.append(words if place in ("", first) else f"{place}: {words}")
    return SettingError(f"{name}.{first}" if first else name, "; ".join(said))


def _near(word: object, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word), list(known), 1, 0.6)
    return near[0] if near else ""


def _level_name(level: str) -> str:
    return {"all": "all domains", "domain": "a domain", "mailbox": "one mailbox"}[level]


def _level_names(levels: Iterable[str]) -> str:
    return "for " + " or ".join(_level_name(level) for level in levels)
