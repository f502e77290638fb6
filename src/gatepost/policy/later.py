"""What a deferral means where the sender cannot come again: another domain took its copy, so he was told 250.

A check that could not answer, or said "later", is asked again before the copy goes on: the spool does what
the sender's own server would have done. A refusal that the domain turned into a deferral
(`NAME.action=defer`) stays a refusal, and so does a "later" of a check that nothing leads past (a virus, a
mail that kills): that copy is held. What the checks said before the message came waits with the copy, as
plain values. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import asdict
from typing import Any

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Score
from gatepost.policy.decide import Fate, Finding, Outcome
from gatepost.policy.policy import Action, Mode

CONTENT = frozenset({"headers", "message"})
"""Hooks that are asked again; what was said in the others is kept."""
_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (AddHeader, Allow, Reject, Score)}

Plain = list[dict[str, Any]]


def is_refusal(outcome: Outcome, findings: Sequence[Finding], unskippable: Container[str]) -> bool:
    """Return whether what decided is against the mail; False where it only wants it to come again."""
    if outcome.fate is not Fate.DEFER:
        return outcome.fate in (Fate.REJECT, Fate.QUARANTINE)
    mine = [f for f in findings if f.plugin == outcome.plugin and f.mode is Mode.ON and not f.failure]
    return any(
        type(f.verdict) is Reject or (type(f.verdict) is Defer and f.plugin in unskippable) for f in mine
    )


def as_plain(findings: Sequence[Finding]) -> Plain:
    """Return what still holds when the content is judged again: what was said before the message came."""
    return [
        {
            "plugin": f.plugin,
            "hook": f.hook,
            "mode": f.mode.value,
            "action": f.action.value,
            "allowed_by": f.allowed_by,
            "kind": type(f.verdict).__name__,
            "said": asdict(f.verdict),
        }
        for f in findings
        if f.verdict is not None and f.hook not in CONTENT and type(f.verdict).__name__ in _KINDS
    ]


def from_plain(said: Plain) -> list[Finding]:
    """Return the findings again. ValueError for what `as_plain` did not make."""
    try:
        return [
            Finding(
                one["plugin"],
                one["hook"],
                _KINDS[one["kind"]](**one["said"]),
                Mode(one["mode"]),
                Action(one["action"]),
                allowed_by=one["allowed_by"],
            )
            for one in said
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no findings: {error!r}") from error
