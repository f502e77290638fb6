"""Rules about addresses (`localpart_rules`): list with their hits, add, move, remove, try, import.

They are a setting like any other (`localpart_rules.rules`), so they are in the list of changes and
can be rolled back. A domain that gets its first rule keeps those of all domains before it: a
nearer setting would else put the farther one out of force without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.rule_files import SIX, Format, read_rules
from gatepost.desk.scopes import hosted, hosted_scope
from gatepost.mail.address import AddressError, parse_address
from gatepost.plugins.localpart_rules import DAY, MONTH, LocalpartRules, Rule, Settings, compiled
from gatepost.policy.faults import in_words
from gatepost.policy.policy import Mode
from gatepost.store.scopes import ALL, EVERYWHERE, parse_scope

CHECK = LocalpartRules.name
KEY = f"{CHECK}.rules"
LOOKED_THROUGH = 10_000
"""Listed recipients that a new rule is held against."""
NAMED = 10

Rules = tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """One rule in force, with its hits."""

    rule: Rule
    day: int
    """Within about 24 hours."""
    month: int
    """Within about 30 days."""
    last: float | None
    """Seconds since 1970 of the last hit, to the minute."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What the rules say of an address."""

    address: str
    rule: Rule | None
    """The one that decides; None: none matches."""
    mode: Mode
    """The switch of the check in that domain."""

    @property
    def refused(self) -> bool:
        """The address would be refused or deferred."""
        return self.rule is not None and self.rule.then != "pass" and self.mode is Mode.ON


@dataclass(slots=True)
class Added:
    """What adding or importing rules did."""

    added: list[Rule] = field(default_factory=list)
    same: int = 0
    """Rules that stood there already."""
    caught: list[str] = field(default_factory=list)
    """Listed recipients that are refused now; at most `NAMED`."""
    caught_count: int = 0
    remarks: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


def in_force(desk: Desk, word: str | None) -> Rules:
    """Return the rules of a domain, a mailbox, or (None) those set for all domains."""
    policy, _ = domains.resolved(desk, word)
    settings = policy.plugins[LocalpartRules.name].settings
    return settings.rules if isinstance(settings, Settings) else ()


def listing(desk: Desk, word: str | None) -> list[Counted]:
    """Return the rules with their hits. Hits are a domain's: for all domains none are told."""
    rules = in_force(desk, word)
    domain, _ = parse_scope(hosted_scope(desk, word)[0])
    return asyncio.run(_counted(desk, domain, rules))


async def _counted(desk: Desk, domain: str, rules: Rules) -> list[Counted]:
    found = []
    for rule in rules:
        if domain == EVERYWHERE:
            found.append(Counted(rule, 0, 0, None))
            continue
        state = desk.state_of(LocalpartRules.name, domain)
        last = await state.get(f"last {rule.id}")
        day, month = [await state.add(f"hits {rule.id}", 0, window) for window in (DAY, MONTH)]
        found.append(Counted(rule, day, month, float(last) if last is not None else None))
    return found


def add(
    desk: Desk, word: str | None, rules: Sequence[Rule], *, first: bool = False, expect: int | None = None
) -> Added:
    """Put rules behind those that stand there (or, `first`, before them).

    `expect`, here and below: the version of the policy that the caller saw; Conflict if it changed since.
    """
    done = Added()
    present = in_force(desk, word)
    known = {rule.id for rule in present}
    for rule in rules:
        if rule.id in known:
            done.same += 1
        else:
            known.add(rule.id)
            done.added.append(rule)
            if rule.on == "localpart" and "@" in rule.pattern:
                done.remarks.append(f"{rule.pattern}: only the local part is looked at, which has no @")
    if done.added:
        new = (*done.added, *present) if first else (*present, *done.added)
        _set(desk, word, new, expect)
        if word is not None and "@" not in word:
            _look_through(desk, word, new, done)
    return done


def make(**fields: object) -> Rule:
    """Return a rule; DeskError says what is wrong with it."""
    try:
        return Rule.model_validate(fields)
    except ValidationError as error:
        said = "; ".join(in_words(fault) for fault in error.errors())
        raise DeskError(said) from error


