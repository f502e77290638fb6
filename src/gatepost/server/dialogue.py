"""One event of the protocol in, one reply out: the conversation with a client.

No bytes are parsed here and no socket is touched. A handler returns the reply's bytes, or a
coroutine when something has to be waited for. What the checks say becomes an outcome in
`policy.decide`; what becomes of the message is `intake`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gatepost.mail.address import Address, fold
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.context import LISTED
from gatepost.plugin.proof import dns_answers
from gatepost.policy.decide import Fate, Finding, Outcome, decide_recipient
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.snapshot import PolicyUnavailable, Snapshot
from gatepost.policy.training import ALWAYS_THERE, whose
from gatepost.server import ending, fixed
from gatepost.server.intake import Intake
from gatepost.server.record import trace_of, with_answers
from gatepost.server.why import refusal
from gatepost.smtp.server import (
    Abort,
    BdatChunkEnd,
    DataBegin,
    DataEnd,
    Hello,
    Mail,
    Quit,
    Rcpt,
    Reset,
    ServerProtocol,
    XClient,
)

if TYPE_CHECKING:
    from gatepost.policy.lists import Entry
    from gatepost.server.gateway import Gateway

Answer = bytes | Coroutine[Any, Any, bytes] | None

Known = tuple[list[Finding], Outcome, str]
"""Findings, what was decided on them, and their trace."""
MEMO = "server.dialogue"
MEMO_SIZE = 1_000


class Dialogue:
    """The state of one conversation. Grouped by how long it lives: session, transaction, message."""

    __slots__ = (
        "closing",
        "gateway",
        "intake",
        "protocol",
        "said_quit",
        "session",
        "snapshot",
        "transaction",
        "why",
    )
    answers: ClassVar[Mapping[type, Callable[[Any, Any], Answer]]]
    """Type of event -> who answers it: a dialogue of another kind has others."""

    def __init__(self, gateway: Gateway, session: Session, protocol: ServerProtocol) -> None:
        self.gateway = gateway
        self.session = session
        self.protocol = protocol
        self.closing = False
        self.said_quit = False
        self.why = ""
        """How the session ended, for the journal."""
        self.transaction: Transaction | None = None
        self.snapshot: Snapshot | None = None
        self.intake: Intake | None = None

    @property
    def in_transaction(self) -> bool:
        """True between MAIL and the reply that ends it."""
        return self.transaction is not None

    @property
    def data_ends(self) -> float:
        """Monotonic seconds until which the whole message must have come."""
        return self.intake.ends if self.intake is not None else float("inf")

    def greeting(self) -> bytes:
        """Return the 220."""
        return self.protocol.greet()

    def data(self, chunk: bytes) -> None:
        """Keep a piece of the message, as it came."""
        intake = self.intake
        if intake is None:  # BDAT has no 354: the first chunk begins the message
            intake = self._begin()
        intake.take(chunk)

    # -- the session ----------------------------------------------------------------------

    def _hello(self, event: Hello) -> Answer:
        if self.transaction is not None:
            self._abandon("EHLO")
        self.session.helo = event.name
        self.session.esmtp = event.esmtp
        return self.protocol.hello()

    def _reset(self, _event: Reset) -> Answer:
        self._abandon("RSET")
        return self.protocol.reply(fixed.RESET_OK)

    def _quit(self, _event: Quit) -> Answer:
        if self.transaction is not None:
            self._abandon("QUIT")
        self.closing = self.said_quit = True
        self.why = self.why or "quit"
        return self.protocol.reply(fixed.BYE)

    def _abort(self, event: Abort) -> Answer:
        self.closing = True
        self.why = event.reply.text
        return self.protocol.reply(event.reply)

    def _xclient(self, event: XClient) -> Answer:
        """A trusted peer tells who the client really is; everything said before is forgotten."""
        self._abandon("XCLIENT")
        reply = self.gateway.xclient(self.session, event.attributes)
        if reply.positive:
            return self.protocol.restart(reply)
        return self.protocol.reply(reply)

    def reset_for_tls(self) -> None:
        """Nothing said before TLS survives it (RFC 3207, 4.2)."""
        self._abandon("STARTTLS")
        self.session.helo = ""
        self.session.esmtp = False
        self.session.answers.clear()

    def no_tls(self, error: str) -> None:
        """The handshake failed; the connection is gone."""
        self.why = f"TLS handshake failed: {error}"
        self.lost(False)

    def too_slow(self) -> None:
        """The client let a time limit pass."""
        self.why = "timeout"
        self.closing = True

    def lost(self, working: bool) -> None:
        """The connection is gone: write the session down. `working`: a reply is still being made."""
        if not working and self.transaction is not None:
            self._abandon(self.why or "connection lost")
        self.gateway.session_ended(self.session, self.why or "connection lost", self.protocol)

    def gone(self) -> None:
        """The reply is made, and nobody is there to hear it: a transaction that is still open ends."""
        if self.transaction is not None:
            self._abandon(self.why or "connection lost")

    # -- the envelope ---------------------------------------------------------------------

    def _mail(self, event: Mail) -> Answer:
        gateway, session = self.gateway, self.session
        if gateway.draining:
            self.closing = True
            return self.protocol.reply(gateway.shutting_down)
        transaction = self._open(event)
        refused = gateway.pipeline.gateway_mail(session, transaction) if gateway.guards_mail else None
        if refused is not None:
            self.transaction = None
            outcome = fixed.refusal(refused)
            gateway.mail_refused(session, outcome)
            return self.protocol.reply(refusal(outcome, session.id))
        return self.protocol.reply(fixed.SENDER_OK)

    def _open(self, event: Mail) -> Transaction:
        """Begin a transaction under the policy that is in force now."""
        session = self.session
        session.transactions = number = session.transactions + 1
        self.snapshot = self.gateway.live.snapshot
        self.transaction = transaction = Transaction(
            f"{session.id}.{number}",
            event.sender,
            time.time(),
            event.size,
            event.body,
            event.smtputf8,
            event.prdr,
            event.ret,
            event.envid,
            known=self.snapshot.recipient,
        )
        return transaction

    def _rcpt(self, event: Rcpt) -> Answer:
        transaction, snapshot = self.transaction, self.snapshot
        assert transaction is not None
        assert snapshot is not None
        address: Address = event.address
        try:
            if not address.domain:
                address = self.gateway.bare_postmaster(snapshot) or address
            final, policy = whose(snapshot, address)
            if policy is not None and snapshot is not self.gateway.live.snapshot:
                policy = None if ending.is_gone(policy, self.gateway.live.snapshot) else policy
        except PolicyUnavailable as error:
            # An unreadable policy must never look like "no such domain": 4xx, not 5xx.
            self.gateway.no_policy(error)
            return self._refuse(Recipient(address, address), fixed.NO_POLICY)
        if policy is None:
            return self._refuse(Recipient(address, address), fixed.NOT_OURS)
        recipient = Recipient(address, final, event.notify, event.orcpt, policy)
        pipeline = self.gateway.pipeline
        answer = self._ask(recipient, policy) if not pipeline.rewrites(policy) else self._rewrite(recipient)
        return answer if isinstance(answer, bytes) else self.gateway.under_way.during(policy.domain, answer)

    def _rewrite(self, recipient: Recipient) -> bytes | Coroutine[Any, Any, bytes]:
        """A plugin may say that the recipient is really another address of the same domain."""
        assert self.transaction is not None
        policy = recipient.policy
        findings = self.gateway.pipeline.run_address(self.session, self.transaction, recipient, policy)
        if isinstance(findings, list):
            recipient.findings.extend(findings)
            return self._ask(recipient, policy)
        return self._rewrite_later(recipient, policy, findings)

    async def _rewrite_later(
        self, recipient: Recipient, policy: DomainPolicy, findings: Coroutine[Any, Any, list[Finding]]
    ) -> bytes:
        recipient.findings.extend(await findings)
        answer = self._ask(recipient, policy) if self.transaction is not None else b""
        return answer if isinstance(answer, bytes) else await answer

    def _ask(self, recipient: Recipient, policy: DomainPolicy) -> bytes | Coroutine[Any, Any, bytes]:
        """Let the checks of the recipient's policy speak."""
        assert self.transaction is not None
        local = fold(recipient.final.local)
        if policy.mailboxes:
            policy = policy.for_mailbox(local)
            recipient.policy = policy
        if self.transaction.recipients and self._splits(policy):
            return self._refuse(recipient, fixed.SPLIT)
        if local in ALWAYS_THERE:
            recipient.exempt = True
            self.transaction.recipients.append(recipient)
            return self.protocol.reply(fixed.RECIPIENT_OK)
        assert self.snapshot is not None
        pipeline = self.gateway.pipeline
        guarded = self.gateway.guards_rcpt
        refused = pipeline.gateway_rcpt(self.session, self.transaction, recipient) if guarded else None
        if refused is not None:
            return self._refuse(recipient, fixed.refusal(refused))
        try:
            row = self.snapshot.recipient(policy.domain, local)
        except PolicyUnavailable as error:
            self.gateway.no_policy(error)
            return self._refuse(recipient, fixed.NO_POLICY)
        findings = pipeline.run_recipient(self.session, self.transaction, recipient, policy, row)
        if isinstance(findings, list):
            return self._judge(recipient, policy, findings)
        return self._judge_later(recipient, policy, findings)

    async def _judge_later(
        self, recipient: Recipient, policy: DomainPolicy, findings: Coroutine[Any, Any, list[Finding]]
    ) -> bytes:
        answer = self._judge(recipient, policy, await findings)
        return answer if isinstance(answer, bytes) else await answer

    def _splits(self, policy: DomainPolicy) -> bool:
        """Say whether an owner wants another policy's mail apart; what trains goes to nobody else."""
        assert self.transaction is not None
        first: DomainPolicy = self.transaction.recipients[0].policy
        apart = first is not policy and "split" in (first.mixed, policy.mixed)
        return apart or first.trains or policy.trains

    def _judge(
        self, recipient: Recipient, policy: DomainPolicy, findings: list[Finding]
    ) -> bytes | Coroutine[Any, Any, bytes]:
        """Refuse now, refuse after the data, or accept for the time being."""
        transaction = self.transaction
        if transaction is None:  # the client left while the checks ran
            return b""
        entry = self._entry(policy) if policy.lists else None
        if recipient.findings:  # of the hook `address`
            findings = [*recipient.findings, *findings]
        # Refusals are mostly alike: the same findings (the pipeline shares them), the same outcome.
        memo: dict[tuple[int, ...], Known] = policy.cache.setdefault(MEMO, {})
        key = (entry.id if entry is not None else 0, *map(id, findings))
        known = memo.get(key)
        if known is None:
            outcome = self._decide(policy, findings, entry)
            refused = outcome.fate is Fate.REJECT or outcome.fate is Fate.DEFER
            known = findings, outcome, trace_of(findings, outcome) if refused else ""
            if all(map(_is_shared, findings)):  # another mail's own would never be met again
                if len(memo) > MEMO_SIZE:
                    memo.clear()
                # The findings are kept with the answer, so that an id cannot be another's meanwhile.
                memo[key] = known
        recipient.findings, outcome, trace = known
        fate = outcome.fate
        if fate is Fate.REJECT or fate is Fate.DEFER:
            if policy.bypass and outcome.enhanced != "5.1.1":
                self._count_use(entry)
                transaction.recipients.append(recipient)
                return self.protocol.reply(fixed.RECIPIENT_OK)
            if self.gateway.pipeline.hangs_on_proof(self.session, transaction, policy, outcome):
                return self._judge_by_proof(recipient, policy, findings)
        self._count_use(entry)
        if fate is Fate.REJECT or fate is Fate.DEFER:
            return self._refuse_or_wait(recipient, policy, outcome, trace)
        transaction.recipients.append(recipient)
        return self.protocol.reply(fixed.RECIPIENT_OK)

    async def _judge_by_proof(
        self, recipient: Recipient, policy: DomainPolicy, findings: list[Finding]
    ) -> bytes:
        """An allow entry would free this mail if its sender were proven; DKIM can only say so later."""
        session, transaction = self.session, self.transaction
        assert transaction is not None
        pipeline = self.gateway.pipeline
        proven = await pipeline.proven(session, transaction)
        if self.transaction is not transaction:  # the client left meanwhile
            return b""
        if proven:
            recipient.findings = findings = pipeline.past_own_lists(session, transaction, policy, findings)
            entry = policy.lists.match_session(session, transaction.sender, transaction.started, proven=True)
            outcome = self._decide(policy, findings, entry, proven=True)
            self._count_use(entry)
            if outcome.fate is Fate.REJECT or outcome.fate is Fate.DEFER:
                return self._refuse_or_wait(recipient, policy, outcome, trace_of(findings, outcome))
        transaction.recipients.append(recipient)
        return self.protocol.reply(fixed.RECIPIENT_OK)

    def _count_use(self, entry: Entry | None) -> None:
        if entry is not None:
            used = self.gateway.used
            used[entry.id] = used.get(entry.id, 0) + 1

    def _decide(
        self, policy: DomainPolicy, findings: list[Finding], entry: Entry | None, *, proven: bool = False
    ) -> Outcome:
        unskippable = self.gateway.pipeline.unskippable
        return decide_recipient(policy, findings, entry, proven=proven, unskippable=unskippable)

    def _entry(self, policy: DomainPolicy) -> Entry | None:
        """Return the entry of the general lists that decides about this client and sender."""
        lists, transaction = policy.lists, self.transaction
        if not lists or transaction is None:
            return None
        known = transaction.answers.get(LISTED)
        if known is not None and known[0] is lists:
            return known[1]  # type: ignore[no-any-return]
        entry = lists.match_session(self.session, transaction.sender, transaction.started)
        transaction.answers[LISTED] = lists, entry
        return entry

    def _refuse_or_wait(
        self, recipient: Recipient, policy: DomainPolicy, outcome: Outcome, trace: str
    ) -> bytes:
        """`refuse_at` (CONTRACT 5): with `data` the copy is kept, so the refusal waits for it."""
        assert self.transaction is not None
        if outcome.fate is Fate.REJECT and not outcome.at_once:
            at = policy.refuse_unknown_at if outcome.enhanced == "5.1.1" else policy.refuse_at
            if at == "data":
                recipient.pending = outcome
                if all(other.pending is not None for other in self.transaction.recipients):
                    self.transaction.recipients.append(recipient)
                    return self.protocol.reply(fixed.RECIPIENT_OK)
                # Someone else's copy is accepted already: 250 after the data would be ambiguous
                # for this one, so it is refused here and its copy kept from the data that follow.
                self.transaction.refused.append(recipient)
        return self._refuse(recipient, outcome, trace)

    def _refuse(self, recipient: Recipient, outcome: Outcome, trace: str = "") -> bytes:
        assert self.transaction is not None
        if recipient.pending is None:
            trace = with_answers(
                trace or trace_of(recipient.findings, outcome), dns_answers(self.transaction)
            )
            self.gateway.outcome(self.session, self.transaction, recipient, outcome, trace)
        page = self.gateway.why.page(self.transaction, outcome, [recipient])
        return self.protocol.reply(refusal(outcome, self.session.id, page))

    # -- the message ----------------------------------------------------------------------

    def _begin(self) -> Intake:
        assert self.transaction is not None
        assert self.snapshot is not None
        self.intake = intake = Intake(self.gateway, self.session, self.transaction)
        return intake

    def _data_begin(self, event: DataBegin) -> Answer:
        if event.early:
            self.closing = True
            self.why = "data before 354"
            return self.protocol.reply(fixed.EARLY_DATA)
        self._begin()
        return self.protocol.reply(fixed.GO_AHEAD)

    def _chunk_end(self, _event: BdatChunkEnd) -> Answer:
        return self.protocol.reply(fixed.CHUNK_OK)

    async def _data_end(self, event: DataEnd) -> bytes:
        intake = self.intake or self._begin()
        replies = await ending.replies(self.gateway, intake, event)
        intake.close()
        self.intake = None
        self.transaction = None
        final = replies[-1]
        if final.close:
            self.closing = True
        each = b"".join(reply.wire() for reply in replies[:-1])
        return each + self.protocol.reply(final)

    def _abandon(self, why: str) -> None:
        """The transaction ends without a message: its recipients were named, so they get their row."""
        transaction = self.transaction
        if transaction is not None:
            self.gateway.abandoned(self.session, transaction, why)
            self.transaction = None
        if self.intake is not None:
            self.intake.close()
            self.intake = None


def _is_shared(finding: Finding) -> bool:
    """Return whether it is one object for all mails (`plugin.step`): those have no time of their own."""
    return not finding.milliseconds and (finding.verdict is None or not finding.remembered)


ANSWERS: dict[type, Callable[[Dialogue, Any], Answer]] = {
    Hello: Dialogue._hello,
    Mail: Dialogue._mail,
    Rcpt: Dialogue._rcpt,
    DataBegin: Dialogue._data_begin,
    DataEnd: Dialogue._data_end,
    BdatChunkEnd: Dialogue._chunk_end,
    Reset: Dialogue._reset,
    Quit: Dialogue._quit,
    XClient: Dialogue._xclient,
    Abort: Dialogue._abort,
}
"""Who answers which event; DataChunk, Answer and StartTls are the connection's own."""
Dialogue.answers = ANSWERS
