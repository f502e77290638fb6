"""The journal's short words and fresh findings are said in the same words for people."""

from __future__ import annotations

import pytest

from gatepost.desk.steps import of_findings, of_trace
from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take, Verdict
from gatepost.policy.decide import Finding
from gatepost.policy.policy import Action, Mode


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("", "nothing against it"),
        ("reject", "refuses it"),
        ("watch", "nothing against it (watch)"),
        ("watch reject", "would refuse it (watch)"),
        ("watch failed", "could not answer (watch)"),
        ("failed", "could not answer"),
        ("failed defer", "could not answer, so it defers"),
        ("delivered", "took it"),
        ("somethingnew", "somethingnew"),
    ],
)
def test_said(result: str, said: str) -> None:
    """Every word that the journal has is said; one that is not known is shown as it is."""
    assert of_trace([["dnsbl", "connect", result, 1.25, "x"]])[0].said == said


def test_of_trace() -> None:
    """Check, moment, time and detail come through; what is no row is passed over."""
    steps = of_trace([["dnsbl", "rcpt", "reject", 12.34, "listed"], "junk", [], ["relay", "", "delivered"]])
    assert [(s.check, s.when, s.took, s.detail) for s in steps] == [
        ("dnsbl", "RCPT", "12.3 ms", "listed"),
        ("relay", "", "0.0 ms", ""),
    ]
    assert of_trace(None) == []


@pytest.mark.parametrize(
    ("verdict", "said", "detail"),
    [
        (None, "nothing against it", ""),
        (Reject("bad"), "refuses it", "bad"),
        (Defer("later"), "wants it later", "later"),
        (Score(2.5, "odd"), "gives points", "+2.5 odd"),
        (Allow("known"), "vouches for it", "known"),
        (Take("trained"), "swallows it", "trained"),
        (Rewrite("a@b.c", "tag"), "says it is really for", "a@b.c tag"),
        (AddHeader("X-A", "b"), "adds a header", "X-A: b"),
    ],
)
def test_of_findings(verdict: Verdict | None, said: str, detail: str) -> None:
    """Each verdict has its words."""
    (step,) = of_findings([Finding("p", "rcpt", verdict, Mode.ON, Action.REJECT, 0.5)])
    assert (step.said, step.detail) == (said, detail)


def test_failure_and_allow() -> None:
    """A failure says why; an entry that leads past the check is named."""
    failed = Finding("p", "rcpt", None, Mode.WATCH, Action.REJECT, failure="time-out")
    past = Finding("p", "rcpt", Reject("bad"), Mode.ON, Action.REJECT, allowed_by="allow 192.0.2.1")
    steps = of_findings([failed, past])
    assert (steps[0].result, steps[0].detail) == ("watch failed", "time-out")
    assert steps[1].detail == "bad; let past by allow 192.0.2.1"
