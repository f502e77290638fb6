"""What people teach the classifier of a domain: train, take back, and the log of both."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gatepost.desk.desk import Desk
from gatepost.desk.doing import doing
from gatepost.desk.domains import resolved
from gatepost.desk.errors import DeskError
from gatepost.desk.plugins import message_of
from gatepost.desk.scopes import hosted
from gatepost.desk.teachers import COMMAND_FILTER, teach, teachers_of
from gatepost.mail.address import AddressError, parse_address
from gatepost.mail.stamp import key_of
from gatepost.plugin.forwarded import as_received
from gatepost.plugin.lesson import hand_out, learners
from gatepost.store.base import StoreError

if TYPE_CHECKING:
    from gatepost.learn.features import Features
    from gatepost.mail.message import Message
    from gatepost.spool.index import Kept
    from gatepost.store.trainings import Training, Trainings

BATCH = 50
"""Messages that are learnt under one lock: others get their turn in between."""
COMMAND_LINE = "command line"
CONSOLE = "console"
CLASSIFIER = "classifier"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One message to learn."""

    raw: bytes
    what: str = ""
    """Its id in the journal, where it has one."""


@dataclass(slots=True)
class Learnt:
    """What came of it."""

    learnt: list[Training] = field(default_factory=list)
    already: int = 0
    """Messages that were trained so before."""
    troubles: list[str] = field(default_factory=list)
    """Why other filters of the domain could not be taught, each once."""


@dataclass(slots=True)
class Day:
    """What one person taught on one day."""

    day: str
    """UTC, `2026-11-29`."""
    by: str
    how: str
    """How it came last."""
    spam: int = 0
    ham: int = 0


@dataclass(slots=True)
class Waiting:
    """What another filter of the domain has not been taught yet."""

    plugin: str
    waiting: int = 0
    given_up: int = 0
    last: str = ""
    """What went wrong last."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a domain's classifier is."""

    mode: str
    spam: int
    ham: int
    least: int
    """Of each kind that it must have seen before it gives points."""

    @property
    def missing(self) -> tuple[int, int]:
        """How many of each kind are still to be taught."""
        return max(0, self.least - self.spam), max(0, self.least - self.ham)

    @property
    def gives_points(self) -> bool:
        """Whether it has a say in what becomes of mail."""
        return self.mode == "on" and not any(self.missing)


def train(
    desk: Desk,
    domain: str,
    lessons: Iterable[Lesson],
    *,
    spam: bool,
    how: str = COMMAND_LINE,
    correct: bool = False,
    weight: float = 1.0,
    by: str = "",
) -> Learnt:
    """Teach a domain's model messages; `correct`: until each of them is on the right side.

    `by`: whose opinion it is, where the one who asks only passes it on.
    """
    from gatepost.store.trainings import Training

    prepared = ((key_of(message), lesson.what, message) for lesson, message in _read(lessons, desk.hostname))
    seed, teachers = desk.models.seed, teachers_of(desk, domain)
    policy, _ = resolved(desk, hosted(desk, domain))
    others = [name for name in learners(policy) if name != COMMAND_FILTER]
    raws: dict[str, bytes] = {}

    def seen() -> Iterator[tuple[str, str, Features]]:
        from gatepost.learn.features import features

        for key, what, message in prepared:
            if teachers or others:
                raws[key] = message.body or message.head
            yield key, what, features(message, seed)

    done = Learnt()
    kind = Training(spam, by or desk.by, 0.0, "", how=how, weight=weight, correct=correct)
    with doing(desk, policy.domain):
        for learnt in _batches(desk, domain, seen(), done, kind):
            mine = [raws[one.key] for one in learnt if one.key in raws]
            done.troubles += teach(teachers, mine, spam=spam)
            trouble = hand_out(desk.errands, policy, others, mine, spam=spam)
            done.troubles += [trouble] if trouble else []
            raws.clear()
    done.troubles = list(dict.fromkeys(done.troubles))
    return done


def _batches(
    desk: Desk, domain: str, seen: Iterable[tuple[str, str, Features]], done: Learnt, kind: Training
) -> Iterator[list[Training]]:
    """Teach (key, journal id, features) batch by batch; yield what was learnt of each."""
    from gatepost.store.trainings import A_DAY, DAY

    name = hosted(desk, domain)
    rest = iter(seen)
    while batch := list(itertools.islice(rest, BATCH)):
        now = desk.clock()
        with _held(desk, name) as held:
            if kind.how != COMMAND_LINE:
                today = held.taught_by(kind.by, now - DAY)
                if today + len(batch) > A_DAY:
                    raise DeskError(f"{kind.by} has trained {today} messages today, {A_DAY} is the most")
            learnt = held.train(
                (replace(kind, time=now, key=key, what=what), features) for key, what, features in batch
            )
        done.learnt += learnt
        done.already += len(batch) - len(learnt)
        yield learnt


