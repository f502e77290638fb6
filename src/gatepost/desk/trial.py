"""One mail on its way through the checks, as on port 25, up to what would become of each copy.

Where the message was not kept, the checks that read it cannot be asked: those up to RCPT decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatepost.desk.errors import DeskError
from gatepost.desk.plugins import message_of
from gatepost.desk.steps import Step, of_findings
from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.mail.message import Message
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Reject, Verdict
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.proof import dns_answers
from gatepost.policy.decide import Fate, Finding, Outcome, decide_message, decide_recipient
from gatepost.policy.lists import Entry
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.snapshot import Snapshot
from gatepost.policy.training import ALWAYS_THERE, settled, whose

NOBODY = "192.0.2.1"
"""An address of nobody (RFC 5737), where no client was named."""
AT_RCPT, AT_DATA = "RCPT", "the end of the data"

_REFUSED = (Fate.REJECT, Fate.DEFER)
_WORDS = {
    Fate.ACCEPT: "accepted",
    Fate.REJECT: "rejected",
    Fate.DEFER: "deferred",
    Fate.QUARANTINE: "quarantined",
    Fate.TAKE: "taken",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """The question."""

    raw: bytes | None
    """None where the message was not kept."""
    sender: str
    """"" or `<>` is the null sender."""
    recipients: tuple[str, ...]
    client: str = NOBODY
    helo: str = ""
    """"" takes a name that a real server might have."""
    time: float = 0.0
    """When it came."""
    size: int = 0
    """Bytes, where the message was not kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What would become of one recipient's copy."""

    recipient: str
    fate: str
    """`accepted`, `rejected`, `deferred`, `quarantined`, `taken`."""
    at: str
    """The moment at which the sender is told."""
    reply: str
    """`550 5.7.1`."""
    plugin: str
    reason: str
    score: float
    tags: tuple[str, ...]
    watched: tuple[str, ...]
    allowed_by: str
    entry: Entry | None
    """The list entry that decided, to allow or to deny; None where none did."""
    kept: bool
    """A copy would lie in the archive."""
    routes: tuple[str, ...]
    """Where it would go, when accepted."""
    steps: list[Step]
    unasked: tuple[str, ...] = ()
    """Checks that are on and read the message, and were not asked."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Policy and checks under which mails are tried."""

    snapshot: Snapshot
    pipeline: Pipeline
    unskippable: frozenset[str]
    """Checks that an allow entry does not lead past."""


