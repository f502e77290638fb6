"""What a finding becomes, for all checks that find more than one thing, and the evidence of the sender's.

Each finding has a setting of its own per domain, which says `refuse` (the domain's action for the
check decides what that means), `quarantine`, `tag`, `defer`, `ignore`, or how many points it is worth.
What evaluates the sender is imported at the first mail: a command line that lists settings needs none
of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gatepost.mail.transaction import Transaction
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.context import Context
from gatepost.policy.policy import DomainPolicy, Mode

if TYPE_CHECKING:
    from gatepost.auth.evidence import Evidence

Answer = Literal["refuse", "quarantine", "tag", "defer", "ignore"] | Annotated[float, Field(ge=-100, le=100)]
"""What a finding becomes: refused, held, tagged, deferred, nothing, or points (negative: in favour)."""
METHODS = "proof.methods"
"""Key in a policy's cache: the checks that are on."""
STRONGEST = ("refuse", "defer", "quarantine", "tag")
"""Of several the first decides."""
NOT_NOW = "The sender cannot be verified now, try again later"


def evidence(ctx: Context[Any]) -> Evidence:
    """Return what is proved about this mail; each method is evaluated once for all checks and domains."""
    from gatepost.auth.evidence import evidence_for

    return evidence_for(
        ctx.session, ctx.transaction, ctx.dns, ctx.now, ctx.message, ctx.hostname or "unknown"
    )


def answer(
    what: Answer,
    reason: str,
    public: str,
    enhanced: str = "5.7.1",
    not_now: str = NOT_NOW,
    later: str = "4.4.3",
) -> Reject | Defer | Score:
    """Return the verdict for a result; `ignore` is still written down, with no points."""
    if what == "refuse":
        return Reject(reason, public, 550, enhanced)
    if what in ("quarantine", "tag"):
        return Reject(reason, public, 550, enhanced, action=what)
    if what == "defer":
        return Defer(reason, not_now or public, 451, later)
    return Score(0.0 if what == "ignore" else float(what), reason)


def together(
    found: Sequence[tuple[Answer, str]],
    public: str,
    enhanced: str = "5.7.1",
    not_now: str = NOT_NOW,
    later: str = "4.4.3",
) -> Reject | Defer | Score | tuple[Reject | Defer | Score, ...] | None:
    """Return what several findings of one check come to: the strongest word, all reasons; points add up.

    Points stand beside what is held or tagged: they are part of the mail's score all the same.
    """
    if not found:
        return None
    why = "; ".join(reason for _, reason in found)
    said = [what for what, _ in found]
    points = sum(float(what) for what in said if not isinstance(what, str))
    for word in STRONGEST:
        if word in said:
            verdict = answer(word, why, public, enhanced, not_now, later)
            beside = points and word in ("quarantine", "tag")
            return (verdict, Score(points, why)) if beside else verdict
    return answer(points if points else "ignore", why, public)


def proved(transaction: Transaction, policy: DomainPolicy, hostname: str) -> bytes:
    """Return Authentication-Results and Received-SPF for one domain's copy; b"" where nothing was asked.

    Only what the domain itself has switched on stands there: another's checks never touch its mail.
    """
    if not transaction.facts:
        return b""
    from gatepost.auth.evidence import Evidence
    from gatepost.auth.facts import Forwarded

    found: Evidence | None = transaction.facts.get(Evidence)
    if found is None:
        return b""
    methods: set[str] | None = policy.cache.get(METHODS)
    if methods is None:
        methods = policy.cache[METHODS] = {n for n, one in policy.plugins.items() if one.mode is Mode.ON}
    forwarded = transaction.answers.get(("fact", Forwarded, policy.domain))
    return found.top(hostname, forwarded, methods)


def dns_answers(transaction: Transaction) -> list[str]:
    """Return the DNS answers on which the proofs of the sender rest; empty where nobody asked."""
    if not transaction.facts:
        return []
    from gatepost.auth.evidence import Evidence

    found: Evidence | None = transaction.facts.get(Evidence)
    return found.asked() if found is not None else []