def import_file(
    desk: Desk, word: str | None, data: bytes, kind: Format | None = None, *, expect: int | None = None
) -> Added:
    """Take over the rules of a file (`rule_files`); what is bad is told and left out."""
    read = read_rules(data, kind)
    if read.bad and not read.rules:
        raise DeskError(f"no rule could be read ({read.bad[0]})")
    done = add(desk, word, read.rules, expect=expect)
    done.remarks, done.bad = [*read.remarks, *done.remarks], read.bad
    return done


def import_six(desk: Desk, word: str | None, *, expect: int | None = None) -> Added:
    """Add the six patterns of 2009."""
    return import_file(desk, word, SIX.encode(), "patterns", expect=expect)


def remove(desk: Desk, word: str | None, what: str, *, expect: int | None = None) -> list[Rule]:
    """Take rules away, by id or by pattern; returns those that went."""
    present = in_force(desk, word)
    gone = [rule for rule in present if what in (rule.id, f"#{rule.id}", rule.pattern)]
    if not gone:
        raise NotFound(f"there is no rule {what!r} for {word or 'all domains'}")
    _set(desk, word, tuple(rule for rule in present if rule not in gone), expect)
    return gone


def move(desk: Desk, word: str | None, rule_id: str, place: int, *, expect: int | None = None) -> None:
    """Put a rule at a place, from 1: the first that matches decides. Beyond the end is the end."""
    present = in_force(desk, word)
    moved = next((rule for rule in present if rule.id == rule_id), None)
    if moved is None:
        raise NotFound(f"there is no rule {rule_id!r} for {word or 'all domains'}")
    rest = [rule for rule in present if rule is not moved]
    rest.insert(max(0, place - 1), moved)
    if tuple(rest) != present:
        _set(desk, word, tuple(rest), expect)


def origin(desk: Desk, word: str | None) -> str:
    """Return whose the rules in force are: `default` (there are none), `all`, `domain` or `mailbox`."""
    policy, _ = domains.resolved(desk, word)
    return policy.plugins[LocalpartRules.name].origin.get("rules", "default")


def test(desk: Desk, domain: str, addresses: Sequence[str], draft: Rules | None = None) -> list[Tested]:
    """Say what the rules of a domain (or draft ones) make of addresses, `ann` or `ann@example.org`."""
    name = hosted(desk, domain)
    found = []
    for text in addresses:
        try:
            address = parse_address(text if "@" in text else f"{text}@{name}")
        except AddressError as error:
            raise DeskError(f"{text!r}: {error}") from error
        if address.domain != name:
            raise DeskError(f"{text!r} is not of {name}")
        policy, _ = domains.resolved(desk, name)
        own = policy.for_mailbox(address.key[0]).plugins[LocalpartRules.name]
        rules = draft if draft is not None else own.settings.rules
        number = compiled(rules).first(address.local, address.domain)
        found.append(Tested(address.text, None if number is None else rules[number], own.mode))
    return found


def _set(desk: Desk, word: str | None, rules: Rules, expect: int | None) -> None:
    scope, _ = hosted_scope(desk, word)
    if not rules and scope == ALL:
        domains.unset_values(desk, word, [KEY], expect)
        return
    kept = [rule.model_dump(exclude_defaults=True) for rule in rules]
    domains.set_values(desk, word, {KEY: kept}, expect)


def _look_through(desk: Desk, domain: str, rules: Rules, done: Added) -> None:
    """Name the listed recipients that the rules refuse now: a pattern easily catches too much."""
    name = hosted(desk, domain)
    ready = compiled(rules)
    for row in desk.policy.recipients(name, "", LOOKED_THROUGH):
        number = ready.first(row.local, name) if row.kind == "valid" and row.local != "*" else None
        if number is None or rules[number].then == "pass":
            continue
        done.caught_count += 1
        if len(done.caught) < NAMED:
            done.caught.append(row.local)
