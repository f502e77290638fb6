"""What a refusal says to the sender: the sentence, the id, and where it can be read why.

The address stands in it only where the recipient's domain wants that (`why.page`), where an administrator
said how people reach the console, and where the refusal is for good. One reply may speak for several
recipients: then all their domains must want it. The rest of the line is never cut for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.mail import why
from gatepost.mail.reply import MAX_LINE, Reply
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.policy.decide import Fate, Outcome
from gatepost.server.record import with_step

NO_SENTENCE = "Not accepted here"
ROOM = len("See ") + why.LONGEST
STEP = "reply"
"""What the journal calls the step that has the sentence."""


def refusal(outcome: Outcome, session_id: str, page: str = "") -> Reply:
    """Return how an outcome is said; `page`: where it can be read why."""
    said = f"{outcome.public or NO_SENTENCE} ({session_id})"
    if page:
        last = said.rpartition("\n")[2]
        said += f" {page}" if len(last) + 1 + len(page) <= MAX_LINE else f"\nSee {page}"
    return Reply(outcome.code, outcome.enhanced, said)


class Pages:
    """Where refused senders read why: nowhere, unless there are a secret and an address."""

    def __init__(self, secret: bytes = b"", public_url: str = "") -> None:
        base = public_url.rstrip("/") + why.PATH
        good = secret and public_url and base.isascii() and base.isprintable()
        self._secret = secret
        self._base = base if good and len(base) + ROOM <= MAX_LINE else ""

    def page(self, transaction: Transaction, outcome: Outcome, recipients: Iterable[Recipient]) -> str:
        """Return the address of the first one's page; "" where one of them is not to have any."""
        if not self._base:
            return ""
        concerned = list(recipients)
        if outcome.code < 500 or not all(self._wanted(one, outcome) for one in concerned):
            return ""
        first = concerned[0]
        token = why.make(self._secret, transaction.id, first.policy.domain, first.address.text)
        return self._base + token

    def noted(self, trace: str, recipient: Recipient, outcome: Outcome) -> str:
        """Return the trace with the sentence that the sender got, for his page."""
        if not self._base or not outcome.public or not self._wanted(recipient, outcome):
            return trace
        return with_step(trace, STEP, "told", outcome.public)

    def _wanted(self, recipient: Recipient, outcome: Outcome) -> bool:
        policy = recipient.policy
        return outcome.fate is Fate.REJECT and policy is not None and policy.why_page and not policy.trains
