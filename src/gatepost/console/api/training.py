"""`/domains/{domain}/training`: what the classifier was taught, by whom; teach it, and take it back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi import Body as RawBody

from gatepost.console.api.answers import Answer, Body, Id, Limit, Number, Page, Text, Time, page
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
    troubles: list[str] = []
    """Why other filters of the domain could not be taught; the training counts all the same."""

    @classmethod
    def from_desk(cls, done: training.Learnt) -> Learnt:
        """Return what the desk says."""
        return cls(learnt=len(done.learnt), already=done.already, troubles=done.troubles)


@router.get("/domains/{domain}/training")
def list_trainings(here: Looking, limit: Limit = 100, after: Number = None) -> Trainings:
    """List the trainings, the newest first."""
    spam, wanted = training.counts(here.desk, here.domain)
    found = [Training.of(one) for one in training.log(here.desk, here.domain, limit + 1, after)]
    one_page = page(found, limit, str(found[limit - 1].seq) if len(found) >= limit else None)
    return Trainings(items=one_page.items, next=one_page.next, spam=spam, wanted=wanted)


@router.post("/domains/{domain}/train")
def train(
    here: Changing,
    message: Annotated[bytes, RawBody(media_type="message/rfc822", min_length=1)],
    what: Annotated[Literal["spam", "ham"], Query(alias="as", description="What the message is.")],
    by: Annotated[Text, Query(max_length=320, description="The mailbox whose opinion it is.")] = "",
) -> Learnt:
    """Teach the domain's classifier a message, as it lies in a mailbox."""
    who = training.mailbox(here.desk, here.domain, by) if by else ""
    lesson = training.Lesson(message)
    done = training.train(
        here.desk, here.domain, [lesson], spam=what == "spam", how=HOW, correct=True, by=who
    )
    return Learnt.from_desk(done)


@router.post("/domains/{domain}/archive/{day}/{file}/train")
def train_kept(here: Changing, day: Day, file: File, lesson: Lesson) -> Learnt:
    """Teach the domain's classifier a kept mail."""
    return Learnt.from_desk(
        training.train_kept(here.desk, [find(here, day, file)], spam=lesson.spam, how=HOW)
    )


@router.delete("/domains/{domain}/training/{number}")
def undo_training(here: Changing, number: Id) -> Page[Training]:
    """Take a training back, as if it had never been; returns it."""
    found = training.undo(here.desk, here.domain, [number])
    return Page(items=[Training.of(one) for one in found])


@router.delete("/domains/{domain}/training")
def undo_trainings(
    here: Changing,
    by: Annotated[Text, Query(min_length=1, max_length=320, description="All that this person taught.")],
    day: Annotated[str, Query(pattern=r"^(\d{4}-\d\d-\d\d)?$", description="Only on this day (UTC).")] = "",
) -> Page[Training]:
    """Take back all that somebody taught, as if it had never been; returns it."""
    found = training.undo(here.desk, here.domain, by=by, day=day)
    return Page(items=[Training.of(one) for one in found])
