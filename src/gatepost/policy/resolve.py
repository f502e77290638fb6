"""From rows to a frozen policy: defaults, then all domains, then the domain, then the mailbox.

A value that cannot be (its check was upgraded, a row was edited by hand) is left out as if nobody
had set it and said so as a `Fault`: a bad row must not close a domain. People's own mistakes are
caught before, when they set something (`settings.check_settings`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatepost.policy.lists import Entry, Lists, Table
from gatepost.policy.plain import Plain, threshold
from gatepost.policy.policy import Action, DomainPolicy, Mode, OnFailure, PluginPolicy
from gatepost.policy.presets import DEFAULT_PRESET, PRESETS, Preset
from gatepost.policy.settings import (
    SETTINGS,
    PluginDefaults,
    SettingError,
    check_setting,
    plugin_error,
    plugin_fields,
)
from gatepost.policy.source import DomainRows, Everywhere, Values

__all__ = ["EVERYWHERE", "Fault", "PluginDefaults", "Resolver", "resolve", "values_of"]

EVERYWHERE = "*"
"""Name of the policy that is set for all domains: for checks that act for the whole machine."""

Defaults = Mapping[str, PluginDefaults]


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that was left out, and why."""

    scope: str
    """`all`, `domain:example.org` or `mailbox:ann@example.org`."""
    key: str
    reason: str

    @property
    def domain(self) -> str:
        """The domain that it is in, "" for all."""
        _, _, name = self.scope.partition(":")
        return name.rpartition("@")[2]

    def __str__(self) -> str:
        return f"{self.scope}: {self.reason}"


@dataclass(slots=True)
class _Level:
    """The values of one level, checked."""

    origin: str
    values: dict[str, Any]


def resolve(
    rows: DomainRows,
    everywhere: Everywhere,
    defaults: Defaults,
    version: int = 0,
    faults: list[Fault] | None = None,
) -> DomainPolicy:
    """Return the policy of one domain; what was left out is appended to `faults`."""
    resolver = Resolver(everywhere, defaults)
    policy = resolver.domain(rows, version, faults if faults is not None else [])
    if faults is not None:
        faults.extend(resolver.faults)
    return policy


@dataclass(slots=True)
class _Tables:
    """The entries of one scope: general ones, and those of each check."""

    general: Table
    own: dict[str, Table] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> _Tables:
        general: list[Entry] = []
        own: dict[str, list[Entry]] = {}
        for entry in entries:
            (own.setdefault(entry.plugin, []) if entry.plugin else general).append(entry)
        return cls(Table(general), {name: Table(e) for name, e in own.items()})


class Resolver:
    """Builds policies over the same values for all domains, which are checked once and shared."""

    def __init__(self, everywhere: Everywhere, defaults: Defaults) -> None:
        self.faults: list[Fault] = []
        """Of what is set for all domains."""
        self._defaults = defaults
        self._all = _Level("all", _checked(everywhere.values, defaults, "all", "all", self.faults))
        self._all_tables = _Tables.of(everywhere.entries)
        self._shared: dict[str, PluginPolicy] = {}
        """Checks as they are where only defaults and `all` speak, by preset and name: most of them."""
        self._plain: Plain | None = None

    def everywhere(self, version: int) -> DomainPolicy:
        """Return the policy of no domain in particular."""
        faults = self.faults if self._plain is None else []
        return self._policy(DomainRows(EVERYWHERE), [], [self._all_tables], version, {}, faults)

    def domain(self, rows: DomainRows, version: int, faults: list[Fault]) -> DomainPolicy:
        """Return the policy of a domain, with those of its mailboxes that override something."""
        if self._plain is None:
            self._plain = Plain(self.everywhere(version))
        plain = self._plain.policy(rows, version)
        if plain is not None:
            return plain
        own = _Level("domain", _checked(rows.values, self._defaults, "domain", f"domain:{rows.name}", faults))
        tables = _Tables.of(rows.entries)
        mailboxes: dict[str, DomainPolicy] = {}
        for local in {*rows.mailboxes, *rows.mailbox_entries}:
            scope = f"mailbox:{local}@{rows.name}"
            values = _checked(rows.mailboxes.get(local, {}), self._defaults, "mailbox", scope, faults)
            mailbox_tables = _Tables.of(rows.mailbox_entries.get(local, ()))
            mailboxes[local] = self._policy(
                rows,
                [_Level("mailbox", values), own],
                [mailbox_tables, tables, self._all_tables],
                version,
                {},
                faults,
            )
        return self._policy(rows, [own], [tables, self._all_tables], version, mailboxes, faults)

    def _policy(
        self,
        rows: DomainRows,
        nearer: list[_Level],
        tables: list[_Tables],
        version: int,
        mailboxes: dict[str, DomainPolicy],
        faults: list[Fault],
    ) -> DomainPolicy:
        levels = [*nearer, self._all]
        preset_name, preset_origin = _find("preset", levels, DEFAULT_PRESET)
        preset = PRESETS[preset_name]
        origin: dict[str, str] = {"preset": preset_origin}

        def value(key: str) -> Any:
            default = preset.values.get(key, SETTINGS[key].default)
            found, origin[key] = _find(key, levels, default)
            return found

        plugins = {
            name: self._plugin(plugin, preset, nearer, tables, rows.name, faults)
            for name, plugin in self._defaults.items()
        }
        return DomainPolicy(
            domain=rows.name,
            version=version,
            routes=tuple(value("route") or ()),
            recipients=value("recipients"),
            refuse_at=value("refuse_at"),
            refuse_unknown_at=value("refuse_at.unknown"),
            on_backend_down=value("on_backend_down"),
            mixed=value("mixed"),
            poison=value("poison"),
            keep_days=value("keep_days"),
            tag_at=threshold(value("score.tag_at")),
            quarantine_at=threshold(value("score.quarantine_at")),
            reject_at=threshold(value("score.reject_at")),
            bypass=value("bypass"),
            subjects=value("subjects"),
            plugins=plugins,
            lists=_join([t.general for t in tables]),
            origin=origin,
            mailboxes=mailboxes,
            preset=preset_name,
            digest=value("digest"),
            digest_to=tuple(value("digest.to")),
            digest_mailboxes=value("digest.mailboxes"),
            digest_hour=value("digest.hour"),
            digest_language=value("digest.language"),
            digest_zone=value("digest.zone"),
            why_page=value("why.page"),
            owned_since=rows.owned_since,
        )

    def _plugin(
        self,
        plugin: PluginDefaults,
        preset: Preset,
        nearer: list[_Level],
        tables: list[_Tables],
        domain: str,
        faults: list[Fault],
    ) -> PluginPolicy:
        prefix = f"{plugin.name}."
        speaking = (
            []
            if plugin.scope == "gateway"
            else [level for level in nearer if any(key.startswith(prefix) for key in level.values)]
        )
        own_tables = [t.own[plugin.name] for t in tables if plugin.name in t.own]
        plain = not speaking and all(t is self._all_tables.own.get(plugin.name) for t in own_tables)
        shared_key = f"{preset.name} {plugin.name}"
        if plain and shared_key in self._shared:
            return self._shared[shared_key]
        levels = [*speaking, self._all]
        origin: dict[str, str] = {}

        def switch(part: str, default: str) -> str:
            found, origin[part] = _find(prefix + part, levels, default)
            return str(found)

        mode = Mode(switch("mode", preset.mode(plugin.name, plugin.mode)))
        action = Action(switch("action", preset.action(plugin.name, plugin.action)))
        on_failure = OnFailure(switch("on_failure", plugin.on_failure))
        fields = _fields(plugin, levels, domain, faults)
        for name in plugin.fields:
            _, origin[name] = _find(prefix + name, levels, None)
        policy = PluginPolicy(
            plugin.name,
            mode,
            action,
            on_failure,
            plugin.validate(fields),
            json.dumps(fields, sort_keys=True, default=str),
            _join(own_tables),
            origin,
        )
        if plain:
            self._shared[shared_key] = policy
        return policy


