"""Read what a tree of files says about a domain, as rows of the policy.

    DOMAIN/users/valid/NAME        a file: a recipient; a folder: only from the clients named in it
    DOMAIN/users/invalid/NAME      beats valid and the wildcard `*`
    DOMAIN/checks/NAME             a check that is on; NAME/whitelisted/... lets past this check alone
    DOMAIN/zones                   DNS block lists, one a line
    DOMAIN/{white,black}listed/{ips,hosts,senders,domains,tld,helo}/X     whitelisted/recipients/NAME as well
    DOMAIN/settings                KEY=VALUE, one a line (ours: the old systems had none)
    DOMAIN/mailboxes/NAME/...      settings and lists of one mailbox (ours too)
    _global_/...                   lists, settings and zones for all domains

A file's presence says it; its content is read where it is ours (`gatepost {"note": ...}`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from gatepost.desk.srv_checks import ZONES, plugin_of, switched
from gatepost.desk.srv_tree import Tree
from gatepost.policy.entries import EntryError, parse_entry
from gatepost.policy.settings import PluginDefaults, SettingError, check_settings, read_value
from gatepost.store.base import StoreError
from gatepost.store.policy_files import NO_MARKS, Key
from gatepost.store.scopes import EVERYWHERE, local_part

GLOBAL = "_global_"
LISTS = {"whitelisted": "allow", "blacklisted": "deny"}
FIELDS = {
    "ips": ("ip", "net"),
    "hosts": ("host",),
    "senders": ("sender",),
    "domains": ("sender_domain",),
    "tld": ("tld",),
    "helo": ("helo",),
}
"""Folder -> what its names are about."""
PREFIX = {"hosts": "host:", "domains": "domain:", "tld": "tld:", "helo": "helo:"}
EVERYBODY = ("0.0.0.0/0", "::/0")
"""Whatever comes for a whitelisted recipient comes from there."""
MARK = "gatepost "
Defaults = Mapping[str, PluginDefaults]
Wrong = (EntryError, StoreError, ValueError)


class DomainReader:
    """Reads one domain (`*`: what holds for all), bit by bit into `rows`."""

    def __init__(self, tree: Tree, domain: str, folder: Path, defaults: Defaults) -> None:
        self.tree = tree
        self.domain = domain
        self.folder = folder
        self.defaults = defaults
        self.rows: dict[Key, Any] = {}

    def read(self) -> dict[Key, Any]:
        """Return the rows; what is wrong is noted in the tree. OSError: something cannot be read."""
        if self.domain != EVERYWHERE:
            self._users()
            for local, place, is_folder in self._checked(self.folder / "mailboxes", local_part):
                if is_folder:
                    self._settings(place, local, {})
                    self._lists(place, local, "")
                    for name, check, _ in self.tree.names(place / "checks"):
                        self._lists(check, local, plugin_of(name))
        self._lists(self.folder, "", "")
        self._settings(self.folder, "", self._switches())
        return self.rows

    def _users(self) -> None:
        for local, place, is_folder in self._checked(self.folder / "users" / "valid", local_part):
            acl = None
            if is_folder:
                acl = [net for net, _, _ in self._checked(place, lambda text: str(ip_network(text)))]
            self.rows["recipient", local, "valid"] = acl
        for local, _, _ in self._checked(self.folder / "users" / "invalid", local_part):
            self.rows["recipient", local, "invalid"] = None

    def _lists(self, folder: Path, local: str, plugin: str) -> None:
        for name, kind in LISTS.items():
            for what, place, _ in self.tree.names(folder / name):
                if what == "recipients" and kind == "allow" and self.domain != EVERYWHERE and not local:
                    for mailbox, _, _ in self._checked(place, local_part):
                        for net in EVERYBODY:
                            self.rows["entry", mailbox, plugin, kind, "net", net] = dict(NO_MARKS)
                elif what in FIELDS:
                    for (field, value), file, _ in self._checked(place, partial(_entry, what)):
                        self.rows["entry", local, plugin, kind, field, value] = self._marks(file)
                else:
                    self.tree.tell(place, f"not a kind of list: {', '.join(FIELDS)}")

    def _switches(self) -> dict[str, Any]:
        checks = []
        for name, place, is_folder in self.tree.names(self.folder / "checks"):
            if is_folder:
                self._lists(place, "", plugin_of(name))
            if not is_folder or not (place / "only-lists").exists():
                checks.append((name, place))
        if self.domain == EVERYWHERE and checks:
            self.tree.tell(self.folder / "checks", "checks are switched on per domain")
            checks = []
        zones = self.tree.lines(self.folder / "zones")
        old = self.domain != EVERYWHERE and not (self.folder / "settings").exists()
        values, missing = switched((name for name, _ in checks), bool(zones), self.defaults, old)
        for name in missing:
            self.rows["kept", "checks", name] = None
            self.tree.tell(self.folder / "checks" / name, "there is no such check here; the name is kept")
        if zones:
            values[f"{ZONES}.zones"] = [zone for zone in zones if self._is_zone(zone)]
        return values

    def _is_zone(self, zone: str) -> bool:
        try:
            check_settings({f"{ZONES}.zones": [zone]}, self.defaults)
        except SettingError as error:
            self.tree.tell(self.folder / "zones", str(error))
            return False
        return True

    def _settings(self, folder: Path, local: str, values: dict[str, Any]) -> None:
        """Take settings over one by one, so that a wrong one does not cost the others."""
        place = folder / "settings"
        level = "mailbox" if local else "all" if self.domain == EVERYWHERE else "domain"
        for line in self.tree.text(place).splitlines():
            key, equals, text = line.strip().partition("=")
            if equals and not key.startswith("#"):
                values.setdefault(key.strip(), read_value(text.strip()))
        good: dict[str, Any] = {}
        for key, value in values.items():
            try:
                good |= check_settings({key: value}, self.defaults, level, good)
            except SettingError as error:
                self.tree.tell(place if place.exists() else folder, str(error))
        for key, value in good.items():
            self.rows["setting", local, key] = value

    def _checked(self, folder: Path, check: Callable[[str], Any]) -> list[tuple[Any, Path, bool]]:
        """Return (what a name means, its place, is a folder); what means nothing is told."""
        found = []
        for name, place, is_folder in self.tree.names(folder):
            try:
                found.append((check(name), place, is_folder))
            except Wrong as error:
                self.tree.tell(place, str(error))
        return found

    def _marks(self, place: Path) -> dict[str, Any]:
        marks = dict(NO_MARKS)
        try:
            if place.stat().st_size == 0:  # as nearly all of them
                return marks
        except FileNotFoundError:  # removed just now
            return marks
        text = self.tree.text(place)
        if text.startswith(MARK):
            try:
                said = json.loads(text[len(MARK) :])
                marks |= {key: said[key] for key in marks if isinstance(said.get(key), _TYPES[key])}
            except (ValueError, AttributeError):
                self.tree.tell(place, "what it says of its entry cannot be read")
        return marks


_TYPES: Mapping[str, Any] = {"expires": int | float, "note": str, "verified": bool, "locked": bool}


def _entry(what: str, text: str) -> tuple[str, str]:
    if what == "tld" and text.lower() == "unknown":  # what qpsmtpd called a host without a name
        raise EntryError("a host without reverse DNS has no end of a name; the file checks/rdns refuses it")
    field, value = parse_entry(PREFIX.get(what, "") + text)
    if field not in FIELDS[what]:
        raise EntryError(f"{text!r} is not one of {what}")
    return field, value


def read_blacklist_d(tree: Tree, rows: dict[Key, Any]) -> None:
    """Add the client addresses of `/etc/blacklist.d`, which other tools share."""
    for name, place, _ in tree.names(tree.top):
        try:
            field, value = _entry("ips", name)
        except EntryError as error:
            tree.tell(place, str(error))
            continue
        rows.setdefault(("entry", "", "", "deny", field, value), dict(NO_MARKS))
