"""BATV of a domain as its owner sees it: keys, and the addresses whose outgoing mail is signed.

All of it are settings of the check `bounce`, so it is in the backup, in the list of changes (without
the secrets) and in force within a second. Since when an address is signed is a record that the
outgoing door or the first good tag makes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.desk import domains
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import hosted
from gatepost.mail.address import Address, AddressError, fold, parse_address
from gatepost.mail.batv import fits
from gatepost.plugin.batv import EVERYBODY, MAX_KEYS, PLUGIN, BatvSettings, check_tag, since_key
from gatepost.policy.policy import Mode

CHECK = PLUGIN
DAY = 86_400
MOST = 10_000
"""Signed addresses that are listed."""
KEYS, ADDRESSES = f"{PLUGIN}.batv_keys", f"{PLUGIN}.batv_addresses"


@dataclass(frozen=True, slots=True)
class Signed:
    """An address whose outgoing mail is signed."""

    local: str
    since: float | None
    """Seconds since 1970; None: no signed mail of it was seen yet (`*` stands for many)."""


@dataclass(frozen=True, slots=True)
class Status:
    """BATV in one domain."""

    domain: str
    numbers: tuple[int, ...]
    """Of the keys that are known; the last one signs."""
    addresses: tuple[Signed, ...]
    checks: bool
    """Bad and missing tags are refused: `bounce.mode` is on and `bounce.batv` too."""
    grace_days: int
    wanted: bool = False
    """`bounce.batv` is on, whatever the switch of the check says."""

    def strict_from(self, one: Signed) -> float | None:
        """Return from when on a bounce without a tag to an address is refused; None: nobody knows yet."""
        if not self.grace_days:
            return 0.0
        return None if one.since is None else one.since + self.grace_days * DAY


def show(desk: Desk, domain: str) -> Status:
    """Return the state of BATV in a domain."""
    name = hosted(desk, domain)
    policy, _ = domains.resolved(desk, name)
    own = policy.plugins[PLUGIN]
    settings: BatvSettings = own.settings
    seen = _seen(desk, name)
    listed = dict.fromkeys(
        (*settings.batv_addresses, *(seen if EVERYBODY in settings.batv_addresses else ()))
    )
    signed = tuple(Signed(local, seen.get(local)) for local in listed)
    checks = own.mode is Mode.ON and settings.batv
    return Status(name, tuple(settings.keys), signed, checks, settings.batv_grace_days, settings.batv)


def refuse(desk: Desk, domain: str, on: bool) -> None:
    """Refuse bad and missing tags, or let them pass; the check `bounce` has to be on too."""
    domains.set_values(desk, hosted(desk, domain), {f"{PLUGIN}.batv": on})


def new_key(desk: Desk, domain: str, *, expect: int | None = None) -> int:
    """Make a key, which signs from now on; returns its number. Old ones go on for tags under way.

    `expect`, here and below: the version of the policy that the caller saw; Conflict if it changed since.
    """
    name = hosted(desk, domain)
    number, keys = _one_more(_own(desk, name, KEYS))
    domains.set_values(desk, name, {KEYS: keys}, expect)
    return number


def drop_key(desk: Desk, domain: str, number: int, *, expect: int | None = None) -> None:
    """Forget an old key: tags made with it are bad from now on. Not the one that signs."""
    name = hosted(desk, domain)
    keys = _own(desk, name, KEYS)
    if not any(key[0] == str(number) for key in keys):
        raise NotFound(f"{name} has no key {number}")
    if keys[-1][0] == str(number):
        raise DeskError(f"key {number} signs; make a new one first (gatepost batv key {name})")
    domains.set_values(desk, name, {KEYS: [key for key in keys if key[0] != str(number)]}, expect)


def add(desk: Desk, domain: str, locals_: Iterable[str], *, expect: int | None = None) -> list[str]:
    """Sign the mail of these addresses (`*`: of all) from now on; the domain gets a key if it has none."""
    name = hosted(desk, domain)
    keys = _own(desk, name, KEYS)
    values = {} if keys else {KEYS: _one_more(keys)[1]}
    given = [_local(one, name) for one in locals_]
    for one in given:
        if one != EVERYBODY and not fits(one):
            raise DeskError(
                f"{one}: too long for a tag, or only to be written in quotes: it cannot be signed"
            )
    present = _own(desk, name, ADDRESSES)
    added = [one for one in dict.fromkeys(given) if one not in present]
    if added:
        values[ADDRESSES] = [*present, *added]
    domains.set_values(desk, name, values, expect)
    return added


def remove(desk: Desk, domain: str, locals_: Iterable[str], *, expect: int | None = None) -> list[str]:
    """Sign their mail no longer; bounces without a tag are let in at once. Signed anew, grace begins anew."""
    name = hosted(desk, domain)
    given = [_local(one, name) for one in locals_]
    present = _own(desk, name, ADDRESSES)
    gone = [one for one in present if one in given]
    if not gone:
        raise NotFound(f"none of these addresses of {name} is signed")
    domains.set_values(desk, name, {ADDRESSES: [one for one in present if one not in gone]}, expect)
    left = {one for one in present if one not in gone}
    for local in _seen(desk, name):
        if local not in left and EVERYBODY not in left:
            at_once(desk.records.delete(name, PLUGIN, since_key(local)))
    return gone


def tag(desk: Desk, address: str) -> str:
    """Return an address with its tag of today, as it goes out; DeskError where it is not signed."""
    parsed = _address(address)
    tagged = _settings(desk, parsed).tagged(parsed, desk.clock())
    if tagged is None:
        raise DeskError(f"{address} is not signed (gatepost batv add {parsed.domain} {parsed.local})")
    return tagged.text


def check(desk: Desk, address: str) -> tuple[bool, str]:
    """Say whether the tag of an address is good, and why."""
    parsed = _address(address)
    checked = check_tag(_settings(desk, parsed), parsed, desk.clock())
    return (False, "no tag, or no keys") if checked is None else (checked.valid, checked.reason)


def _settings(desk: Desk, address: Address) -> BatvSettings:
    policy, _ = domains.resolved(desk, hosted(desk, address.domain))
    settings: BatvSettings = policy.plugins[PLUGIN].settings
    return settings


def _one_more(keys: list[str]) -> tuple[int, list[str]]:
    """Return the number of a new key, and the keys with it in the place of the oldest of its number."""
    number = (int(keys[-1][0]) + 1) % MAX_KEYS if keys else 0
    kept = [key for key in keys if key[0] != str(number)]
    return number, [*kept, f"{number}:{secrets.token_hex(16)}"]


def _own(desk: Desk, name: str, key: str) -> list[str]:
    return list(domains.own_values(desk, name).get(key, ()))


def _seen(desk: Desk, domain: str) -> dict[str, float]:
    """Return local part -> since when signed mail of it was seen."""
    begin = since_key("")
    rows = at_once(desk.records.list(domain, PLUGIN, begin, MOST))
    return {key.removeprefix(begin): float(record["since"]) for key, record in rows}


def _local(text: str, domain: str) -> str:
    local, at, behind = text.rpartition("@")
    if at and behind.lower() != domain:
        raise DeskError(f"{text} is no address of {domain}")
    return fold(local if at else behind)


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except AddressError as error:
        raise DeskError(f"{text!r}: {error}") from error
