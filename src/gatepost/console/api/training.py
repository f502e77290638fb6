"""`/domains/{domain}/training`: what the classifier was taught, by whom; teach it, and take it back."""

from __future__ import annotations

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Body, Id, Limit, Page, Time
from gatepost.console.api.archive import Day, File, find
from gatepost.console.auth import Changing, Looking
from gatepost.desk import training

router = APIRouter(tags=["training"])
HOW = "api"
"""Stands in the log for how it was taught."""


class Training(Answer):
    """One training."""

    seq: int
    """Its number in this domain."""
    spam: bool
    by: str
    time: Time
    what: str
    """The message's id in the journal, where it has one."""
    how: str
    undone: bool


class Trainings(Page[Training]):
    """The last trainings, the newest first."""

    spam: int
    """Messages that were taught as spam."""
    wanted: int


class Lesson(Body):
    """What a kept mail is."""

    spam: bool


class Learnt(Answer):
    """What came of it."""

    learnt: int
    already: int
    """Messages that were trained so before."""


@router.get("/domains/{domain}/training")
def list_trainings(here: Looking, limit: Limit = 100) -> Trainings:
    """List the last trainings, the newest first."""
    spam, wanted = training.counts(here.desk, here.domain)
    found = [Training.of(one) for one in training.log(here.desk, here.domain, limit)]
    return Trainings(items=found, spam=spam, wanted=wanted)


@router.post("/domains/{domain}/archive/{day}/{file}/train")
def train_kept(here: Changing, day: Day, file: File, lesson: Lesson) -> Learnt:
    """Teach the domain's classifier a kept mail."""
    done = training.train_kept(here.desk, [find(here, day, file)], spam=lesson.spam, how=HOW)
    return Learnt(learnt=len(done.learnt), already=done.already)


@router.delete("/domains/{domain}/training/{number}")
def undo_training(here: Changing, number: Id) -> Page[Training]:
    """Take a training back, as if it had never been; returns it."""
    found = training.undo(here.desk, here.domain, [number])
    return Page(items=[Training.of(one) for one in found])
