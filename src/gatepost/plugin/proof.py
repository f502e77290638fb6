"""What the checks of senders have in common: what a result becomes, and the evidence they share.

For `spf`, `dkim`, `arc` and `dmarc`. Each result has a setting of its own per domain, which says
`refuse` (the domain's action for the check decides what that means), `defer`, `ignore`, or how
many points it is worth. What evaluates is imported at the first mail: a command line that lists
settings needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gatepost.mail.transaction import Transaction
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.context import Context
from gatepost.policy.policy import DomainPolicy, Mode

if TYPE_CHECKING:
    from gatepost.auth.evidence import Evidence

Answer = Literal["refuse", "defer", "ignore"] | Annotated[float, Field(ge=-100, le=100)]
"""What a result becomes: refused, deferred, nothing, or points (negative: in favour)."""
NOT_NOW = "The sender cannot be verified now, try again later"


def evidence(ctx: Context[Any]) -> Evidence:
    """Return what is proved about this mail; each method is evaluated once for all checks and domains."""
    from gatepost.auth.evidence import evidence_for

    return evidence_for(
        ctx.session, ctx.transaction, ctx.dns, ctx.now, ctx.message, ctx.hostname or "unknown"
    )


def answer(
    what: Answer, reason: str, public: str, enhanced: str = "5.7.1", not_now: str = NOT_NOW
) -> Reject | Defer | Score:
    """Return the verdict for a result; `ignore` is still written down, with no points."""
    if what == "refuse":
        return Reject(reason, public, 550, enhanced)
    if what == "defer":
        return Defer(reason, not_now, 451, "4.4.3")
    return Score(0.0 if what == "ignore" else float(what), reason)


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
    methods = {name for name, one in policy.plugins.items() if one.mode is Mode.ON}
    forwarded = transaction.answers.get(("fact", Forwarded, policy.domain))
    return found.top(hostname, forwarded, methods)


def dns_answers(transaction: Transaction) -> list[str]:
    """Return the DNS answers on which the proofs of the sender rest; empty where nobody asked."""
    if not transaction.facts:
        return []
    from gatepost.auth.evidence import Evidence

    found: Evidence | None = transaction.facts.get(Evidence)
    return found.asked() if found is not None else []
