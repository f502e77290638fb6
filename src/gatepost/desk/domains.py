"""Domains: add, remove, look at, set and get what they want (CONTRACT 5).

A value is looked at before it is kept: by the table of core settings and by the settings model of
the check, together with what is set already at the same and at farther levels. So what stands in
the store can be used, and a wrong key is answered with the right one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.desk import left_behind
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError
from gatepost.desk.scopes import hosted, hosted_scope
from gatepost.mail.address import fold, parse_address
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.presets import PRESETS, Preset
from gatepost.policy.resolve import Fault, Resolver, values_of
from gatepost.policy.settings import (
    HIDDEN,
    SETTINGS,
    PluginDefaults,
    SettingError,
    check_settings,
    is_secret,
)
from gatepost.policy.source import DomainRows
from gatepost.relay.ourselves import Ourselves
from gatepost.relay.routes import Route, RouteError, owner_may, owners, parse_route
from gatepost.store.base import Conflict as StoreConflict
from gatepost.store.base import StoreError
from gatepost.store.scopes import ALL, domain_name, parse_scope

Values = Mapping[str, Any]
READERS = "digest.to"


@dataclass(frozen=True, slots=True)
class Value:
    """One setting in force."""

    key: str
    value: Any
    origin: str
    """`default`, `all`, `domain` or `mailbox`."""


def add(
    desk: Desk, name: str, routes: Iterable[str], settings: Values | None = None, *, anew: bool | None = None
) -> int:
    """Host a domain; returns the version of the policy with it.

    Where one of this name was removed lately: `anew` true deletes what is left of it, false lets the domain
    have it again; None is a Conflict.
    """
    try:
        domain = domain_name(name)
    except StoreError as error:
        raise DeskError(str(error)) from error
    listed = list(routes)
    if not listed:
        raise DeskError(f"{domain} needs a route, as --route smtp://mail.{domain}")
    listed = _routes_as_kept(desk, listed, ())
    values = _checked(desk, dict(settings or {}), "domain", {})
    _name_readers(values, domain)
    with left_behind.alone(desk):
        if desk.policy.domain(domain) is None:
            left_behind.make_way(desk, domain, anew=anew)
        try:
            return desk.policy.add_domain(domain, listed, values, by=desk.by)
        except StoreConflict as error:
            raise Conflict(str(error)) from error


def remove(desk: Desk, name: str) -> int:
    """Host a domain no longer: its policy goes; the rest as `left_behind` says."""
    with left_behind.alone(desk):
        return desk.policy.remove_domain(hosted(desk, name), by=desk.by)


def own_values(desk: Desk, word: str | None) -> dict[str, Any]:
    """Return what is set for just this domain, mailbox, or all domains."""
    scope, _ = hosted_scope(desk, word)
    return desk.policy.settings(scope)


def set_values(desk: Desk, word: str | None, values: Values, expect: int | None = None) -> int:
    """Set values for a domain, a mailbox or (None) all domains; returns the version that has them."""
    scope, _ = hosted_scope(desk, word)
    return _put(desk, scope, checked_values(desk, word, values), expect)


def checked_values(desk: Desk, word: str | None, values: Values) -> dict[str, Any]:
    """Return the values as `set_values` would keep them; nothing is changed."""
    scope, level = hosted_scope(desk, word)
    present = desk.policy.settings(scope)
    checked = _checked(desk, dict(values), level, _below(desk, scope) | present)
    if checked.get("route"):
        checked["route"] = _routes_as_kept(desk, checked["route"], present.get("route") or ())
    _name_readers(checked, parse_scope(scope)[0] if scope != ALL else "")
    return checked


def may_put_back(desk: Desk, scope: str, values: Values) -> None:
    """DeskError where an owner would put back what he may not set; what stands there already may stay."""
    if desk.admin:
        return
    present = desk.policy.settings(scope)
    given = {key: value for key, value in values.items() if value is not None}
    _leave_the_machine_alone(desk, given, _below(desk, scope) | present)
    urls, there = list(given.get("route") or ()), present.get("route") or ()
    if urls != _routes_as_kept(desk, urls, there):
        raise DeskError("route: an administrator set it so, and only an administrator sets it again")


def unset_values(desk: Desk, word: str | None, keys: Iterable[str], expect: int | None = None) -> int:
    """Let the values of farther levels hold again."""
    scope, level = hosted_scope(desk, word)
    gone = list(keys)
    present = desk.policy.settings(scope)
    for key in gone:
        if key not in present:
            from difflib import get_close_matches

            near = get_close_matches(key, present, 1, 0.6)
            raise DeskError(f"{key}: is not set there{f'; did you mean {near[0]!r}?' if near else ''}")
    if level == "domain" and "route" in gone:
        raise DeskError("route: a domain needs one; set another instead")
    return _put(desk, scope, dict.fromkeys(gone), expect)


def get_values(desk: Desk, word: str | None, *, secrets: bool = False) -> tuple[list[Value], list[Fault]]:
    """Return every setting in force with its origin, and the stored values that could not be used.

    Secrets are left out (`HIDDEN` stands there) unless asked for.
    """
    policy, faults = resolved(desk, word)
    found = values_of(policy, desk.registry.defaults())
    if word is None:
        found.pop("route", None)
    for key, (value, origin) in found.items():
        if value and not secrets and is_secret(key):
            found[key] = HIDDEN, origin
    return [Value(key, value, origin) for key, (value, origin) in found.items()], faults


def one_of(values: list[Value], key: str) -> Value:
    """Return the setting of this name; DeskError with the name that was probably meant."""
    for value in values:
        if value.key == key:
            return value
    from difflib import get_close_matches

    near = get_close_matches(key, [v.key for v in values], 1, 0.6)
    raise DeskError(f"{key}: there is no such setting{f'; did you mean {near[0]!r}?' if near else ''}")


def resolved(desk: Desk, word: str | None) -> tuple[DomainPolicy, list[Fault]]:
    """Return the policy in force for a domain, a mailbox or all, and what could not be used."""
    scope, _ = hosted_scope(desk, word)
    domain, local = parse_scope(scope)
    resolver = Resolver(desk.policy.everywhere(), desk.registry.defaults())
    faults: list[Fault] = []
    if scope == ALL:
        return resolver.everywhere(desk.policy.version()), list(resolver.faults)
    rows = desk.policy.domain(domain) or DomainRows(domain)
    policy = resolver.domain(rows, desk.policy.version(), faults)
    return policy.for_mailbox(local) if local else policy, [*resolver.faults, *faults]


def bypass(desk: Desk, word: str | None, on: bool) -> int:
    """Take the filter out of the way of a domain (or of all), or put it back."""
    scope, _ = hosted_scope(desk, word)
    # Put back is "not set", unless a farther level says otherwise.
    value = True if on else False if _below(desk, scope).get("bypass") else None
    return _put(desk, scope, {"bypass": value}, None)


def presets() -> tuple[Preset, ...]:
    """Return the presets, the table of CONTRACT 5."""
    return tuple(PRESETS.values())


def check_route(desk: Desk, url: str) -> Route:
    """Return the route; DeskError where it is none, leads back to us, or is not for an owner."""
    try:
        route = parse_route(url)
    except RouteError as error:
        raise DeskError(str(error)) from error
    if route.port and desk.doors and _is_us(desk, route):
        raise DeskError(f"{url}: that is our own address, mail would go in a circle")
    if not desk.admin:
        why = owner_may(route, desk.relay_allow)
        if why:
            raise DeskError(f"{url}: {why}")
    return route


def _routes_as_kept(desk: Desk, urls: Iterable[str], present: Iterable[str]) -> list[str]:
    """Return the routes as they are kept; what stands there already may stay, whoever set it."""
    there = frozenset(present)
    kept = []
    for url in urls:
        if url not in there:
            check_route(desk, url)
            url = url if desk.admin else owners(url)
        kept.append(url)
    return kept


def _name_readers(values: dict[str, Any], domain: str) -> None:
    """Keep those who get the domain's digest as local parts: it goes to the domain's own server alone."""
    if not values.get(READERS):
        return
    kept = []
    for name in values[READERS]:
        address = parse_address(name if "@" in name else f"{name}@{domain or 'example.org'}")
        if "@" in name and address.domain != domain:
            where = f"{domain} itself" if domain else "each domain, without an @"
            raise DeskError(f"{READERS}: {name} is not a mailbox of {where}")
        kept.append(fold(address.local))
    values[READERS] = list(dict.fromkeys(kept))


def _is_us(desk: Desk, route: Route) -> bool:
    address = "127.0.0.1" if route.host.lower() == "localhost" else route.host
    if not address.replace(".", "").isdecimal() and ":" not in address:
        return False  # a name: judged by its address when a connection is made
    return Ourselves(desk.doors).owns(address, route.port)


def _put(desk: Desk, scope: str, values: Values, expect: int | None) -> int:
    try:
        return desk.policy.put(scope, values, expect=expect, by=desk.by)
    except StoreConflict as error:
        raise Conflict(f"{error}; there is now: {error.present}") from error


def _below(desk: Desk, scope: str) -> dict[str, Any]:
    """Return what farther levels set: a check's fields are looked at together with those."""
    if scope == ALL:
        return {}
    domain, local = parse_scope(scope)
    below = desk.policy.settings(ALL)
    if local:
        below |= desk.policy.settings(f"domain:{domain}")
    return below


def _checked(desk: Desk, values: dict[str, Any], level: str, present: Values) -> dict[str, Any]:
    """Return the values as they are kept; DeskError for the first that cannot be."""
    if not desk.admin:
        _leave_the_machine_alone(desk, values, present)
    try:
        return check_settings(values, _defaults_for(desk, values), level, present)
    except SettingError as error:
        raise DeskError(str(error)) from error


def _leave_the_machine_alone(desk: Desk, values: Values, present: Values) -> None:
    """DeskError where an owner says where this machine connects to; what stands there already may stay."""
    from gatepost.plugin.faces import machine_settings

    for key, value in values.items():
        name, _, own = key.partition(".")
        loaded = desk.registry.get(name) if own else None
        if loaded is None or loaded.error or present.get(key) == value:
            continue
        if own in machine_settings(loaded.plugin):
            raise DeskError(f"{key}: only an administrator sets it")


def _defaults_for(desk: Desk, values: Values) -> Mapping[str, PluginDefaults]:
    """Return what is known of the checks; they are not even loaded where only core settings are meant."""
    if all(key in SETTINGS for key in values):
        return {}
    return desk.registry.defaults()
