"""A domain's policy compiled into the order in which its checks are asked.

A `Step` is one hook of one plugin under one policy, with everything that does not change from
mail to mail worked out. A `Plan` holds a policy's steps in groups; a group is what may run at
once. Groups go by cost, so that a dear check is not asked about a mail that a cheap one refused
(what needs a dear one's facts is as dear as that), and within a cost by wave: a check that needs
another's facts comes after it. Built once per
policy and kept with it; the order is made by sorting, there is no hand-kept list.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from gatepost.mail.verdict import Allow
from gatepost.plugin.base import Cost, Plugin, Scope
from gatepost.plugin.hooks import EARLY, HOOKS, hooks_of
from gatepost.policy.decide import Finding
from gatepost.policy.lists import Lists
from gatepost.policy.policy import Action, DomainPolicy, Mode, PluginPolicy

if TYPE_CHECKING:
    from gatepost.plugin.registry import Loaded, Registry

FORGET, SESSION, TRANSACTION = 0, 1, 2
"""Where a step's answer is remembered."""

_ORDER = {name: n for n, name in enumerate(HOOKS)}
_TIERS = {Cost.MEMORY: 0, Cost.DNS: 1, Cost.NETWORK: 2, Cost.CPU: 2, Cost.LAST: 2}

_NEVER: Any = object()

Groups = tuple[tuple["Step", ...], ...]
Rank = tuple[int, int]
Asked = tuple[Plugin, str, Cost]
"""A hook of a plugin, and what it costs under a policy."""


class Step:
    """One hook of one plugin under one policy."""

    __slots__ = (
        "_domain",
        "again",
        "call",
        "cost",
        "decides",
        "final",
        "hook",
        "index",
        "keep",
        "key",
        "last",
        "lists",
        "may",
        "nothing",
        "outlives_mail",
        "plugin",
        "policy",
        "rank",
        "sees_recipient",
        "settings",
        "state",
        "task",
        "usual",
        "usual_finding",
    )

    def __init__(self, loaded: Loaded, hook: str, policy: PluginPolicy, domain: DomainPolicy | None) -> None:
        plugin: Plugin = loaded.plugin
        scope = plugin.scope
        self.plugin = plugin
        self.index: int = loaded.index
        """What the worker writes to its board while the plugin runs."""
        self.hook = hook
        self.call: Callable[[Any], Any] = getattr(plugin, hook)
        self.policy = policy
        self.settings = policy.settings
        shared = scope in (Scope.SESSION, Scope.GATEWAY)
        # Weak: the policy keeps its plan, and a circle of the two would outlive it until a rare collection.
        self._domain = None if shared or domain is None else weakref.ref(domain)
        self.key = (plugin.name, hook, policy.key, "" if shared or domain is None else domain.domain)
        """Equal keys have equal answers."""
        early = hook in EARLY and scope in (Scope.SESSION, Scope.DOMAIN)
        self.outlives_mail = early and hook != "mail"
        """The answer holds for the session, so it must not look at one mail."""
        self.keep = FORGET if not early else SESSION if self.outlives_mail else TRANSACTION
        self.sees_recipient = hook in ("address", "rcpt", "done") or scope is Scope.RECIPIENT
        self.may = HOOKS[hook].may
        self.final = plugin.unskippable and policy.mode is Mode.ON and policy.action is Action.REJECT
        """Its `Reject` is the last word: nothing else needs to be asked."""
        self.decides = policy.mode is Mode.ON and policy.action is Action.REJECT
        """Its `Reject` makes dearer checks needless."""
        self.lists = policy.lists if plugin.own_list and policy.lists else None
        self.cost = plugin.cost if domain is None else plugin.cost_in(domain)
        self.task = not loaded.built_in or self.cost in (Cost.NETWORK, Cost.CPU)
        """Its coroutine gets a task before its first step (see `base.Cost`)."""
        self.state: Any = None
        """`tools.BoundState` of the plugin and the domain, once it was asked for."""
        self.last: Any = None
        self.usual: Any = _NEVER
        """The object that the plugin returned twice running; its finding is shared like `nothing`."""
        self.usual_finding: Any = None
        self.rank = (0, 0)
        self.nothing = _silent(plugin.name, hook, policy.mode, policy.action, False)
        """The shared finding for "no opinion, in no time to speak of"."""
        self.again = _silent(plugin.name, hook, policy.mode, policy.action, True)

    @property
    def domain_policy(self) -> DomainPolicy | None:
        """The policy of the domain that is asked for (its recipient keeps it); None: it is none's."""
        return self._domain() if self._domain is not None else None