def _find(key: str, levels: list[_Level], default: Any) -> tuple[Any, str]:
    for level in levels:
        if key in level.values:
            return level.values[key], level.origin
    return default, "default"


def _fields(plugin: PluginDefaults, levels: list[_Level], domain: str, faults: list[Fault]) -> dict[str, Any]:
    """Merge a check's own fields, farthest level first; a level that spoils them is left out."""
    merged: dict[str, Any] = {}
    for level in reversed(levels):
        own = plugin_fields(level.values, plugin)
        if not own:
            continue
        try:
            plugin.validate(merged | own)
        except ValueError:
            # Something among them is wrong: keep what goes, one by one.
            for name, value in own.items():
                try:
                    plugin.validate(merged | {name: value})
                except ValueError as error:
                    scope = "all" if level.origin == "all" else f"{level.origin}:{domain}"
                    found = plugin_error(plugin.name, error)
                    faults.append(Fault(scope, f"{plugin.name}.{name}", str(found)))
                else:
                    merged[name] = value
        else:
            merged |= own
    return merged


def _checked(
    values: Values, defaults: Defaults, level: str, scope: str, faults: list[Fault]
) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for key, value in values.items():
        try:
            checked[key] = check_setting(key, value, defaults, level)
        except SettingError as error:
            faults.append(Fault(scope, key, str(error)))
    return checked


def _join(tables: list[Table]) -> Lists:
    return Lists(tables=tables) if any(t.entries for t in tables) else Lists.EMPTY


def values_of(policy: DomainPolicy, defaults: Defaults) -> dict[str, tuple[Any, str]]:
    """Return each setting in force with where it comes from: `default`, `all`, `domain`, `mailbox`."""
    core: dict[str, Any] = {
        "preset": policy.preset,
        "route": list(policy.routes),
        "recipients": policy.recipients,
        "refuse_at": policy.refuse_at,
        "refuse_at.unknown": policy.refuse_unknown_at,
        "score.tag_at": _shown(policy.tag_at),
        "score.quarantine_at": _shown(policy.quarantine_at),
        "score.reject_at": _shown(policy.reject_at),
        "on_backend_down": policy.on_backend_down,
        "mixed": policy.mixed,
        "poison": policy.poison,
        "keep_days": policy.keep_days,
        "bypass": policy.bypass,
        "subjects": policy.subjects,
        "digest": policy.digest,
        "digest.to": list(policy.digest_to),
        "digest.mailboxes": policy.digest_mailboxes,
        "digest.hour": policy.digest_hour,
        "digest.language": policy.digest_language,
        "digest.zone": policy.digest_zone,
        "why.page": policy.why_page,
    }
    found = {key: (value, policy.origin.get(key, "default")) for key, value in core.items()}
    for name, plugin in policy.plugins.items():
        for part in ("mode", "action", "on_failure"):
            found[f"{name}.{part}"] = str(getattr(plugin, part)), plugin.origin.get(part, "default")
        for part in defaults[name].fields if name in defaults else ():
            value = getattr(plugin.settings, part, None)
            found[f"{name}.{part}"] = value, plugin.origin.get(part, "default")
    return found


def _shown(points: float | None) -> float | str:
    return "off" if points is None else points
