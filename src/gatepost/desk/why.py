"""What a refused sender may know: what the reply told already, found by the token that it carried.

Nothing of the owner's leaves here: not his reason, no points, no other recipient, no other domain. A token
that was made up, one whose refusal is forgotten and one whose domain shows no page any more are all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.journal import explain
from gatepost.desk.secret import installation_secret
from gatepost.desk.steps import Step
from gatepost.mail.why import read, tag_of
from gatepost.store.base import OutcomeRow

DAY = 86_400
STEP = "reply", "told"
"""The step of the journal that has the sentence of the reply (`gatepost.server.why`)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal. `id`, `check` and `sentence` are for its sender, the row is not."""

    id: str
    """As it stands in the reply: the session's."""
    check: str
    sentence: str
    """What the reply said; "" where it is not known any more."""
    row: OutcomeRow


def find(desk: Desk, token: str) -> Refusal:
    """Return the refusal that a token names; NotFound for every other text, whatever is wrong with it."""
    secret = installation_secret(desk.data_dir)
    named = read(secret, token)
    if named is not None:
        try:
            told = explain(desk, named.id).outcomes
        except NotFound:
            told = []
        for one in told:
            row = one.row
            tag = tag_of(secret, row.id, row.domain, row.recipient)
            if (row.id, tag, row.fate) == (*named, "rejected") and _shown(desk, row):
                return Refusal(row.id.partition(".")[0], row.plugin, _sentence(one.steps), row)
    raise NotFound("there is no such refusal")


def _shown(desk: Desk, row: OutcomeRow) -> bool:
    try:
        policy, _ = domains.resolved(desk, row.domain)
    except DeskError:  # hosted no longer
        return False
    return policy.why_page and desk.clock() - row.time < policy.keep_days * DAY


def _sentence(steps: list[Step]) -> str:
    return next((one.detail for one in steps if (one.check, one.result) == STEP), "")