class Plan:
    """All steps of one policy, by what they are asked for."""

    __slots__ = (
        "address",
        "content",
        "done",
        "done_refused",
        "essential",
        "idle",
        "needs_host",
        "reads_body",
        "recipient",
    )

    def __init__(self, registry: Registry, policy: DomainPolicy) -> None:
        every = list(_steps(registry, policy))
        steps = [s for s in every if s.plugin.has_work(s.hook, s.settings, policy)]
        before = (*EARLY, "rcpt")
        self.idle = [s.nothing for s in every if s not in steps and s.hook in before]
        """What checks without work say of each recipient."""
        self.recipient: Groups = arrange([s for s in steps if s.hook in before], policy)
        self.content: Groups = arrange([s for s in steps if s.hook in ("headers", "message")], policy)
        self.essential: Groups = tuple(
            kept for group in self.content if (kept := tuple(s for s in group if s.plugin.unskippable))
        )
        """What postmaster and abuse are not spared (CONTRACT 4): viruses."""
        self.address = [s for s in steps if s.hook == "address"]
        self.done = [s for s in steps if s.hook == "done"]
        self.done_refused = [s for s in self.done if not s.plugin.done_accepted]
        self.reads_body = any(s.hook == "message" and s.plugin.reads_body for s in steps)
        self.needs_host = wants_host(policy.lists) or any(
            s.plugin.needs_host or (s.lists is not None and wants_host(s.lists)) for s in steps
        )


def _steps(registry: Registry, policy: DomainPolicy) -> Iterable[Step]:
    for loaded in registry:
        wanted = policy.plugins.get(loaded.name)
        plugin = loaded.plugin
        if wanted is None or wanted.mode is Mode.OFF or plugin.scope is Scope.GATEWAY:
            continue
        for hook in hooks_of(plugin):
            yield Step(loaded, hook, wanted, policy)


def wants_host(lists: Lists) -> bool:
    """Return True when an entry can only be matched with the client's rDNS name."""
    return bool(lists) and bool(lists.needs_host)


def arrange(steps: Sequence[Step], policy: DomainPolicy) -> Groups:
    """Sort steps into groups: facts before those who need them, then cheap before dear."""
    ordered = sorted(steps, key=lambda s: (_ORDER[s.hook], s.index))
    ranks = ranks_of(tuple((s.plugin, s.hook, s.cost) for s in ordered))
    groups: dict[Rank, list[Step]] = {}
    for step, rank in zip(ordered, ranks, strict=True):
        step.rank = rank
        groups.setdefault(rank, []).append(step)
    may_allow = any(vouches(s.plugin.__module__) for s in ordered)
    # An allow entry makes nothing of a refusal, and what it does not lead past must be known then.
    lists = policy.lists
    allows = any(entry.kind == "allow" for table in lists.tables for entry in table.entries)
    musts = [s.rank for s in ordered if s.plugin.unskippable] if allows else []
    for step in ordered:
        step.decides = step.decides and not may_allow and not any(must > step.rank for must in musts)
        step.final = step.final or (step.decides and step.plugin.knows_recipients)
    return tuple(tuple(sorted(groups[rank], key=_turn)) for rank in sorted(groups))


def _turn(step: Step) -> tuple[object, ...]:
    """Return the place in a group: first whose refusal is the last word."""
    plugin = step.plugin
    return not plugin.unskippable, not plugin.knows_recipients, _ORDER[step.hook], step.index


@lru_cache(1024)
def ranks_of(shape: tuple[Asked, ...]) -> tuple[Rank, ...]:
    """Return (tier, wave) of each hook asked, given in their fixed order: most domains have one shape."""
    tiers: dict[Asked, int] = {}
    waves: dict[Asked, int] = {}

    def tier(asked: Asked, above: frozenset[Asked]) -> int:
        """A cheap check that needs what a dear one tells is as late as that one."""
        known = tiers.get(asked)
        if known is not None:
            return known
        least = _TIERS[asked[2]]
        for other in shape:
            if other[0] is not asked[0] and other not in above and needs(asked[0], other[0]):
                least = max(least, tier(other, above | {asked}))
        if not above:
            tiers[asked] = least
        return least

    def wave(asked: Asked, above: frozenset[Asked]) -> int:
        known = waves.get(asked)
        if known is not None:
            return known
        plugin, hook, _ = asked
        least = 0
        for other in shape:
            if other == asked or other in above:
                continue  # a circle of needs: who comes first in the order is asked first
            if other[0] is plugin:
                if _ORDER[other[1]] < _ORDER[hook]:
                    waits = iscoroutinefunction(getattr(plugin, other[1]))
                    least = max(least, wave(other, above | {asked}) + waits)
            elif needs(plugin, other[0]):
                least = max(least, wave(other, above | {asked}) + 1)
        if not above:
            waves[asked] = least
        return least

    return tuple((tier(asked, frozenset()), wave(asked, frozenset())) for asked in shape)


def needs(plugin: Plugin, other: Plugin) -> bool:
    """Return True when `other` tells a fact that `plugin` needs."""
    return any(fact in other.tells for fact in plugin.needs)


@lru_cache(1024)
def vouches(module: str) -> bool:
    """Return True when a plugin of this module may return `Allow`: then a refusal by another ends no asking.

    Read from the module: who never imported `Allow` cannot return one.
    """
    there = sys.modules.get(module)
    return there is None or any(value is Allow for value in vars(there).values())


@lru_cache(4096)
def _silent(plugin: str, hook: str, mode: Mode, action: Action, remembered: bool) -> Finding:
    """The finding of a check that says nothing: one object for all domains (100,000 may be in memory)."""
    return Finding(plugin, hook, None, mode, action, remembered=remembered)
