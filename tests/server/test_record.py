"""What is written down about a mail is JSON whatever a stranger wrote, bounded, and says each check."""

from __future__ import annotations

import json

import pytest

from gatepost.mail.session import Session
from gatepost.mail.verdict import AddHeader, Allow, Reject, Score, Verdict
from gatepost.policy.decide import ACCEPTED, Finding, Outcome
from gatepost.policy.policy import Action, Mode
from gatepost.relay.results import Result
from gatepost.server.record import (
    MAX_ANSWER,
    MAX_ANSWERS,
    MAX_DETAIL,
    message_trace,
    steps_of,
    subject_of,
    trace_of,
    with_step,
)

HOSTILE = 'x"],["y\\\r\n\x1b'


def said(verdict: Verdict | None, mode: Mode = Mode.ON, **more: str) -> list[object]:
    """Return the step that one finding makes."""
    finding = Finding("p", "rcpt", verdict, mode, Action.REJECT, 1.5, **more)  # type: ignore[arg-type]
    (step,) = json.loads(trace_of([finding], ACCEPTED))
    return list(step)


@pytest.mark.parametrize(
    ("verdict", "word", "detail"),
    [
        (None, "", ""),
        (Reject("listed"), "reject", "listed"),
        (Allow("known"), "allow", "known"),
        (Score(2.5, "odd"), "score", "+2.5 odd"),
        (AddHeader("X-A", "b"), "header", "X-A: b"),
        (Reject(HOSTILE), "reject", HOSTILE),
        (Reject("x" * 1000), "reject", "x" * MAX_DETAIL),
    ],
)
def test_each_verdict(verdict: Verdict | None, word: str, detail: str) -> None:
    """Plugin, hook, result, milliseconds, detail."""
    assert ["p", "rcpt", word, 1.5, detail] == said(verdict)


def test_under_which_switch() -> None:
    """Watched, failed, let past: each is seen."""
    assert "watch reject" == said(Reject("listed"), Mode.WATCH)[2]
    assert "watch" == said(None, Mode.WATCH)[2]
    assert ["failed", "time-out"] == [said(None, failure="time-out")[n] for n in (2, 4)]
    assert (
        "listed; let past by allow ip 192.0.2.7" == said(Reject("listed"), allowed_by="allow ip 192.0.2.7")[4]
    )


def test_what_is_not_a_check() -> None:
    """The general allow entry that decided, and later steps, stand in the same list."""
    trace = trace_of([], Outcome(ACCEPTED.fate, allowed_by=HOSTILE))
    assert [["lists", "", "allow", 0, HOSTILE]] == json.loads(trace)
    assert [["relay", "", "refused", 0, "no"]] == json.loads(with_step("[]", "relay", "refused", "no"))
    assert ["lists", "relay"] == [s[0] for s in json.loads(with_step(trace, "relay", "refused", HOSTILE))]


def test_dns_answers() -> None:
    """The answers stand between the checks and the back end, cut and counted."""
    back_end = Result("delivered", 250, "2.0.0", "ok", where="[127.0.0.1]:25")
    rows = json.loads(message_trace([], ACCEPTED, [HOSTILE, "x" * 1000], back_end))
    assert [["dns", HOSTILE], ["dns", "x" * MAX_ANSWER + "..."]] == [[r[0], r[4]] for r in rows[:2]]
    assert "relay" == rows[2][0]
    many = json.loads(message_trace([], ACCEPTED, [str(n) for n in range(100)], None))
    assert MAX_ANSWERS + 1 == len(many)
    assert f"and {100 - MAX_ANSWERS} more" == many[-1][4]


def test_of_the_session() -> None:
    """Early talk and a proxy are noticed; nothing is nothing."""
    session = Session("0DQ3N7V5K2F8T", "192.0.2.7", 1, 0.0)
    assert "" == steps_of(session)
    session.early = True
    session.proxied = HOSTILE
    session.refused, session.refusals = "client_rate: too many messages", 2
    *first, last = json.loads(steps_of(session))
    assert [["session", "early"], ["session", "proxied"]] == [s[:2] for s in first]
    assert ["session", "refused at MAIL", "client_rate: too many messages, 2 times"] == last


@pytest.mark.parametrize(
    ("head", "subject"),
    [
        (b"Subject: hi\r\n", "hi"),
        (b"From: a@b\r\nSubject: hi\r\n\r\n", "hi"),
        (b"From: a@b\r\nsubject: small\r\n\r\n", "small"),
        (b"From: a@b\r\n\r\nnone", ""),
        (b"Subject: one\r\n two\r\nTo: x\r\n", "one two"),
        (b"Subject: =?utf-8?q?J=C3=B6rg?=\r\n", "J\u00f6rg"),
        (b"Subject:\xff\r\n", "\ufffd"),
        (b"X-Subject: no\r\n\r\n", ""),
    ],
)
def test_subject(head: bytes, subject: str) -> None:
    """The decoded subject, however it is written."""
    assert subject == subject_of(head)


def test_a_long_subject() -> None:
    """Bounded, folded or not."""
    assert 500 == len(subject_of(b"Subject: " + b"x" * 10_000 + b"\r\n"))
    assert 2_600 > len(subject_of(b"Subject: " + b"x\r\n " * 10_000))
