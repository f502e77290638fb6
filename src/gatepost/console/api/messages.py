"""`/messages/{id}`: why a mail fared as it did, by the id that stands in the SMTP reply."""

from __future__ import annotations

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Time, require
from gatepost.console.api.journal import Outcome
from gatepost.console.auth import SignedIn
from gatepost.console.errors import NotHere
from gatepost.desk import journal
from gatepost.desk.errors import DeskError

router = APIRouter(tags=["journal"])


class Step(Answer):
    """One check's answer."""

    check: str
    hook: str
    result: str
    said: str
    milliseconds: float
    detail: str


class Judged(Outcome):
    """One recipient's copy with every check."""

    steps: list[Step]
    folded: bool
    """The checks said the same as of a like refusal a moment before."""


class Session(Answer):
    """The connection that brought it."""

    id: str
    time: Time
    client: str
    host: str
    helo: str
    tls: str
    outcome: str
    noticed: list[str]


class Message(Answer):
    """Everything that is written down about one id, and that you may see."""

    id: str
    session: Session | None
    outcomes: list[Judged]


@router.get("/messages/{id}")
def explain(here: SignedIn, id: str) -> Message:  # noqa: A002 - the name in the path
    """Show every check of a mail, with its result and time; copies of foreign domains are left out."""
    try:
        found = journal.explain(here.desk, id)
    except DeskError:
        raise NotHere from None
    mine = [one for one in found.outcomes if here.may(one.row.domain, "look")]
    require(bool(mine) or here.is_admin)
    copies = [
        Judged(
            **Outcome.of(one.row).model_dump(exclude={"time"}),
            time=one.row.time,
            steps=[Step.of(step) for step in one.steps],
            folded=one.folded,
        )
        for one in mine
    ]
    session = None
    if found.session is not None:
        s = found.session
        session = Session(
            id=s.id, time=s.time, client=s.client, host=s.host, helo=s.helo, tls=s.tls, outcome=s.outcome,
            noticed=found.session_steps,
        )  # fmt: skip
    return Message(id=found.id, session=session, outcomes=copies)
