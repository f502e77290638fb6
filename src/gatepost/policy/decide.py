"""From what the checks said to what becomes of the mail: pure, by CONTRACT section 5.

1. A check that nothing leads past (recipients, viruses) decides first.
2. An allow entry of the general lists leads past all others. A deny entry has no voice here: it
   speaks through the check `deny_list`, with that check's switch and action.
3. A check that vouches (`Allow`) silences the others, but not an owner's deny entry.
4. The strongest of what is left decides: refused, deferred, swallowed, held. A check on *watch*
   is only named in the outcome; a refusal whose action is *tag* becomes a tag.
5. With the message at hand the points are summed and held against the domain's thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Score, Take, Verdict
from gatepost.policy.lists import Entry
from gatepost.policy.policy import Action, DomainPolicy, Mode


class Fate(StrEnum):
    """What becomes of one recipient's copy."""

    ACCEPT = "accept"
    REJECT = "reject"
    DEFER = "defer"
    QUARANTINE = "quarantine"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one check for one recipient, with the switch it stood under."""

    plugin: str
    hook: str
    verdict: Verdict | None
    mode: Mode
    action: Action
    milliseconds: float = 0.0
    failure: str = ""
    """The check could not answer: time-out, exception. Then `verdict` is what `on_failure` made of it."""
    allowed_by: str = ""
    """The allow entry of this plugin that lets the mail past it, as text."""
    remembered: bool = False
    """The answer came from memory (asked before in this session or transaction)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision for one recipient, with who decided."""

    fate: Fate
    plugin: str = ""
    reason: str = ""
    """Exact, for the owner."""
    public: str = ""
    """General, for the sender."""
    code: int = 250
    enhanced: str = "2.1.5"
    score: float = 0.0
    tags: tuple[str, ...] = ()
    """Checks whose refusal became a tag, and `score`."""
    headers: tuple[tuple[str, str], ...] = ()
    allowed_by: str = ""
    """The general allow entry that decided, as text."""
    watched: tuple[str, ...] = ()
    """Checks that would have refused but stand on watch."""
    at_once: bool = False
    """A refusal that does not wait for the data (CONTRACT 5, `refuse_at`)."""


ACCEPTED = Outcome(Fate.ACCEPT)
UNSKIPPABLE = frozenset({"recipients"})
"""Checks that no allow entry and no other check leads past, where the caller names none."""
_RANK = {Fate.REJECT: 0, Fate.DEFER: 1, Fate.TAKE: 2, Fate.QUARANTINE: 3, Fate.ACCEPT: 4}
_NOT_NOW = "Not accepted now, try again later"


def decide_recipient(
    policy: DomainPolicy,
    findings: list[Finding],
    entry: Entry | None,
    *,
    proven: bool = False,
    unskippable: Iterable[str] = UNSKIPPABLE,
) -> Outcome:
    """Decide at RCPT. Points do not decide yet: the message may still speak for itself.

    `entry` is what the general lists say (`Lists.match`), `proven` that SPF or DKIM agrees with the sender.
    """
    if not findings:
        return ACCEPTED if entry is None or entry.kind == "deny" else _allowed(entry, 0.0, (), ())
    return _decide(policy, findings, entry, proven, unskippable, at_message=False)


def decide_message(
    policy: DomainPolicy,
    findings: list[Finding],
    entry: Entry | None,
    *,
    proven: bool = False,
    unskippable: Iterable[str] = UNSKIPPABLE,
) -> Outcome:
    """Decide when the whole message is there, over everything that was found since RCPT."""
    return _decide(policy, findings, entry, proven, unskippable, at_message=True)


def _decide(
    policy: DomainPolicy,
    findings: list[Finding],
    entry: Entry | None,
    proven: bool,
    unskippable: Iterable[str],
    *,
    at_message: bool,
) -> Outcome:
    spoken = [f for f in findings if f.verdict is not None]
    if not spoken and (entry is None or entry.kind == "deny"):
        return ACCEPTED
    if len(spoken) == 1 and (entry is None or entry.kind == "deny" or spoken[0].plugin in unskippable):
        only = _refused_by(spoken[0])
        if only is not None:
            return only
    refusals: list[Outcome] = []
    unskipped: list[Outcome] = []
    vouched = ""
    watched: list[str] = []
    tags: list[str] = []
    headers: list[tuple[str, str]] = []
    score = 0.0
    for finding in spoken:
        verdict = finding.verdict
        if finding.mode is Mode.OFF:
            continue
        kind = type(verdict)
        if kind is AddHeader:
            if finding.mode is Mode.ON:
                headers.append((verdict.name, verdict.value))  # type: ignore[union-attr]
        elif finding.allowed_by:
            continue
        elif finding.mode is Mode.WATCH:
            if kind in _REFUSES and finding.plugin not in watched:
                watched.append(finding.plugin)
        elif kind is Score:
            score += verdict.points  # type: ignore[union-attr]
        elif kind is Allow:
            vouched = vouched or f"{finding.plugin}: {verdict.reason}"  # type: ignore[union-attr]
        elif kind in _REFUSES:
            outcome = _refusal(finding)
            if outcome.fate is Fate.ACCEPT:
                if finding.plugin not in tags:
                    tags.append(finding.plugin)
            elif finding.plugin in unskippable:
                unskipped.append(outcome)
            else:
                refusals.append(outcome)
    said = tuple(watched)
    extra = tuple(headers)
    if unskipped:
        return _strongest(unskipped, score, (), extra, said)
    if entry is not None and entry.kind == "allow" and (proven or not entry.verified):
        return _allowed(entry, score, extra, said)
    if vouched and (entry is None or entry.kind != "deny"):
        refusals, tags = [], []
    if refusals:
        return _strongest(refusals, score, tuple(tags), extra, said)
    if at_message and not vouched:
        by_points = _by_points(policy, score)
        if by_points is not None:
            return _strongest([by_points], score, tuple(tags), extra, said)
        if policy.tag_at is not None and score >= policy.tag_at:
            tags.append("score")
    if not (score or tags or extra or said or vouched):
        return ACCEPTED
    return Outcome(
        Fate.ACCEPT, score=score, tags=tuple(tags), headers=extra, allowed_by=vouched, watched=said
    )


_REFUSES = frozenset({Reject, Defer, Take})
_KNOWN: dict[int, tuple[Reject, str, Outcome]] = {}
"""Outcomes of refusals that checks give again and again (the same object each time), by their identity."""
MAX_KNOWN = 1_000


def _refused_by(finding: Finding) -> Outcome | None:
    """Return the outcome of the one refusal of most refused mail, None where it is not that simple."""
    verdict = finding.verdict
    if (
        type(verdict) is not Reject
        or finding.mode is not Mode.ON
        or finding.action is not Action.REJECT
        or finding.allowed_by
        or finding.failure
        or verdict.action
    ):
        return None
    known = _KNOWN.get(id(verdict))
    if known is not None and known[0] is verdict and known[1] == finding.plugin:
        return known[2]
    outcome = _refusal(finding)
    if len(_KNOWN) >= MAX_KNOWN:
        _KNOWN.clear()
    _KNOWN[id(verdict)] = verdict, finding.plugin, outcome
    return outcome


def _refusal(finding: Finding) -> Outcome:
    """Return what one refusal is by itself, by the action that its domain set for the check."""
    verdict, action, plugin = finding.verdict, finding.action, finding.plugin
    assert isinstance(verdict, Reject | Defer | Take)
    if isinstance(verdict, Take):
        return Outcome(Fate.TAKE, plugin, verdict.reason, code=250, enhanced="2.6.0")
    if isinstance(verdict, Reject) and verdict.action:
        action = Action(verdict.action)
    # A check that could not answer defers whatever its action is: `on_failure` said so.
    if action is Action.TAG and not finding.failure:
        return ACCEPTED
    reason, public = verdict.reason, verdict.public
    if isinstance(verdict, Reject) and not finding.failure:
        if action is Action.QUARANTINE:
            return Outcome(Fate.QUARANTINE, plugin, reason, public, 250, "2.6.0")
        if action is not Action.DEFER:
            right = 500 <= verdict.code <= 599 and verdict.enhanced.startswith("5.")
            code, enhanced = (verdict.code, verdict.enhanced) if right else (550, "5.7.1")
            return Outcome(Fate.REJECT, plugin, reason, public, code, enhanced, at_once=verdict.at_once)
        return Outcome(Fate.DEFER, plugin, reason, public or _NOT_NOW, 451, "4.7.1")
    right = 400 <= verdict.code <= 499 and verdict.enhanced.startswith("4.")
    code, enhanced = (verdict.code, verdict.enhanced) if right else (451, "4.7.1")
    return Outcome(Fate.DEFER, plugin, reason, public or _NOT_NOW, code, enhanced)


def _by_points(policy: DomainPolicy, score: float) -> Outcome | None:
    if policy.reject_at is not None and score >= policy.reject_at:
        reason = f"{score:g} points, refused from {policy.reject_at:g}"
        return Outcome(Fate.REJECT, "score", reason, "Message looks like spam", 550, "5.7.1")
    if policy.quarantine_at is not None and score >= policy.quarantine_at:
        reason = f"{score:g} points, held from {policy.quarantine_at:g}"
        return Outcome(Fate.QUARANTINE, "score", reason, "", 250, "2.6.0")
    return None


def _strongest(
    refusals: list[Outcome],
    score: float,
    tags: tuple[str, ...],
    headers: tuple[tuple[str, str], ...],
    watched: tuple[str, ...],
) -> Outcome:
    """Return the strongest refusal (of equal ones the first), with what else is to be told."""
    first = refusals[0] if len(refusals) == 1 else min(refusals, key=lambda o: _RANK[o.fate])
    if not (score or tags or headers or watched):
        return first
    return Outcome(
        first.fate,
        first.plugin,
        first.reason,
        first.public,
        first.code,
        first.enhanced,
        score,
        tags,
        headers,
        "",
        watched,
        first.at_once,
    )


def _allowed(
    entry: Entry, score: float, headers: tuple[tuple[str, str], ...], watched: tuple[str, ...]
) -> Outcome:
    return Outcome(Fate.ACCEPT, score=score, headers=headers, allowed_by=str(entry), watched=watched)
