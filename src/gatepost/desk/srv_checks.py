"""The checks of the systems that came before, by the names of ours.

In the old layout a file `checks/NAME` switches a check on, and what has no file is off. Names of
our own checks are read as well. What this installation has no check for is told, and kept by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gatepost.policy.settings import PluginDefaults

OLD_CHECKS = {
    "address": "headers",
    "clamav": "clamav",
    "date": "headers",
    "dkim": "dkim",
    "empty_body": "headers",
    "greylisting": "greylist",
    "helo": "helo_name",
    "mailers": "headers",
    "mailman": "headers",
    "rdns": "rdns",
    "rdns4": "rdns",
    "rdns6": "rdns",
    "sender": "sender_domain",
    "spf": "spf",
}
"""Old name -> the check that looks at the same thing."""
FINDINGS = {
    "address": ("missing_from", "odd_from"),
    "date": ("missing_date",),
    "empty_body": ("empty_body",),
    "mailers": ("bad_mailer",),
    "mailman": ("mailman",),
}
"""Old checks that are one check here: the findings of `headers` that each of them refused for."""
NEW_NAMES = {"clamav": "clamav", "dkim": "dkim", "greylist": "greylisting", "helo_name": "helo",
             "rdns": "rdns", "sender_domain": "sender", "spf": "spf"}  # fmt: skip
"""Our check -> the name that it is exported under."""
ALL = "all"
NOT_IN_ALL = ("greylisting",)
"""`checks/all` did not switch these on; block lists have their own switch, the file `zones`."""
ZONES = "dnsbl"


def switched(
    names: Iterable[str], zones: bool, defaults: Mapping[str, PluginDefaults], old: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return the settings that check names mean, and the names that nothing here answers to.

    `old`: the tree is one of the old systems', where what has no file is off.
    """
    wanted = set(names)
    if ALL in wanted:
        wanted = wanted - {ALL} | {name for name in OLD_CHECKS if name not in NOT_IN_ALL}
    values: dict[str, Any] = {}
    missing = []
    for name in sorted(wanted):
        plugin = plugin_of(name)
        if plugin in defaults and defaults[plugin].scope != "gateway":
            values[f"{plugin}.mode"] = "on"
            values |= {f"{plugin}.{finding}": "refuse" for finding in FINDINGS.get(name, ())}
        else:
            missing.append(name)
    if old and values.get("headers.mode") == "on":  # one of them is on, so the others are off here
        for finding in (one for name in FINDINGS.keys() - wanted for one in FINDINGS[name]):
            values.setdefault(f"headers.{finding}", "ignore")
    if zones and ZONES in defaults:
        values[f"{ZONES}.mode"] = "on"
    if old:
        for plugin in {*OLD_CHECKS.values(), ZONES} & defaults.keys():
            values.setdefault(f"{plugin}.mode", "off")
    return values, missing


def plugin_of(name: str) -> str:
    """Return the name of our check for the name of a file in `checks`."""
    return OLD_CHECKS.get(name, name)
