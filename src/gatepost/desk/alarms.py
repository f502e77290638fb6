"""Alarms: something is in trouble. Each has a beginning, a text and an end, and is told; pure.

What is wrong now (`desk/troubles.py`) is compared with what was remembered: `follow` begins and ends alarms.
`due` says what is to be told on a way (a webhook, mail): that it began, that it goes on, that it is over.
The same alarm is told once in an hour at most, however often it comes and goes, and each that was told is
told to be over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from gatepost.telemetry.conditions import BACKEND, CHECK, LIST, LONGEST, SCANNER, SPOOL

HELD, DISK, BACKUP, PROCESS, POLICY, POISON = "held", "disk", "backup", "process", "policy", "poison"
HOUR = 3_600.0
DAY = 86_400.0
UNSEEN = DAY
"""Seconds after which somebody who was in trouble and is not asked any more is nobody's trouble."""
FORGOTTEN = 30 * DAY
"""Seconds that an alarm which is over is remembered."""
NAMED = 5
"""Domains that a text names."""

BEGIN, AGAIN, OVER = "begin", "again", "over"

SENTENCES = {
    LIST: "The DNS list %(name)s is in trouble: %(why)s",
    SCANNER: "The scanner %(name)s is in trouble: %(why)s",
    BACKEND: "Mail cannot be handed to %(name)s: %(why)s",
    CHECK: "The check %(name)s cannot answer: %(why)s",
    SPOOL: "Mail that waits in the spool for %(name)s can be neither judged nor kept: %(why)s",
    HELD: "Mail is held and nobody gets the digest: %(domains)s",
    DISK: "The disk is nearly full: %(why)s",
    BACKUP: "Backups fail: %(why)s",
    PROCESS: "The process %(name)s keeps dying: %(why)s",
    POISON: "Mail that kills who reads it came for %(domains)s: %(why)s",
    POLICY: "The policy cannot be used as it is stored: %(why)s",
}
"""kind -> its text."""
OWNERS = frozenset({BACKEND, HELD})
"""What the owners of the domains named in it are told too; the rest is the machine's."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now."""

    kind: str
    name: str
    why: str
    since: float
    """0 where nobody knows."""
    seen: float
    """When it was seen last."""
    domains: tuple[str, ...] = ()
    """Whose mail it touches, where it does not touch all mail."""

    @property
    def key(self) -> str:
        """Return what it is known by."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last on one way."""

    at: float
    """When it was told that it began or goes on."""
    word: str
    """`begin` or `over`."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One trouble from its beginning to its end."""

    kind: str
    name: str
    why: str
    began: float
    seen: float
    ended: float = 0.0
    """0 while it goes on."""
    domains: tuple[str, ...] = ()
    times: int = 1
    """How often it began."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """Way -> what was told on it last."""

    @property
    def key(self) -> str:
        """Return what it is known by."""
        return f"{self.kind}:{self.name}"

    @property
    def open(self) -> bool:
        """Return whether it goes on."""
        return not self.ended

    @property
    def text(self) -> str:
        """Return what is wrong, in one sentence."""
        return SENTENCES[self.kind] % self.facts

    @property
    def facts(self) -> dict[str, str]:
        """Return what goes into the sentence of its kind."""
        named = ", ".join(self.domains[:NAMED])
        more = len(self.domains) - NAMED
        return {"name": self.name, "why": self.why, "domains": f"{named}, +{more}" if more > 0 else named}

    def of(self, domains: Collection[str]) -> Alarm | None:
        """Return it as the owners of some domains may see it; None where it is not theirs."""
        theirs = tuple(name for name in self.domains if name in domains)
        return replace(self, domains=theirs) if self.kind in OWNERS and theirs else None


def follow(
    known: Iterable[Alarm], troubles: Iterable[Trouble], well: Mapping[str, float], now: float, after: float
) -> list[Alarm]:
    """Return the alarms that began, changed or ended.

    `well`: key -> when it was seen well, of those whom we ask; one of these that nobody saw lately goes on,
    since a process that just came has asked nobody yet. `after`: trouble that is younger is no alarm yet.
    """
    old = {one.key: one for one in known}
    now_wrong = {one.key: one for one in troubles}
    changed = []
    for key, trouble in now_wrong.items():
        alarm = old.get(key)
        if alarm is not None and alarm.open:
            later = replace(alarm, why=trouble.why, domains=trouble.domains, seen=trouble.seen)
            if (later.why, later.domains) != (alarm.why, alarm.domains) or trouble.seen - alarm.seen > HOUR:
                changed.append(later)
        elif now - trouble.since >= after and (alarm is None or trouble.seen > alarm.ended):
            changed.append(_begun(trouble, alarm, now))
    for key, alarm in old.items():
        if alarm.open and key not in now_wrong and _is_over(alarm, well, now):
            changed.append(replace(alarm, ended=now))
    return changed


def _begun(trouble: Trouble, before: Alarm | None, now: float) -> Alarm:
    return Alarm(
        trouble.kind,
        trouble.name,
        trouble.why,
        trouble.since or now,
        trouble.seen,
        domains=trouble.domains,
        times=before.times + 1 if before is not None else 1,
        told=before.told if before is not None else {},
    )


def _is_over(alarm: Alarm, well: Mapping[str, float], now: float) -> bool:
    if alarm.kind not in (LIST, SCANNER, BACKEND):
        return True
    return well.get(alarm.key, 0.0) > alarm.seen or now - alarm.seen > UNSEEN


def due(alarm: Alarm, way: str, now: float, repeat: float) -> str:
    """Return what is to be told on a way now: `begin`, `again`, `over`, or "" for nothing."""
    told = alarm.told.get(way)
    if alarm.open:
        if told is None:
            return BEGIN
        if told.word == BEGIN:
            return AGAIN if now - told.at >= max(repeat, HOUR) else ""
        return BEGIN if now - told.at >= HOUR else ""
    if told is None:
        # Nobody could be told while it went on: he learns of it all the same, if it is news.
        return OVER if now - alarm.ended < DAY else ""
    return OVER if told.word == BEGIN else ""


def told(alarm: Alarm, way: str, what: str, now: float) -> Alarm:
    """Return an alarm of which something was told on a way."""
    before = alarm.told.get(way)
    at = now if what != OVER else before.at if before is not None else now
    word = OVER if what == OVER else BEGIN
    return replace(alarm, told={**alarm.told, way: Told(at, word)})


def shortened(why: str) -> str:
    """Return a reason on one line, cut."""
    return " ".join(why.split())[:LONGEST]
