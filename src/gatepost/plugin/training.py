"""Learns from mail to a training address: finds what it is about, and teaches the domain's model, durably.

What is learnt is, in this order: the original in the archive, found by its signed id; the features kept
when it was delivered (`store.delivered`), found by the same id, or as the one mail to this very person
that the forward refers to; a mail attached; the text of a forward. An id of another domain, or one that
we did not sign, is no id. Whoever asks waits until the training is on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatepost.mail import stamp, train_address
from gatepost.mail.message import Message, find_border
from gatepost.plugin.forwarded import HEAD_LIMIT, Lesson, from_worker, in_worker, lessons
from gatepost.plugin.learning import LONG, MISSING
from gatepost.plugin.lesson import hand_out, learners
from gatepost.plugin.tools import CannotAnswer
from gatepost.policy.policy import DomainPolicy
from gatepost.spool.archive import Archive
from gatepost.store.base import StoreError
from gatepost.store.delivered import Delivered
from gatepost.store.errands import Errands

if TYPE_CHECKING:
    from gatepost.store.models import Models
    from gatepost.store.trainings import Training

Named = train_address.Named
read_local = train_address.read
HOW = "address"
"""Stands in the log of trainings for how it was taught."""
AT_ONCE = 2
"""Trainings that one process does at a time: each writes to the disk and waits for it."""
ORIGINAL, FEATURES = "kept original", "kept features"

Apart = Callable[..., Awaitable[Any]]
"""Runs a function in a process of its own (`Context.in_worker`)."""


class TooMany(Exception):
    """This person has trained enough for one day."""


@dataclass(frozen=True, slots=True)
class Pupil:
    """Whose model learns, from whom, and what."""

    domain: str
    by: str
    spam: bool
    id: str
    """Of the transaction that brought the training mail."""
    policy: DomainPolicy | None = None
    """The domain's own policy: which other filters learn, too."""


@dataclass(slots=True)
class Taught:
    """What came of a training mail."""

    learnt: list[Training] = field(default_factory=list)
    already: int = 0
    how: list[str] = field(default_factory=list)
    """Where each mail was found."""

    trouble: str = ""
    """Why other filters will not be taught."""

    def __str__(self) -> str:
        again = f", {self.already} known already" if self.already else ""
        trouble = f"; not handed on: {self.trouble}" if self.trouble else ""
        return f"{len(self.learnt)} learnt{again} ({', '.join(self.how)}){trouble}"


