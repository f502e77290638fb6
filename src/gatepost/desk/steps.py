"""What a check said, in words for people: for `explain`, `check` and `plugin try`.

The journal has short words (`watch reject`, `failed defer`); here is the one place that speaks them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take, Verdict
from gatepost.policy.decide import Finding
from gatepost.policy.policy import Mode

SAID = {
    "": "nothing against it",
    "reject": "refuses it",
    "defer": "wants it later",
    "score": "gives points",
    "allow": "vouches for it",
    "rewrite": "says it is really for",
    "take": "swallows it",
    "header": "adds a header",
    "failed": "could not answer",
    "failed reject": "could not answer, so it refuses",
    "failed defer": "could not answer, so it defers",
    "delivered": "took it",
    "refused": "refuses it",
    "deferred": "wants it later",
    "unreachable": "does not answer",
    "told": "said to the sender",
    "marked": "delivers it marked",
}
WOULD = {
    "": "nothing against it (watch)",
    "reject": "would refuse it (watch)",
    "defer": "would defer it (watch)",
    "score": "would give points (watch)",
    "allow": "would vouch for it (watch)",
    "take": "would swallow it (watch)",
}
WHEN = {
    "address": "address",
    "connect": "connect",
    "helo": "HELO",
    "mail": "MAIL",
    "rcpt": "RCPT",
    "headers": "headers",
    "message": "message",
}
_WORD: dict[type, str] = {
    Reject: "reject",
    Defer: "defer",
    Score: "score",
    Allow: "allow",
    Rewrite: "rewrite",
    Take: "take",
    AddHeader: "header",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One check's answer."""

    check: str
    hook: str
    result: str
    """The short word, for programs."""
    milliseconds: float
    detail: str

    @property
    def said(self) -> str:
        """The result in words."""
        watch, _, rest = self.result.partition("watch")
        if not watch and self.result.startswith("watch"):
            word = rest.strip()
            return WOULD.get(word) or f"{SAID.get(word, word)} (watch)"
        return SAID.get(self.result, self.result)

    @property
    def when(self) -> str:
        """The moment of the dialogue."""
        return WHEN.get(self.hook, self.hook)

    @property
    def took(self) -> str:
        """The time, as a person reads it."""
        return f"{self.milliseconds:.1f} ms"


def of_trace(trace: Any) -> list[Step]:
    """Return the steps that the journal has: rows of check, hook, result, milliseconds, detail."""
    steps: list[Step] = []
    for row in trace if isinstance(trace, list) else ():
        if not isinstance(row, list) or not row:
            continue
        cells = [*row, *[""] * 5][:5]
        time = cells[3] if isinstance(cells[3], int | float) else 0.0
        steps.append(Step(str(cells[0]), str(cells[1]), str(cells[2]), float(time), str(cells[4])))
    return steps


def of_findings(findings: Iterable[Finding]) -> list[Step]:
    """Return the steps of checks that have just been asked."""
    return [Step(f.plugin, f.hook, _result(f), f.milliseconds, _detail(f)) for f in findings]


def brief(verdict: Verdict) -> str:
    """Return a verdict as its author wrote it: `Reject("subject has 'casino'")`."""
    kind = type(verdict).__name__
    if isinstance(verdict, Score):
        return f"{kind}({verdict.points:g}, {json.dumps(verdict.reason)})"
    if isinstance(verdict, Rewrite):
        return f"{kind}({json.dumps(verdict.address)})"
    if isinstance(verdict, AddHeader):
        return f"{kind}({json.dumps(verdict.name)}, {json.dumps(verdict.value)})"
    return f"{kind}({json.dumps(verdict.reason)})"


def _result(finding: Finding) -> str:
    word = _WORD[type(finding.verdict)] if finding.verdict is not None else ""
    if finding.failure:
        word = f"failed {word}".strip()
    return f"watch {word}".strip() if finding.mode is Mode.WATCH else word


def _detail(finding: Finding) -> str:
    verdict = finding.verdict
    if finding.failure:
        detail = finding.failure
    elif verdict is None:
        detail = ""
    elif isinstance(verdict, Rewrite):
        detail = f"{verdict.address} {verdict.reason}".strip()
    elif isinstance(verdict, AddHeader):
        detail = f"{verdict.name}: {verdict.value}"
    elif isinstance(verdict, Score):
        detail = f"{verdict.points:+g} {verdict.reason}"
    else:
        detail = verdict.reason
    return f"{detail}; let past by {finding.allowed_by}" if finding.allowed_by else detail