def train_kept(desk: Desk, copies: Iterable[Kept], *, spam: bool, how: str = COMMAND_LINE) -> Learnt:
    """Teach kept mail to the domains it is kept for: each is on the right side afterwards."""
    done = Learnt()
    for kept in copies:
        raw = desk.archive.read(kept.ref)
        one = train(desk, kept.domain, [Lesson(raw, kept.id)], spam=spam, how=how, correct=True)
        done.learnt += one.learnt
        done.already += one.already
        done.troubles += one.troubles
    return done


def undo(
    desk: Desk, domain: str, numbers: Iterable[int] = (), *, by: str = "", day: str = ""
) -> list[Training]:
    """Take trainings back, by number, or all of a person (on a day, UTC): as if they had never been."""
    from gatepost.store.trainings import TooOld

    name = hosted(desk, domain)
    with _held(desk, name) as held:
        wanted = set(numbers)
        if by or day:
            wanted |= {
                t.seq
                for t in held.log()
                if not t.undone and (not by or t.by == by) and (not day or _day(t.time) == day)
            }
        try:
            return held.undo(wanted)
        except TooOld as error:
            raise DeskError(str(error)) from error


def log(desk: Desk, domain: str, limit: int = 100, before: int | None = None) -> list[Training]:
    """Return the last trainings, newest first; `before`: those with smaller numbers."""
    found = [t for t in _look(desk, domain) if before is None or t.seq < before]
    return found[: -limit - 1 : -1]


def days(desk: Desk, domain: str, limit: int = 50) -> list[Day]:
    """Return who taught how much on which day (UTC), newest first; what was taken back does not count."""
    found: dict[tuple[str, str], Day] = {}
    for one in _look(desk, domain):
        if not one.undone:
            day = found.setdefault((_day(one.time), one.by), Day(_day(one.time), one.by, one.how))
            day.spam += one.spam
            day.ham += not one.spam
            day.how = one.how
    return [found[key] for key in sorted(found, reverse=True)][:limit]


def counts(desk: Desk, domain: str) -> tuple[int, int]:
    """Return how many messages a domain has taught as spam, and as wanted."""
    file = desk.models.of(hosted(desk, domain))
    return (file.spam, file.ham) if file is not None else (0, 0)


def standing(desk: Desk, domain: str) -> Standing:
    """Return what a domain has taught, and what its classifier may do with that."""
    name = hosted(desk, domain)
    own = resolved(desk, name)[0].plugins[CLASSIFIER]
    spam, ham = counts(desk, name)
    return Standing(str(own.mode), spam, ham, own.settings.least)


def _look(desk: Desk, domain: str) -> list[Training]:
    """Return what stands in the log, without waiting for somebody who trains."""
    name = hosted(desk, domain)
    if not desk.models.of_domain(name).exists():
        return []
    return desk.models.trainings(name).look()


def waiting(desk: Desk, domain: str) -> list[Waiting]:
    """Return which other filters of a domain are still to be taught, and what they said last."""
    found: dict[str, Waiting] = {}
    for one in desk.errands.of_domain(hosted(desk, domain)):
        row = found.setdefault(one.plugin, Waiting(one.plugin))
        row.given_up += one.given_up
        row.waiting += not one.given_up
        row.last = one.last or row.last
    return list(found.values())


def mailbox(desk: Desk, domain: str, text: str) -> str:
    """Return an address of a domain as a training names it; a DeskError where it is none."""
    try:
        found = parse_address(text)
    except AddressError as error:
        raise DeskError(f"{text!r}: {error}") from error
    if found.domain != hosted(desk, domain):
        raise DeskError(f"{text} is no address of {domain}")
    return f"{found.key[0]}@{found.domain}"


def make_base(desk: Desk, domains: Iterable[str]) -> tuple[int, int]:
    """Make the shared base of the domains named; returns its version and the trainings in it."""
    return desk.models.make_base([hosted(desk, domain) for domain in domains])


def _read(lessons: Iterable[Lesson], hostname: str) -> Iterator[tuple[Lesson, Message]]:
    for lesson in lessons:
        raw = lesson.raw
        if raw.startswith(b"From "):
            raw = raw.partition(b"\n")[2]
        whole = message_of(raw)
        bare = as_received(whole.body or whole.head, hostname)
        yield lesson, whole if bare == whole.body else message_of(bare)


def _held(desk: Desk, name: str) -> Trainings:
    try:
        return desk.models.trainings(name)
    except StoreError as error:
        raise DeskError(str(error)) from error


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))
