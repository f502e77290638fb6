"""A teacher over real stores, and mails that were kept or delivered before: for tests of training."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gatepost.learn.features import features
from gatepost.mail import stamp
from gatepost.mail.message import Message, find_border
from gatepost.plugin.learning import models_in
from gatepost.plugin.training import Pupil, Taught, Teacher
from gatepost.spool.archive import Archive
from gatepost.spool.index import Kept
from gatepost.store.delivered import Delivered, Record
from gatepost.store.trainings import Training

SECRET = b"s" * 32
HOST = "mx.test"
NOW = 1_795_000_000.0
ANN = "ann@example.org"


def parsed(raw: bytes) -> Message:
    """Return a mail as checks see it."""
    return Message(raw[: find_border(raw)], raw)


class School:
    """A teacher, and what it finds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.models = models_in(folder)
        self.archive = Archive(folder / "archive", 1 << 30, 1024, lambda: self.now)
        self.teacher = Teacher(folder, SECRET, HOST, self.models, self.archive, lambda: self.now)

    def kept(self, raw: bytes, id: str, domain: str = "example.org", to: str = ANN) -> str:  # noqa: A002
        """Keep a mail in the archive; returns its signed id."""
        self.archive.keep(Kept(id, self.now, "x@bad.example", to, domain, held=True), [raw])
        return stamp.make(SECRET, id, domain, to)

    def delivered(self, raw: bytes, id: str, domain: str = "example.org", to: str = ANN) -> str:  # noqa: A002
        """Deliver a mail; returns its signed id."""
        message = parsed(raw)
        packed = features(message, self.models().seed).pack()
        Delivered(self.folder / "learn", "w0").add(
            domain, Record(id, self.now, (to,), stamp.key_of(message)), packed
        )
        return stamp.make(SECRET, id, domain, to)

    def teach(self, raw: bytes, *, spam: bool = True, by: str = ANN, domain: str = "example.org") -> Taught:
        """Send a mail to the training address."""
        pupil = Pupil(domain, by, spam, "T.1")
        return asyncio.run(self.teacher.teach(pupil, parsed(raw), None))

    def log(self, domain: str = "example.org") -> list[Training]:
        """Return what was taught."""
        with self.models().trainings(domain) as held:
            return list(held.log())

    def score(self, raw: bytes, domain: str = "example.org") -> float:
        """Return what a domain thinks of a mail."""
        return self.models().score(domain, features(parsed(raw), self.models().seed))[0].total
