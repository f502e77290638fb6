"""`/domains/{domain}/rules`: patterns for addresses that nobody has, with their hits, and a tester."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from gatepost.console.api.answers import Answer, Body, Page, Text, Time
from gatepost.console.auth import Changing, Here, Looking
from gatepost.desk import rules
from gatepost.plugins.localpart_rules import Rule as Kept

router = APIRouter(tags=["name rules"])
RuleId = Annotated[str, Path(pattern="^[0-9a-f]{8}$")]
MOST_TESTED = 1_000


class Rule(Answer):
    """One rule."""

    id: str
    pattern: str
    how: str
    """`whole`, `part` or `regex`."""
    on: str
    """`localpart` or `address`."""
    then: str
    """`refuse`, `later` or `pass`."""
    text: str
    note: str
    day: int
    """Hits within about 24 hours."""
    month: int
    """Hits within about 30 days."""
    last: Time | None


class NewRules(Body):
    """Rules to be put behind (or, with `first`, before) those that stand there."""

    rules: list[dict[str, Text]]
    first: bool = False


class Added(Answer):
    """What adding did."""

    added: list[str]
    same: int
    """Rules that stood there already."""
    caught: list[str]
    """Listed recipients that are refused now: the first of them."""
    caught_count: int


class Trial(Body):
    """Addresses to be tried."""

    addresses: list[Text]
    draft: list[dict[str, Text]] | None = None
    """Rules that are not set; left out: those in force."""


class Tested(Answer):
    """What the rules say of an address."""

    address: str
    rule: str | None
    """The pattern that decides; null: none does."""
    refused: bool


def _list(here: Here) -> Page[Rule]:
    found = [
        Rule(**one.rule.model_dump(), id=one.rule.id, day=one.day, month=one.month, last=one.last)
        for one in rules.listing(here.desk, here.domain)
    ]
    return Page(items=found)


def _made(given: list[dict[str, str]]) -> tuple[Kept, ...]:
    return tuple(rules.make(**one) for one in given)


@router.get("/domains/{domain}/rules")
def list_rules(here: Looking) -> Page[Rule]:
    """List the rules in force, in their order."""
    return _list(here)


@router.post("/domains/{domain}/rules", status_code=201)
def add_rules(here: Changing, new: NewRules) -> Added:
    """Add rules; says which listed recipients they would refuse."""
    done = rules.add(here.desk, here.domain, _made(new.rules), first=new.first)
    return Added(
        added=[one.id for one in done.added],
        same=done.same,
        caught=done.caught,
        caught_count=done.caught_count,
    )


@router.post("/domains/{domain}/rules/test")
def test_rules(here: Looking, trial: Trial) -> Page[Tested]:
    """Say what the rules (or a draft) make of addresses; changes nothing."""
    draft = _made(trial.draft) if trial.draft is not None else None
    found = rules.test(here.desk, here.domain, trial.addresses[:MOST_TESTED], draft)
    return Page(
        items=[
            Tested(address=one.address, rule=one.rule.pattern if one.rule else None, refused=one.refused)
            for one in found
        ]
    )


@router.delete("/domains/{domain}/rules/{rule}", status_code=204)
def remove_rule(here: Changing, rule: RuleId) -> None:
    """Take a rule away."""
    rules.remove(here.desk, here.domain, rule)
