"""Honest statistics: what refused what, with names that nobody has kept apart from spam.

Guessing names makes most of the noise of a domain; whoever adds it to what the checks kept away
counts mail that no mailbox would ever have seen. So a check's share is said twice: of all that was
refused, and of what would have reached somebody. All is read from counts by hour
(`store/journal_counts.py`), so it takes no longer when the journal is large.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.desk import journal
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.scopes import hosted
from gatepost.store.journal_counts import CLIENTS, HOUR
from gatepost.store.scopes import ScopeError, domain_name

NO_SUCH_USER, CLOSED, SPAM, NOT_HOSTED, RATE, STRANGER, TROUBLE = (
    "no such user",
    "closed",
    "spam",
    "not hosted",
    "too often",
    "stranger",
    "trouble",
)
KINDS = {
    "recipients": NO_SUCH_USER,
    "localpart_rules": NO_SUCH_USER,  # patterns for addresses that nobody has; it says 5.1.1 too
    CLIENTS: CLOSED,  # the user is there, and takes mail from some clients only (5.7.1)
    "relaying": NOT_HOSTED,
    "outgoing": NOT_HOSTED,
    "client_rate": RATE,
    "greylist": STRANGER,
    # Not a word about the mail: the back end's answer, a full disk, a broken policy.
    "": TROUBLE,
    "relay": TROUBLE,
    "archive": TROUBLE,
    "gatepost": TROUBLE,
    "smtp": TROUBLE,
    "policy": TROUBLE,
    "mixed": TROUBLE,
    "poison": TROUBLE,
}
"""Who refused -> what that says of the mail; every other check, also a foreign one, means spam."""
LET_IN = frozenset({"accepted", "queued"})
REFUSED = frozenset({"rejected", "quarantined", "taken"})
"""Fates in which the mail did not reach its recipient, by somebody's decision."""
BACK_END = "back end"
"""How the refusals are named that no check made."""


@dataclass(frozen=True, slots=True)
class Line:
    """Mails (one for each recipient) of a domain, of a day, or of all; `total` is their journal rows."""

    name: str
    """The domain ("" is mail for domains not hosted here), the day (`2026-11-25`, local zone), or ""."""
    total: int
    accepted: int
    """Handed on, or in the queue for it."""
    rejected: int
    quarantined: int
    taken: int
    deferred: int
    abandoned: int
    """The client went away before the message."""
    no_such_user: int
    """Of what was refused (rejected, quarantined or taken): names that nobody has."""
    spam: int
    """Of what was refused: by a check, for what the mail or its sender is."""
    marked: int = 0
    """Of what was accepted: delivered with a mark, which people sort into a folder of their own."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one check refused."""

    check: str
    kind: str
    """What its refusals say, one of `KINDS`: "no such user", "closed", "spam" and so on."""
    rejected: int
    quarantined: int
    taken: int
    deferred: int
    share: float
    """Of everything refused, 0 to 1."""
    share_of_spam: float | None
    """Of what was refused as spam, 0 to 1; None where this check says nothing about spam."""

    @property
    def refused(self) -> int:
        """Mails that did not get in because of it; "later" is not among them."""
        return self.rejected + self.quarantined + self.taken


@dataclass(frozen=True, slots=True)
class Watched:
    """What a check on watch would have refused; points are not among it, since they only add up."""

    check: str
    would_refuse: int
    accepted: int
    """Of these, mails that got in: what switching it on would change."""


@dataclass(frozen=True, slots=True)
class Stats:
    """One domain's statistics, or everybody's."""

    domain: str | None
    since: float
    """The start of the first hour that is counted, seconds since 1970."""
    sessions: int | None
    """Sessions of the whole machine; None for one domain, which has none of its own."""
    all: Line
    checks: list[Check]
    """Who refused or deferred the most first."""
    watched: list[Watched]
    domains: list[Line]
    """The most mails first; one for a domain."""
    days: list[Line]
    """The oldest first; days without mail are left out."""


def stats(desk: Desk, domain: str | None, since: float) -> Stats:
    """Return the statistics since a moment; NotFound for a domain that is unknown and never had mail."""
    if domain is not None:
        try:
            domain = domain_name(domain)
        except ScopeError as error:
            raise DeskError(str(error)) from error
    journal.collect(desk)
    tally = desk.journal.tally(domain, since)
    if domain is not None and not tally.outcomes:
        hosted(desk, domain)
    by_domain: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    by_day: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    together: Counter[tuple[str, str]] = Counter()
    for name, fate, plugin, number in tally.outcomes:
        by_domain[name][fate, plugin] += number
        together[fate, plugin] += number
    for hour, fate, plugin, number in tally.hours:
        by_day[_day(hour)][fate, plugin] += number
    marked = dict(tally.marked)
    marked_by_day: Counter[str] = Counter()
    for hour, number in tally.marked_hours:
        marked_by_day[_day(hour)] += number
    lines = [line_of(name, counted, marked.get(name, 0)) for name, counted in by_domain.items()]
    return Stats(
        domain,
        since // HOUR * HOUR,
        tally.sessions if domain is None else None,
        line_of("", together, sum(marked.values())),
        checks_of(together),
        _watched((plugin, fate, number) for _, plugin, fate, number in tally.watched),
        sorted(lines, key=lambda one: (-one.total, one.name)),
        [line_of(day, counted, marked_by_day[day]) for day, counted in by_day.items()],
    )


def _day(hour: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(hour * HOUR))


def line_of(name: str, counted: Counter[tuple[str, str]], marked: int = 0) -> Line:
    """Return a line for outcomes counted by fate and check; so many of them went on marked."""
    fates: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for (fate, plugin), number in counted.items():
        fates["accepted" if fate in LET_IN else fate] += number
        if fate in REFUSED:
            kinds[KINDS.get(plugin, SPAM)] += number
    return Line(
        name,
        total=counted.total(),
        accepted=fates["accepted"],
        rejected=fates["rejected"],
        quarantined=fates["quarantined"],
        taken=fates["taken"],
        deferred=fates["deferred"],
        abandoned=fates["abandoned"],
        no_such_user=kinds[NO_SUCH_USER],
        spam=kinds[SPAM],
        marked=marked,
    )


def checks_of(counted: Counter[tuple[str, str]]) -> list[Check]:
    """Return what each check refused or deferred, for outcomes counted by fate and check; the most first."""
    by_plugin: dict[str, Counter[str]] = defaultdict(Counter)
    refused = spam = 0
    for (fate, plugin), number in counted.items():
        if fate in REFUSED:
            refused += number
            spam += number if KINDS.get(plugin, SPAM) == SPAM else 0
        elif fate != "deferred":
            continue
        by_plugin[plugin][fate] += number
    found = []
    for plugin, fates in by_plugin.items():
        kind = KINDS.get(plugin, SPAM)
        own = fates.total() - fates["deferred"]
        found.append(
            Check(
                plugin or BACK_END,
                kind,
                fates["rejected"],
                fates["quarantined"],
                fates["taken"],
                fates["deferred"],
                _share(own, refused),
                _share(own, spam) if kind == SPAM else None,
            )
        )
    return sorted(found, key=lambda one: (-one.refused, -one.deferred, one.check))


def _watched(rows: Iterable[tuple[str, str, int]]) -> list[Watched]:
    would: Counter[str] = Counter()
    let_in: Counter[str] = Counter()
    for plugin, fate, number in rows:
        would[plugin] += number
        if fate in LET_IN:
            let_in[plugin] += number
    return [Watched(plugin, number, let_in[plugin]) for plugin, number in would.most_common()]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
