"""One recipient's copy of a message: what became of it, what the client is told, what is written down.

Pure: copies in, replies and words out. Without PRDR one reply speaks for all copies (CONTRACT 5):
250 once any of them is safe for good, and then every other one must be safe too; 4xx while the
client has to keep the mail; 5xx only when all are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gatepost.mail.reply import Reply
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Score
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.policy import Mode
from gatepost.relay.results import Result
from gatepost.server.why import refusal

SUBJECT = "subject"
MAX_STARS = 50
PRDR_FIRST = Reply(353, "", "Replies for each recipient follow")


Where = Callable[[Outcome, Sequence[Recipient]], str]


def nowhere(_outcome: Outcome, _recipients: Sequence[Recipient]) -> str:
    """Know no page."""
    return ""


@dataclass(slots=True, eq=False)
class Copy:
    """One recipient's copy and what becomes of it."""

    recipient: Recipient
    outcome: Outcome
    kept: str = ""
    """Reference in the archive."""
    result: Result | None = None
    """What the domain's own server said."""
    spooled: str = ""
    """Its entry in the spool."""

    @property
    def taken(self) -> bool:
        """We or the domain's server have the copy for good."""
        if self.spooled or self.outcome.fate in (Fate.QUARANTINE, Fate.TAKE):
            return True
        return self.result is not None and self.result.kind == "delivered"

    @property
    def refused(self) -> bool:
        """This copy is refused for good, by us or by the domain's server."""
        if self.outcome.fate is Fate.REJECT:
            return True
        return self.result is not None and self.result.kind == "refused"


def replies_for(
    copies: Sequence[Copy], session_id: str, *, prdr: bool, where: Where = nowhere
) -> list[Reply]:
    """Return what is said after the data: with PRDR one reply for each copy, the last is the final one.

    `where` gives the page on which a sender reads why; a reply for several is for the first of them.
    """
    if prdr and len(copies) > 1:
        each = [reply_for(copy, session_id, where(copy.outcome, [copy.recipient])) for copy in copies]
        final = _together([reply_for(copy, session_id) for copy in copies], session_id)
        return [PRDR_FIRST, *each, final]
    if any(copy.taken for copy in copies):
        # A copy that could not be handed on, spooled or kept: the client must keep the mail.
        if any(not copy.taken and not copy.kept for copy in copies):
            return [Reply(451, "4.3.0", f"Try again later ({session_id})")]
        return [Reply(250, "2.6.0", f"Ok, id {session_id}")]
    later = [copy for copy in copies if not copy.refused]
    first = (later or copies)[0]
    page = "" if later else where(first.outcome, [copy.recipient for copy in copies])
    return [reply_for(first, session_id, page)]


def reply_for(copy: Copy, session_id: str, page: str = "") -> Reply:
    """Return what one copy alone would be answered."""
    outcome, result = copy.outcome, copy.result
    if copy.spooled:
        return Reply(250, "2.0.0", f"Ok, queued, id {session_id}")
    if outcome.fate is Fate.REJECT or outcome.fate is Fate.DEFER:
        return refusal(outcome, session_id, page)
    if result is None:
        return Reply(250, "2.6.0", f"Ok, id {session_id}")
    if result.kind == "delivered":
        return Reply(250, "2.6.0", f"Ok, delivered, id {session_id}")
    return Reply(result.code, result.enhanced, f"{result.text} ({session_id})")


def fate_of(copy: Copy, final: Reply, *, prdr: bool) -> str:
    """Return the word for the journal, when `final` is what the client was told about the whole mail."""
    outcome, result = copy.outcome, copy.result
    if copy.spooled and (final.positive or prdr):
        return "queued"  # else it is taken back
    if result is not None and result.kind == "delivered":
        return "accepted"  # also where the client keeps the mail for another one's sake: it is there
    if not final.positive and not final.permanent and not prdr:
        return "deferred"
    if outcome.fate is Fate.REJECT:
        return "quarantined" if final.positive and not prdr else "rejected"
    if outcome.fate is Fate.QUARANTINE:
        return "quarantined"
    if outcome.fate is Fate.TAKE:
        return "taken"
    if outcome.fate is Fate.DEFER:
        return "deferred"
    if result is None:
        return "accepted"
    if result.kind == "refused":
        return "quarantined" if copy.kept and final.positive else "rejected"
    return "deferred"


def counts(copy: Copy, fate: str) -> bool:
    """Return whether a copy uses up a count that was held for it: it got in, or its owner can release it."""
    return fate in ("accepted", "queued", "taken") or (
        fate == "quarantined" and copy.outcome.fate is Fate.QUARANTINE
    )


def headers_of(outcome: Outcome, recipient: Recipient | None = None) -> tuple[tuple[str, str], ...]:
    """Return the header lines that a copy gets besides Received, as rules in mailboxes know them.

    `X-Spam-Flag: YES` where it is marked; score, threshold and names of the checks that gave points in
    `X-Spam-Status`, and a star for each point in `X-Spam-Level`, where any did.
    """
    tests = _tests(recipient) if recipient is not None else []
    if not outcome.tags and not outcome.headers and not tests:
        return ()
    headers = list(outcome.headers)
    if outcome.tags:
        headers.append(("X-Spam-Flag", "YES"))
        headers.append(("X-Gatepost-Tags", ", ".join(outcome.tags)))
    if tests and recipient is not None:
        required = recipient.policy.tag_at
        headers.append(("X-Spam-Level", "*" * min(MAX_STARS, max(0, int(outcome.score)))))
        said = f"{'Yes' if outcome.tags else 'No'}, score={outcome.score:.1f}"
        said += f" required={required:.1f}" if required is not None else ""
        headers.append(("X-Spam-Status", f"{said}\r\n\ttests={_folded(tests)}"))
    return tuple(headers)


def _tests(recipient: Recipient) -> list[str]:
    """Return the names of the checks that gave points, in capitals as mail programs show them."""
    names = (
        finding.plugin.upper()
        for finding in recipient.findings
        if type(finding.verdict) is Score and finding.verdict.points and finding.mode is Mode.ON
    )
    return list(dict.fromkeys(names))


def _folded(names: Sequence[str]) -> str:
    """Join names by commas, with a line end where a line would be too long (RFC 5322, 2.2.3)."""
    out, line = "", "tests="
    for name in names:
        if out and len(line) + len(name) > 70:
            out, line = f"{out},\r\n\t", ""
        elif out:
            out += ","
        out += name
        line += f",{name}"
    return out


def added_subject(headers: Sequence[tuple[str, str]]) -> str:
    """Return what is to be put behind the Subject, "" for nothing."""
    return " ".join(value for name, value in headers if name.lower() == SUBJECT)


def _together(each: list[Reply], session_id: str) -> Reply:
    """The final reply of PRDR: positive when any recipient's is."""
    if any(reply.positive for reply in each):
        return Reply(250, "2.6.0", f"Ok, id {session_id}")
    if any(not reply.permanent for reply in each):
        return next(reply for reply in each if not reply.permanent)
    return each[0]
