"""What a check may say about a mail: the verdicts.

A verdict is a value. A check returns one or returns nothing (no opinion); it never writes to
the wire and never decides what a refusal becomes: that is the policy of the recipient's domain.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reject:
    """The mail should not get in. `reason` is exact and for the owner; `public` is for the sender."""

    reason: str
    public: str = ""
    """Text of the SMTP reply; empty: the plugin's general sentence."""
    code: int = 550
    enhanced: str = "5.7.1"
    at_once: bool = False
    """Said at RCPT also where the domain refuses after the data (`refuse_at`): no copy is kept."""
    action: str = ""
    """What this refusal becomes, where the check has an action for it alone (`reject`, `quarantine`, `defer`,
    `tag`); empty: what the domain set for the check."""


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now: the sender should try again (4xx)."""

    reason: str
    public: str = ""
    code: int = 451
    enhanced: str = "4.7.1"


@dataclass(frozen=True, slots=True)
class Score:
    """Points for (positive: worse) or against (negative: better) the mail being unwanted."""

    points: float
    reason: str


@dataclass(frozen=True, slots=True)
class Allow:
    """This check vouches for the mail: the other checks of the domain do not refuse it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Only from the hook `address`: the recipient is really this address."""

    address: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Take:
    """Swallow the mail: 250, not delivered, written in the journal."""

    reason: str


@dataclass(frozen=True, slots=True)
class AddHeader:
    """Put a header line on top of the mail for the recipients that asked this check.

    Of `Subject` there can be one only (RFC 5322, 3.6): its value goes behind what stands there. A
    DKIM signature that covers the subject does not hold any more after that.
    """

    name: str
    value: str


Verdict = Reject | Defer | Score | Allow | Rewrite | Take | AddHeader
Refusal = Reject | Defer