class Trial:
    """One mail under one policy."""

    def __init__(self, stage: Stage, mail: Mail, *, gateway: bool = True) -> None:
        """Raise DeskError where an address is none. `gateway`: the machine's own checks are asked too."""
        self._gateway = gateway
        self._snapshot = stage.snapshot
        self._pipeline = stage.pipeline
        self._unskippable = stage.unskippable
        self._raw = mail.raw
        self._entries: dict[int, Entry | None] = {}
        sender = _address(mail.sender) if mail.sender not in ("", "<>") else None
        self._recipients = [_address(text) for text in mail.recipients]
        if not self._recipients:
            raise DeskError("a mail needs a recipient")
        helo = mail.helo or (sender.domain if sender is not None else "mail.example.net")
        size = mail.size if mail.raw is None else len(mail.raw)
        self.session = Session("CHECK00000000", mail.client, started=mail.time, helo=helo, esmtp=True)
        self.transaction = Transaction("CHECK00000000.1", sender, mail.time, size)
        self.transaction.known = stage.snapshot.recipient

    async def run(self) -> list[Answer]:
        """Ask all checks about all recipients, in their order."""
        turned_away = None
        if self._gateway:
            turned_away = _gateway_refusal(self._pipeline.gateway_connect(self.session))
        message = None if self._raw is None else message_of(self._raw)
        answers = []
        for address in self._recipients:
            recipient = Recipient(address, address)
            outcome = turned_away or await self._at_rcpt(recipient)
            if outcome is not None and not self._waits_for_data(recipient, outcome):
                answers.append(self._answer(recipient, outcome, AT_RCPT))
                continue
            if outcome is None:
                outcome = settled(recipient, await self._at_data(recipient, message))
            answers.append(self._answer(recipient, outcome, AT_DATA))
        return answers

    async def _at_rcpt(self, recipient: Recipient) -> Outcome | None:
        """Return the refusal at RCPT, None to go on."""
        recipient.final, policy = whose(self._snapshot, recipient.address)
        if policy is None:
            return Outcome(Fate.REJECT, "relaying", "the domain is not hosted here", "", 550, "5.7.1")
        recipient.policy = policy
        if self._gateway:
            said = _gateway_refusal(self._pipeline.gateway_rcpt(self.session, self.transaction, recipient))
            if said is not None:
                return said
        if self._pipeline.rewrites(policy):
            recipient.findings += await self._later(
                self._pipeline.run_address(self.session, self.transaction, recipient, policy)
            )
        local = recipient.final.key[0]
        policy = recipient.policy = policy.for_mailbox(local)
        self.transaction.recipients.append(recipient)
        if local in ALWAYS_THERE:
            recipient.exempt = True
            return None
        row = self._snapshot.recipient(policy.domain, local)
        recipient.findings += await self._later(
            self._pipeline.run_recipient(self.session, self.transaction, recipient, policy, row)
        )
        outcome = self._decided(recipient, decide_recipient)
        if outcome.fate not in _REFUSED:
            return None
        if self._hangs_on_proof(recipient, outcome):
            if not await self._pipeline.proven(self.session, self.transaction):
                return None  # with the message DKIM may still agree
            self._pass_own_lists(recipient)
            outcome = self._decided(recipient, decide_recipient, proven=True)
            if outcome.fate not in _REFUSED:
                return None
        return None if policy.bypass and outcome.enhanced != "5.1.1" else outcome

    async def _at_data(self, recipient: Recipient, message: Message | None) -> Outcome:
        policy: DomainPolicy = recipient.policy
        if message is not None and self._pipeline.reads_message(policy):
            (findings,) = await self._pipeline.run_message(
                self.session, self.transaction, [recipient], message
            )
            recipient.findings += findings
        outcome = self._decided(recipient, decide_message)
        if (
            outcome.fate in (*_REFUSED, Fate.QUARANTINE)
            and self._hangs_on_proof(recipient, outcome)
            and await self._pipeline.proven(self.session, self.transaction, message)
        ):
            self._pass_own_lists(recipient)
            outcome = self._decided(recipient, decide_message, proven=True)
        refused = outcome.fate in (*_REFUSED, Fate.QUARANTINE)
        if policy.bypass and refused and outcome.enhanced != "5.1.1":
            return Outcome(Fate.ACCEPT, outcome.plugin, outcome.reason, tags=(*outcome.tags, "bypass"))
        return outcome

    def _decided(
        self, recipient: Recipient, decide: Callable[..., Outcome], *, proven: bool = False
    ) -> Outcome:
        """Decide on what was found; notes the list entry that has the last word."""
        policy: DomainPolicy = recipient.policy
        mail = self.transaction
        entry = policy.lists.match_session(self.session, mail.sender, mail.started, proven)
        outcome = decide(
            policy,
            recipient.findings,
            entry,
            proven=proven,
            unskippable=self._unskippable,
        )
        speaks = outcome.allowed_by or outcome.plugin == "deny_list"
        self._entries[id(recipient)] = entry if speaks else None
        return outcome

    def _hangs_on_proof(self, recipient: Recipient, outcome: Outcome) -> bool:
        return self._pipeline.hangs_on_proof(self.session, self.transaction, recipient.policy, outcome)

    def _pass_own_lists(self, recipient: Recipient) -> None:
        recipient.findings = self._pipeline.past_own_lists(
            self.session, self.transaction, recipient.policy, recipient.findings
        )

    @staticmethod
    def _waits_for_data(recipient: Recipient, outcome: Outcome) -> bool:
        """`refuse_at=data`: the refusal is said behind the data and a copy is kept."""
        policy: DomainPolicy | None = recipient.policy
        if policy is None or outcome.fate is not Fate.REJECT or outcome.at_once:
            return False
        return (policy.refuse_unknown_at if outcome.enhanced == "5.1.1" else policy.refuse_at) == "data"

    @staticmethod
    async def _later(answer: object) -> list[Finding]:
        if isinstance(answer, list):
            return answer
        return await answer  # type: ignore[misc,no-any-return]

    def _answer(self, recipient: Recipient, outcome: Outcome, at: str) -> Answer:
        policy: DomainPolicy | None = recipient.policy
        accepted = outcome.fate is Fate.ACCEPT
        refused_late = outcome.fate is Fate.REJECT and at == AT_DATA
        return Answer(
            recipient=recipient.final.text,
            fate=_WORDS[outcome.fate],
            at=at,
            reply=f"{outcome.code} {outcome.enhanced}",
            plugin=outcome.plugin,
            reason=outcome.reason,
            score=outcome.score,
            tags=outcome.tags,
            watched=outcome.watched,
            allowed_by=outcome.allowed_by,
            entry=self._entries.get(id(recipient)),
            kept=refused_late or outcome.fate is Fate.QUARANTINE,
            routes=policy.routes if policy is not None and accepted else (),
            steps=[
                *of_findings(recipient.findings),
                *(Step("dns", "", "answered", 0.0, one) for one in dns_answers(self.transaction)),
            ],
            unasked=self._unasked(recipient),
        )

    def _unasked(self, recipient: Recipient) -> tuple[str, ...]:
        policy: DomainPolicy | None = recipient.policy
        if policy is None:
            return ()
        plan = self._pipeline.plan(policy)
        due = [step for group in (plan.essential if recipient.exempt else plan.content) for step in group]
        asked = {(one.plugin, one.hook) for one in recipient.findings}
        return tuple(dict.fromkeys(s.plugin.name for s in due if (s.plugin.name, s.hook) not in asked))


def _gateway_refusal(verdict: Verdict | None) -> Outcome | None:
    """The machine's own checks speak before it is known whose mail it is."""
    if verdict is None:
        return None
    reason = getattr(verdict, "reason", "")
    if isinstance(verdict, Reject):
        return Outcome(Fate.REJECT, "gateway", reason, "", verdict.code, verdict.enhanced)
    return Outcome(Fate.DEFER, "gateway", reason, "", 451, "4.7.1")


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except AddressError as error:
        raise DeskError(f"{text!r}: {error}") from error
