"""A deferral that nobody hears: what is a refusal all the same, and what is kept of what was said."""

import json

import pytest

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Score, Take, Verdict
from gatepost.policy.decide import Fate, Finding, Outcome
from gatepost.policy.later import as_plain, from_plain, is_refusal
from gatepost.policy.policy import Action, Mode

VIRUS = frozenset({"virus"})


def said(
    verdict: Verdict | None, plugin: str = "x", mode: str = "on", failure: str = "", hook: str = "message"
) -> Finding:
    """Return what a check said."""
    return Finding(plugin, hook, verdict, Mode(mode), Action.DEFER, failure=failure)


@pytest.mark.parametrize(
    ("fate", "findings", "refusal"),
    [
        (Fate.DEFER, [said(Defer("later"))], False),
        (Fate.DEFER, [said(Reject("bad"))], True),
        (Fate.DEFER, [said(Reject("bad"), mode="watch")], False),
        (Fate.DEFER, [said(Reject("bad"), "y"), said(Defer("x cannot answer"), failure="dead")], False),
        (Fate.DEFER, [said(Defer("x cannot answer"), failure="dead")], False),
        (Fate.REJECT, [], True),
        (Fate.QUARANTINE, [], True),
        (Fate.ACCEPT, [], False),
        (Fate.TAKE, [], False),
    ],
)
def test_is_refusal(fate: Fate, findings: list[Finding], refusal: bool) -> None:
    """Found bad, though said softly; not what could not answer, watched, or only wanted it later."""
    assert refusal == is_refusal(Outcome(fate, "x"), findings, VIRUS)


@pytest.mark.parametrize(("failure", "refusal"), [("", True), ("dead", False)])
def test_of_what_nothing_leads_past(failure: str, refusal: bool) -> None:
    """A scanner whose finding the domain puts off has found something; a dead one has not."""
    findings = [said(Defer("Eicar"), "virus", failure=failure)]
    assert refusal == is_refusal(Outcome(Fate.DEFER, "virus"), findings, VIRUS)


def test_what_is_kept() -> None:
    """What was said before the message, as JSON; the content is asked again, and a later was obeyed."""
    before = [
        said(verdict, hook="rcpt")
        for verdict in (Score(2.5, "odd"), Reject("bad", "no", 554, action="tag"), Allow("friend"))
    ]
    before.append(
        Finding("y", "helo", AddHeader("X-A", "b"), Mode.WATCH, Action.TAG, allowed_by="ip 1.2.3.4")
    )
    others = [said(Score(1, "words")), said(Defer("later"), hook="rcpt"), said(None, hook="rcpt")]
    kept = json.loads(json.dumps(as_plain([*before, *others, said(Take("t"), hook="rcpt")])))
    assert before == from_plain(kept)


@pytest.mark.parametrize(
    "change", [{"kind": "Take"}, {"kind": []}, {"said": {"pints": 1}}, {"mode": "odd"}, {"said": None}]
)
def test_what_is_none(change: dict[str, object]) -> None:
    """Only our own error."""
    (one,) = as_plain([said(Score(2.5, "odd"), hook="rcpt")])
    with pytest.raises(ValueError, match=r"."):
        from_plain([one | change])
