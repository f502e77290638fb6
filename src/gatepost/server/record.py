"""What is written down about a mail: the checks and what they said, in the journal's short form.

On the way of every refused recipient, so strings are put together by hand; whatever a stranger or
a plugin wrote goes through the JSON encoder's own quoting.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quote

from gatepost.mail.message import Message, decode_words
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take, Verdict
from gatepost.policy.decide import Finding, Outcome
from gatepost.policy.policy import Mode
from gatepost.relay.results import Result
from gatepost.spool.index import Kept

_WORD: dict[type, str] = {
    Reject: "reject",
    Defer: "defer",
    Score: "score",
    Allow: "allow",
    Rewrite: "rewrite",
    Take: "take",
    AddHeader: "header",
}
MAX_DETAIL = 300
MAX_ANSWERS = 8
MAX_ANSWER = 120
"""A row per recipient has them, also where the mail was accepted: the usual mail needs four or five."""


def trace_of(findings: Sequence[Finding], outcome: Outcome) -> str:
    """Return the trace as JSON: a list of [plugin, hook, result, milliseconds, detail]."""
    steps = [
        f'["{f.plugin}","{f.hook}","",{f.milliseconds:.2f},""]' if _silent(f) else _said(f) for f in findings
    ]
    if outcome.allowed_by:
        steps.append(f'["lists","","allow",0,{quote(outcome.allowed_by[:MAX_DETAIL])}]')
    return f"[{','.join(steps)}]"


def message_trace(
    findings: Sequence[Finding], outcome: Outcome, answers: Sequence[str], result: Result | None
) -> str:
    """Return the trace of a mail that came: checks, DNS answers they rest on, its mark, the back end."""
    trace = with_answers(trace_of(findings, outcome), answers)
    if outcome.tags:  # the journal counts what went on marked (store/journal_counts.py)
        trace = with_step(trace, "gatepost", "marked", ", ".join(outcome.tags))
    if result is not None:
        trace = with_step(trace, "relay", result.kind, f"{result.where}: {result.code} {result.text}")
    return trace


def with_answers(trace: str, answers: Sequence[str]) -> str:
    """Return the trace with the DNS answers that its checks rest on."""
    for one in answers[:MAX_ANSWERS]:
        trace = with_step(
            trace, "dns", "answered", one if len(one) <= MAX_ANSWER else f"{one[:MAX_ANSWER]}..."
        )
    if len(answers) > MAX_ANSWERS:
        trace = with_step(trace, "dns", "answered", f"and {len(answers) - MAX_ANSWERS} more")
    return trace


def with_step(trace: str, place: str, result: str, detail: str) -> str:
    """Return the trace with one more step behind it."""
    step = f'["{place}","","{result}",0,{quote(detail[:MAX_DETAIL])}]'
    return f"{trace[:-1]},{step}]" if len(trace) > 2 else f"[{step}]"


def steps_of(session: Session) -> str:
    """Return what was noticed about a session as a whole, as JSON; "" for nothing."""
    steps = []
    if session.early:
        steps.append('["session","early","talked before the greeting"]')
    if session.proxied:
        steps.append(f'["session","proxied",{quote(session.proxied)}]')
    if session.refusals:
        steps.append(f'["session","refused at MAIL",{quote(f"{session.refused}, {session.refusals} times")}]')
    return f"[{','.join(steps)}]" if steps else ""


def subject_of(head: bytes) -> str:
    """Return the decoded subject, bounded; "" if there is none."""
    at = head.find(b"Subject:") if head.startswith(b"Subject:") else head.find(b"\nSubject:") + 1
    if at <= 0 and not head.startswith(b"Subject:"):
        if b"subject:" not in head.lower():
            return ""
        return decode_words(Message(head).get("subject") or "")
    end = head.find(b"\n", at)
    while 0 <= end < len(head) - 1 and head[end + 1] in b" \t" and end - at < 2000:
        end = head.find(b"\n", end + 1)
    raw = head[at + 8 : end if end >= 0 else len(head)].decode("utf-8", "replace")
    raw = raw.replace("\r\n", "").strip()
    return decode_words(raw) if "=?" in raw else raw[:500]


def kept_of(
    session: Session,
    transaction: Transaction,
    recipient: Recipient,
    outcome: Outcome,
    fate: str,
    said: tuple[str, str],
    size: int,
) -> Kept:
    """Return what the archive writes of a copy; `said`: its Subject and its Message-ID."""
    subject, message_id = said
    return Kept(
        id=transaction.id,
        time=time.time(),
        sender=transaction.sender.text if transaction.sender is not None else None,
        recipient=recipient.final.text,
        domain=recipient.final.domain,
        ip=session.client,
        host=session.host or "",
        helo=session.helo,
        reason=outcome.reason,
        plugin=outcome.plugin,
        outcome=fate,
        held=fate != "rejected",
        score=outcome.score,
        subject=subject if recipient.policy is None or recipient.policy.subjects else "",
        message_id=message_id,
        size=size,
        body=transaction.body,
        smtputf8=transaction.smtputf8,
    )


def _silent(finding: Finding) -> bool:
    return finding.verdict is None and not finding.failure and finding.mode is not Mode.WATCH


def _said(finding: Finding) -> str:
    verdict = finding.verdict
    word = _WORD[type(verdict)] if verdict is not None else ""
    detail = finding.failure or _detail(verdict)
    if finding.failure:
        word = f"failed {word}".strip()
    if finding.allowed_by:
        detail = f"{detail}; let past by {finding.allowed_by}"
    if finding.mode is Mode.WATCH:
        word = f"watch {word}".strip()
    return (
        f'["{finding.plugin}","{finding.hook}","{word}",{finding.milliseconds:.2f},'
        f"{quote(detail[:MAX_DETAIL])}]"
    )


def _detail(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    if isinstance(verdict, Rewrite):
        return f"{verdict.address} {verdict.reason}".strip()
    if isinstance(verdict, AddHeader):
        return f"{verdict.name}: {verdict.value}"
    if isinstance(verdict, Score):
        return f"{verdict.points:+g} {verdict.reason}"
    return verdict.reason
