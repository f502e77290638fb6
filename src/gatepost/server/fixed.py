"""What the dialogue says that is the same for everybody: replies, and outcomes without a check.

The reference page of replies is made from the code, so each stands here once, with its code.
"""

from __future__ import annotations

from typing import Any

from gatepost.mail.reply import Reply
from gatepost.policy.decide import Fate, Outcome

SENDER_OK = Reply(250, "2.1.0", "Sender ok")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient ok")
RESET_OK = Reply(250, "2.0.0", "Ok")
BYE = Reply(221, "2.0.0", "Bye", close=True)
CHUNK_OK = Reply(250, "2.0.0", "Chunk received")
GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
EARLY_DATA = Reply(554, "5.5.0", "Data sent before 354", close=True)
NO_POLICY = Outcome(
    Fate.DEFER, "policy", "policy cannot be read", "Policy not available now, try again later", 451, "4.3.0"
)
SPLIT = Outcome(
    Fate.DEFER,
    "mixed",
    "policy differs from the first recipient's",
    "This recipient has another policy, send it in a message of its own",
    452,
    "4.5.3",
)
TOO_BIG = Reply(552, "5.3.4", "Message is too big")
NO_ROOM = Reply(452, "4.3.1", "Insufficient storage")
LOOP = Reply(554, "5.4.6", "Mail loop: this message was here before, or has too many Received headers")
SPOILT = {
    "bare": Reply(550, "5.6.11", "Bare CR or LF in message", close=True),
    "nul": Reply(550, "5.6.0", "NUL in message"),
    "line": Reply(550, "5.6.0", "Line too long in message"),
}
FULL = Outcome(
    Fate.DEFER, "archive", "kept mail cannot be stored", "Insufficient storage", code=452, enhanced="4.3.1"
)
LATER = Reply(451, "4.3.0", "Try again later")
NOT_OURS = Outcome(
    Fate.REJECT, "relaying", "domain is not hosted here", "Relaying denied", code=550, enhanced="5.7.1"
)


def refusal(verdict: Any) -> Outcome:
    """Return the outcome of a refusal by a check that acts for the whole machine."""
    permanent = verdict.code >= 500
    return Outcome(
        Fate.REJECT if permanent else Fate.DEFER,
        "client_rate",
        verdict.reason,
        verdict.public or "Try again later",
        verdict.code,
        verdict.enhanced,
    )
