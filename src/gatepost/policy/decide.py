"""From what the checks said to what becomes of the mail: pure, by CONTRACT section 5."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost.mail.verdict import Verdict
from gatepost.policy.policy import Action, Mode


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
