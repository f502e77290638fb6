"""The checks as one domain (or all domains) has them: switch, settings, own list, and what each did lately.

A page, the API and a program ask here; the values themselves are set by `domains.set_values`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.desk import domains, lists
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.stats import stats
from gatepost.plugin.base import Scope
from gatepost.plugin.faces import sentence
from gatepost.plugin.registry import Loaded
from gatepost.policy.faults import in_words
from gatepost.policy.policy import Mode, PluginPolicy
from gatepost.policy.settings import is_secret
from gatepost.store.scopes import ALL

LATELY = 7 * 86_400
"""Seconds that "this week" is."""
SWITCHES = ("mode", "action", "on_failure")


@dataclass(frozen=True, slots=True)
class Did:
    """What a check did lately."""

    refused: int = 0
    deferred: int = 0
    would_refuse: int = 0
    """On watch: mails that it would have refused."""
    of_accepted: int = 0
    """Of these, mails that got in: what switching it on would change."""


@dataclass(frozen=True, slots=True)
class Line:
    """One check in the list of a domain's checks."""

    name: str
    does: str
    """The first paragraph of its docstring, or why it did not load."""
    mode: str
    origin: str
    """Where the mode comes from: `default`, `all`, `domain`."""
    did: Did
    allowed: int
    """Allow entries for this check alone."""
    set_here: int = 0
    """Of its settings but the switch, how many are set for just this place."""
    error: bool = False


def listing(desk: Desk, word: str | None) -> list[Line]:
    """Return the checks of a domain or (None) of all domains, those that are at work first."""
    policy, _ = domains.resolved(desk, word)
    did = lately(desk, word)
    own: dict[str, int] = {}
    for one in lists.show(desk, word):
        if one.entry.plugin and one.entry.kind == "allow":
            own[one.entry.plugin] = own.get(one.entry.plugin, 0) + 1
    set_here = Counter(
        key.partition(".")[0] for key in domains.own_values(desk, word) if not key.endswith(".mode")
    )
    found = []
    for loaded in desk.registry:
        set_for = policy.plugins.get(loaded.name)
        if not _shown(loaded, word) or set_for is None:
            continue
        does = f"did not load: {loaded.error}" if loaded.error else sentence(loaded.plugin)
        found.append(
            Line(
                loaded.name,
                does,
                str(set_for.mode),
                set_for.origin.get("mode", "default"),
                did.get(loaded.name, Did()),
                own.get(loaded.name, 0),
                set_here[loaded.name],
                bool(loaded.error),
            )
        )
    order = {Mode.ON: 0, Mode.WATCH: 1, Mode.OFF: 2}
    return sorted(found, key=lambda line: (order[Mode(line.mode)], line.name))


def one(desk: Desk, word: str | None, name: str) -> tuple[Loaded, PluginPolicy]:
    """Return a check and how it is set there; NotFound for one that there is not."""
    loaded = desk.registry.get(name)
    policy = domains.resolved(desk, word)[0].plugins.get(name) if loaded is not None else None
    if loaded is None or policy is None or not _shown(loaded, word):
        raise NotFound(f"there is no check {name!r}")
    return loaded, policy


def lately(desk: Desk, word: str | None) -> dict[str, Did]:
    """Return what each check did in the last seven days; of a mailbox alone nothing is counted."""
    if word is not None and "@" in word:
        return {}
    told = stats(desk, word, desk.clock() - LATELY)
    would = {one.check: one for one in told.watched}
    did = {one.check: one for one in told.checks}
    return {
        name: Did(
            did[name].refused if name in did else 0,
            did[name].deferred if name in did else 0,
            would[name].would_refuse if name in would else 0,
            would[name].accepted if name in would else 0,
        )
        for name in did.keys() | would.keys()
    }


def values_as_written(desk: Desk, word: str | None, loaded: Loaded) -> dict[str, tuple[Any, str]]:
    """Return the check's own fields as somebody wrote them, else the defaults; and whence."""
    found = {
        name: (value, "default") for name, value in loaded.plugin.settings().model_dump(mode="json").items()
    }
    scopes: list[tuple[str, str | None]] = [("all", None)]
    if word is not None:
        local, _, domain = word.rpartition("@")
        scopes += [("domain", domain), *([("mailbox", word)] if local else [])]
    for origin, place in scopes:
        written = desk.policy.settings(ALL) if place is None else domains.own_values(desk, place)
        for key, value in written.items():
            name, _, field = key.partition(".")
            if name == loaded.name and field in found:
                found[field] = value, origin
    return found


def faults(loaded: Loaded, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a check's own fields: field -> why; "" is all of them together."""
    from pydantic import ValidationError

    try:
        loaded.plugin.settings.model_validate(dict(values))
    except ValidationError as error:
        found: dict[str, str] = {}
        for fault in error.errors():
            field = str(fault["loc"][0]) if fault["loc"] else ""
            found.setdefault(field, in_words(fault, secret=is_secret(field)))
        return found
    return {}


def set_mode(desk: Desk, word: str | None, name: str, mode: str) -> int:
    """Turn the switch; returns the version that has it."""
    one(desk, word, name)
    if mode not in tuple(Mode):
        raise DeskError(f"{mode!r} is not off, watch or on")
    return domains.set_values(desk, word, {f"{name}.mode": mode})


def own_keys(desk: Desk, word: str | None, name: str) -> list[str]:
    """Return the keys of a check that are set for just this domain (or all domains)."""
    return [key for key in domains.own_values(desk, word) if key.startswith(f"{name}.")]


def reset(desk: Desk, word: str | None, name: str) -> int:
    """Let the values of farther levels hold for this check again; returns the version."""
    loaded, _ = one(desk, word, name)
    gone = own_keys(desk, word, loaded.name)
    return domains.unset_values(desk, word, gone) if gone else desk.policy.version()


def _shown(loaded: Loaded, word: str | None) -> bool:
    return word is None or loaded.plugin.scope is not Scope.GATEWAY