class Teacher:
    """What the check `training` asks of the house."""

    def __init__(
        self,
        data_dir: Path,
        secret: bytes,
        hostname: str,
        models: Callable[[], Models],
        archive: Archive,
        clock: Callable[[], float],
    ) -> None:
        self._secret = secret
        self._hostname = hostname
        self._models = models
        self._archive = archive
        self._delivered = Delivered(data_dir / "learn")
        self._errands = Errands(data_dir / "learn", clock)
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)

    def is_secret_of(
        self, named: train_address.Named, domain: str, generation: int, owned_since: float = 0.0
    ) -> bool:
        """Say whether an address has the secret of the person that it names."""
        return train_address.holds(named, self._secret, domain, generation, owned_since)

    async def teach(self, pupil: Pupil, message: Message, apart: Apart | None) -> Taught:
        """Learn what a training mail is about. TooMany; CannotAnswer where it cannot be done now."""
        body = message.body or message.head
        try:
            async with self._turns:
                seed = await asyncio.to_thread(lambda: self._models().seed)
                where = (message.head, body, seed, self._hostname, pupil.domain)
                if apart is not None and len(body) > LONG:
                    found = from_worker(await apart(in_worker, *where))
                else:
                    found = lessons(*where)
                taught = Taught()
                chosen = [await self._chosen(pupil, lesson, taught, apart, seed) for lesson in found]
                await asyncio.to_thread(self._train, pupil, [one[:2] for one in chosen], taught)
                raws = [raw for training, _, raw in chosen if raw and training.key in learnt_keys(taught)]
                await asyncio.to_thread(self._hand_out, pupil, raws, taught)
                return taught
        except ImportError as error:
            raise CannotAnswer(MISSING) from error
        except (OSError, StoreError) as error:
            raise CannotAnswer(f"the training cannot be written down: {error}") from error

    async def _chosen(
        self, pupil: Pupil, lesson: Lesson, taught: Taught, apart: Apart | None, seed: int
    ) -> tuple[Training, bytes, bytes]:
        """Return the best that there is of one mail, and its bytes where they are there."""
        from gatepost.store.trainings import Training

        what, key, packed, weight, how = "", lesson.key, lesson.features, lesson.weight, lesson.how
        raw = lesson.raw
        original = await asyncio.to_thread(self._original, pupil, lesson)
        if original is not None:
            what, raw = original
            border = find_border(raw[:HEAD_LIMIT])
            head = raw[: border if border >= 0 else HEAD_LIMIT]
            packed = await _features(head, raw, seed, apart)
            key, weight, how = stamp.key_of(Message(head, raw)), 1.0, ORIGINAL
        elif (kept := await asyncio.to_thread(self._kept, pupil, lesson)) is not None:
            (what, key, packed), weight, how = kept, 1.0, FEATURES
        taught.how.append(how)
        now = self._clock()
        training = Training(pupil.spam, pupil.by, now, key, what, HOW, weight, correct=weight == 1.0)
        return training, packed, raw

    def _original(self, pupil: Pupil, lesson: Lesson) -> tuple[str, bytes] | None:
        """Return (journal id, bytes) of the kept mail that a signed id names."""
        for one in lesson.stamps:
            for kept in self._archive.find(one.id, pupil.domain):
                if stamp.holds(one, self._secret, pupil.domain, (kept.recipient,)):
                    return kept.id, self._archive.read(kept.ref)
        return None

    def _kept(self, pupil: Pupil, lesson: Lesson) -> tuple[str, str, bytes] | None:
        """Return (journal id, key, features) of the delivered mail that is meant."""
        for one in lesson.stamps:
            found = self._delivered.find(pupil.domain, one.id)
            if found is not None and stamp.holds(one, self._secret, pupil.domain, found[0].to):
                return found[0].id, found[0].key, found[1]
        for key in lesson.keys:
            # A Message-ID is the sender's word: only where it means one mail, and one to this person.
            same = self._delivered.by_key(pupil.domain, key)
            mine = [one for one in same if pupil.by in map(str.lower, one[0].to)]
            if len(mine) == 1:
                return mine[0][0].id, key, mine[0][1]
        return None

    def _train(self, pupil: Pupil, chosen: list[tuple[Training, bytes]], taught: Taught) -> None:
        from gatepost.learn.features import unpack
        from gatepost.store.trainings import A_DAY, DAY

        with self._models().trainings(pupil.domain) as held:
            today = held.taught_by(pupil.by, self._clock() - DAY)
            if today + len(chosen) > A_DAY:
                raise TooMany(f"{pupil.by} has trained {today} messages today, {A_DAY} is the most")
            taught.learnt = held.train((training, unpack(packed)) for training, packed in chosen)
        taught.already = len(chosen) - len(taught.learnt)

    def _hand_out(self, pupil: Pupil, raws: list[bytes], taught: Taught) -> None:
        """The other filters of the domain learn later: that they cannot now is no reason to come again."""
        if raws and pupil.policy is not None:
            names = learners(pupil.policy)
            taught.trouble = hand_out(self._errands, pupil.policy, names, raws, spam=pupil.spam)


def learnt_keys(taught: Taught) -> set[str]:
    """Return the keys of what was learnt, not known before."""
    return {one.key for one in taught.learnt}


async def _features(head: bytes, raw: bytes, seed: int, apart: Apart | None) -> bytes:
    from gatepost.learn.features import features
    from gatepost.learn.features import in_worker as features_in_worker

    if apart is not None and len(raw) > LONG:
        packed, _ = await apart(features_in_worker, head, raw, seed)
        return bytes(packed)
    return features(Message(head, raw), seed).pack()
