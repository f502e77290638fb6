"""`/domains/{domain}/rules`: patterns for addresses that nobody has, with their hits, and a tester.

The ETag is the version of the policy, as for settings: with If-Match a change is refused with 412
where somebody changed the domain's settings since.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from gatepost.console.api.answers import Answer, Body, Expected, Page, Text, Time, as_seen, etag
from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.desk import rules
from gatepost.desk.rule_files import Format
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


class RuleFile(Body):
    """A file of rules of a system that came before."""

    text: Text
    """Its lines; left empty with `six`."""
    format: Format | None = None
    """`rcpt_regexp` or `patterns`; null: seen from the lines."""
    six: bool = False
    """The six patterns of 2009 in place of a file."""


class Imported(Added):
    """What importing did."""

    remarks: list[str]
    """What was taken over otherwise than it stands, by line."""
    bad: list[str]
    """What was not taken over, by line."""


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
        for one in rules.listing(here.desk, here.domain or None)
    ]
    return Page(items=found)


def _added(done: rules.Added) -> Added:
    return Added(
        added=[one.id for one in done.added],
        same=done.same,
        caught=done.caught,
        caught_count=done.caught_count,
    )


def _made(given: list[dict[str, str]]) -> tuple[Kept, ...]:
    return tuple(rules.make(**one) for one in given)


@router.get("/domains/{domain}/rules")
def list_rules(here: Looking, response: Response) -> Page[Rule]:
    """List the rules in force, in their order; their version as ETag."""
    etag(response, here.desk.policy.version())
    return _list(here)


@router.post("/domains/{domain}/rules", status_code=201)
def add_rules(here: Changing, new: NewRules, expect: Expected) -> Added:
    """Add rules; says which listed recipients they would refuse."""
    made = _made(new.rules)
    with as_seen():
        return _added(rules.add(here.desk, here.domain or None, made, first=new.first, expect=expect))


@router.post("/domains/{domain}/rules/import", status_code=201)
def import_rules(here: Changing, file: RuleFile, expect: Expected) -> Imported:
    """Take over the rules of an old file; each line that is not is named with why."""
    with as_seen():
        if file.six:
            done = rules.import_six(here.desk, here.domain or None, expect=expect)
        else:
            done = rules.import_file(
                here.desk, here.domain or None, file.text.encode(), file.format, expect=expect
            )
    return Imported(
        **_added(done).model_dump(),
        remarks=done.remarks,
        bad=done.bad,
    )


@router.post("/domains/{domain}/rules/{rule}/move", status_code=204)
def move_rule(
    here: Changing, rule: RuleId, place: Annotated[int, Query(ge=1, le=100_000)], expect: Expected
) -> None:
    """Put a rule at a place, from 1; the first that matches decides."""
    with as_seen():
        rules.move(here.desk, here.domain or None, rule, place, expect=expect)


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
def remove_rule(here: Changing, rule: RuleId, expect: Expected) -> None:
    """Take a rule away."""
    with as_seen():
        rules.remove(here.desk, here.domain or None, rule, expect=expect)


@router.get("/rules")
def list_rules_of_all(here: Admin, response: Response) -> Page[Rule]:
    """List the rules of all domains that have none of their own; hits are a domain's and not told here."""
    return list_rules(here, response)


@router.post("/rules", status_code=201)
def add_rules_of_all(here: Admin, new: NewRules, expect: Expected) -> Added:
    """Add rules for all domains."""
    return add_rules(here, new, expect)


@router.post("/rules/import", status_code=201)
def import_rules_of_all(here: Admin, file: RuleFile, expect: Expected) -> Imported:
    """Take over the rules of an old file for all domains."""
    return import_rules(here, file, expect)


@router.post("/rules/{rule}/move", status_code=204)
def move_rule_of_all(
    here: Admin, rule: RuleId, place: Annotated[int, Query(ge=1, le=100_000)], expect: Expected
) -> None:
    """Put a rule of all domains at a place, from 1."""
    move_rule(here, rule, place, expect)


@router.delete("/rules/{rule}", status_code=204)
def remove_rule_of_all(here: Admin, rule: RuleId, expect: Expected) -> None:
    """Take a rule of all domains away."""
    remove_rule(here, rule, expect)
