"""What all sessions of one process share: policy in force, checks, journal, relay, archive, limits.

Built by `app` out of values; a session asks it for services and tells it what became of a mail.
Everything that is written down about a mail passes here, so that the count of sessions equals
the count of outcomes.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
import traceback
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatepost.mail.address import Address
from gatepost.mail.ids import SessionIds
from gatepost.mail.message import Message
from gatepost.mail.reply import Reply
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.proof import dns_answers
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.snapshot import Snapshot
from gatepost.relay.handoff import Relay
from gatepost.relay.results import Result
from gatepost.server.body import Memory
from gatepost.server.copies import headers_of
from gatepost.server.ending import let_go
from gatepost.server.record import kept_of, message_trace, steps_of, subject_of, trace_of, with_answers
from gatepost.server.training import Marks
from gatepost.server.unjudged import REASON, unjudged
from gatepost.server.why import Pages
from gatepost.smtp.server import Extensions, Limits, ServerProtocol
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.under_way import Work
from gatepost.telemetry import metrics
from gatepost.telemetry.log import Log

if TYPE_CHECKING:
    from gatepost.config import Config
    from gatepost.server.board import Column
    from gatepost.server.intake import Intake
    from gatepost.spool.archive import Archive
    from gatepost.spool.queue import Queue
    from gatepost.store.journal_writer import JournalWriter


@dataclass(slots=True)
class Live:
    """The snapshot in force: one assignment changes it for every later MAIL."""

    snapshot: Snapshot


class Gateway:
    """The services of one worker process."""

    def __init__(
        self,
        *,
        config: Config,
        loop: asyncio.AbstractEventLoop,
        column: Column,
        live: Live,
        pipeline: Pipeline,
        journal: JournalWriter,
        relay: Relay,
        archive: Archive,
        queue: Queue,
        log: Log,
        worker: int,
        marks: Marks | None = None,
        why: Pages | None = None,
        under_way: Work | None = None,
    ) -> None:
        # For the life of the process.
        self.config = config
        self.hostname = config.hostname
        self.loop = loop
        self.column = column
        self.live = live
        self.pipeline = pipeline
        self.relay = relay
        self._journal = journal
        self._archive = archive
        self._queue = queue
        self.marks = marks or Marks()
        self.why = why or Pages()
        self.under_way = under_way or Work()
        """For which domains a reply, or what comes behind it, is being made."""
        self._log = log
        self.ids = SessionIds(worker, secrets.randbits(18))
        self.memory = Memory()
        self.scratch: Path = config.data_dir / "scratch"
        self.max_size: int = config.smtp.max_message_size
        self.final_reply = float(config.smtp.final_reply)
        self.own_mark = f"by {config.hostname} (Gatepost)".encode()
        self.limits = Limits(
            message=config.smtp.max_message_size,
            recipients=config.smtp.max_recipients,
            message_line=config.smtp.max_message_line,
        )
        self.shutting_down = Reply(421, "4.3.2", "Service is shutting down, try again later", close=True)
        self.trouble = Reply(421, "4.3.0", "Internal trouble, try again later", close=True)
        # As the process runs.
        self.tls: ssl.SSLContext | None = None
        self.extensions = Extensions(size=self.max_size, dsn=config.smtp.dsn)
        self.extensions_trusted = replace(self.extensions, xclient=True)
        self.overloaded = ""
        self.guards_connect = self.guards_mail = self.guards_rcpt = True
        """The machine's own checks (client_rate) have work at accept, at MAIL, at RCPT."""
        self._sessions = 0
        self._counts: dict[tuple[str, str], int] = {}
        self.used: dict[int, int] = {}
        """List entry -> how often it decided since the uses were last written down."""
        self._background: set[asyncio.Task[Any]] = set()
        self.draining = False

    def offer_tls(self, context: ssl.SSLContext) -> None:
        """Offer STARTTLS with this certificate from the next session on."""
        self.tls = context
        self.extensions = replace(self.extensions, starttls=True)
        self.extensions_trusted = replace(self.extensions, xclient=True)

    def bare_postmaster(self, snapshot: Snapshot) -> Address | None:
        """Return whose postmaster a bare `postmaster` is: that of the hosted domain we are named after."""
        name = self.hostname
        while name:
            if snapshot.policy_for(name) is not None:
                return Address("postmaster", name, f"postmaster@{name}")
            name = name.partition(".")[2]
        first = snapshot.first_domain()
        return Address("postmaster", first, f"postmaster@{first}") if first else None

    def xclient(self, session: Session, attributes: dict[str, str | None]) -> Reply:
        """Take the true client from a peer in `xclient_from` (Postfix XCLIENT_README)."""
        session.proxied = session.proxied or session.client
        if address := attributes.get("ADDR"):
            session.client = address.removeprefix("IPV6:")
            session.forget_host()
        # Postfix says NAME only of a name that leads back to the client, and REVERSE_NAME of any. It
        # has one word for "none" and for "not now", so where it knows no name we ask ourselves.
        confirmed, other = attributes.get("NAME"), attributes.get("REVERSE_NAME")
        if confirmed or other:
            names = [(confirmed, True)] if confirmed else []
            names += [(other, False)] if other and other != confirmed else []
            session.know_host(tuple(names))
        if (port := attributes.get("PORT")) and port.isdecimal():
            session.port = int(port)
        session.helo = attributes.get("HELO") or session.helo
        session.answers.clear()
        session.facts.clear()
        return Reply(220, "", f"{self.hostname} ESMTP Gatepost")

    # -- counted and logged ---------------------------------------------------------------

    def count_early_talker(self) -> None:
        """A client talked before the greeting."""
        metrics.EARLY_TALKERS.inc()

    def count_injection(self, session: Session) -> None:
        """A client sent commands behind STARTTLS in clear text."""
        metrics.STARTTLS_INJECTIONS.inc()
        self._log.event("starttls_injection", "warning", id=session.id, client=session.client)

    def refused_proxy(self, session: Session, why: str) -> None:
        """A balancer sent no usable PROXY header."""
        self._log.event("proxy_refused", "warning", id=session.id, peer=session.client, why=why)

    def no_policy(self, error: Exception) -> None:
        """The policy cannot be read: mail is deferred until it can."""
        self._log.event("policy_unavailable", "error", why=str(error))

    def bug(self, where: str, error: BaseException, session_id: str = "") -> None:
        """Our own mistake: said loudly, answered with 4xx."""
        text = "".join(traceback.format_exception(error)).strip().replace("\n", " | ")
        self._log.event("bug", "error", id=session_id, where=where, error=repr(error), trace=text[-900:])

    def not_kept(self, recipient: Recipient, fate: str, error: OSError) -> None:
        """A copy could not be stored: a refused one is refused all the same, a held one is deferred."""
        metrics.ARCHIVE_DROPPED.inc()
        self._log.event(
            "not_kept", "error", domain=recipient.final.domain, fate=fate, why=error.strerror or str(error)
        )

    # -- written down ---------------------------------------------------------------------

    def flush(self) -> None:
        """Write what the last batch of events left in the buffers: one write each."""
        self._journal.flush()
        self._log.flush()

    def count(self) -> None:
        """Bring what was counted since the last call into the metrics; called once a second."""
        sessions, self._sessions = self._sessions, 0
        counts, self._counts = self._counts, {}
        metrics.SESSIONS.inc(sessions)
        for (fate, plugin), number in counts.items():
            metrics.OUTCOMES.inc(number, fate)
            if plugin:
                metrics.REFUSALS.inc(number, plugin)

    def outcome(
        self,
        session: Session,
        transaction: Transaction,
        recipient: Recipient,
        outcome: Outcome,
        trace: str,
    ) -> None:
        """Write down a recipient that was refused or deferred at RCPT."""
        fate = "rejected" if outcome.code >= 500 else "deferred"
        self._write(session, transaction, recipient, outcome, fate, trace)

    def message_outcome(
        self,
        session: Session,
        transaction: Transaction,
        recipient: Recipient,
        outcome: Outcome,
        fate: str,
        *,
        head: bytes,
        size: int,
        kept: str,
        result: Result | None,
        seconds: float,
    ) -> None:
        """Write down what became of a recipient's copy of a message."""
        trace = message_trace(recipient.findings, outcome, dns_answers(transaction), result)
        reason = result.text if result is not None and result.kind != "delivered" else ""
        policy = recipient.policy
        subject = subject_of(head) if head and (policy is None or policy.subjects) else ""
        self._write(
            session, transaction, recipient, outcome, fate, trace, size, subject, kept, seconds, reason
        )

    def _write(
        self,
        session: Session,
        transaction: Transaction,
        recipient: Recipient,
        outcome: Outcome,
        fate: str,
        trace: str,
        size: int = 0,
        subject: str = "",
        kept: str = "",
        seconds: float = 0.0,
        reason: str = "",
    ) -> None:
        to, sender_text = recipient.address.text, transaction.sender.text if transaction.sender else ""
        domain = transaction.owner or (recipient.policy.domain if recipient.policy is not None else "")
        plugin, why = outcome.plugin, outcome.reason or reason
        trace = self.why.noted(trace, recipient, outcome)
        self._journal.add(
            outcome_line(
                transaction.id,
                domain,
                to,
                sender_text,
                session.client,
                fate,
                plugin,
                why,
                outcome.code,
                outcome.score,
                size,
                subject,
                kept,
                trace,
                seconds,
            )
        )
        self._log.outcome(
            id=transaction.id,
            client=session.client,
            fate=fate,
            plugin=plugin,
            code=outcome.code,
            score=outcome.score,
            size=size,
            seconds=seconds,
            domain=domain,
            recipient=to,
            sender=sender_text,
            host=session.host or "",
            helo=session.helo,
            reason=why,
        )
        self._counts[fate, plugin] = self._counts.get((fate, plugin), 0) + 1
        done = self.pipeline.run_done(session, transaction, recipient, outcome)
        if done is not None:
            self.background(self.under_way.during(domain, done) if domain else done)

    def abandoned(self, session: Session, transaction: Transaction, why: str) -> None:
        """The transaction ended before its message: each recipient that was named gets its row."""
        let_go(self, session, transaction)
        for recipient in transaction.recipients:
            outcome = recipient.pending or Outcome(
                Fate.DEFER, "", f"no message: {why}", code=0, enhanced="", score=0.0
            )
            trace = trace_of(recipient.findings, outcome)
            self._write(session, transaction, recipient, outcome, "abandoned", trace)
        for recipient in transaction.refused:
            self.refused_at_rcpt(session, transaction, recipient)

    def refused_at_rcpt(self, session: Session, transaction: Transaction, recipient: Recipient) -> None:
        """Write the row that waited for a copy to keep."""
        trace = with_answers(trace_of(recipient.findings, recipient.pending), dns_answers(transaction))
        self.outcome(session, transaction, recipient, recipient.pending, trace)

    def mail_refused(self, session: Session, outcome: Outcome) -> None:
        """Write down a MAIL that the machine's own checks refused: with the session, nobody was named."""
        session.refuse(f"{outcome.plugin}: {outcome.reason}")
        metrics.REFUSALS.inc(1, outcome.plugin)
        if session.refusals == 1:  # a client that only says MAIL again writes no line each time
            self._log.buffered("mail_refused", id=session.id, client=session.client, reason=session.refused)

    def session_ended(self, session: Session, why: str, protocol: ServerProtocol) -> None:
        """Write down a session."""
        self._sessions += 1
        self._journal.add(
            session_line(
                session.id,
                session.client,
                session.host or "",
                session.helo,
                session.tls,
                why,
                session.transactions,
                protocol.errors,
                time.time() - session.started,
                steps_of(session),
            )
        )

    def count_refused(self, reply: Reply) -> None:
        """A client is sent away before the dialogue."""
        metrics.CONNECTIONS_REFUSED.inc(1, reply.enhanced)

    def turned_away(self, session: Session, reply: Reply) -> None:
        """Write down a client that was sent away before the dialogue."""
        self._sessions += 1
        self.count_refused(reply)
        self._journal.add(session_line(session.id, session.client, "", "", "", reply.text))

    # -- services of a message ------------------------------------------------------------

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that no reply waits for."""
        task = self.loop.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background_done)

    def _background_done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.bug("background", error)

    @property
    def busy(self) -> bool:
        """True while work goes on that a drain must wait for."""
        return bool(self._background)

    async def keep(
        self, intake: Intake, copies: Sequence[tuple[Recipient, Outcome, str]], head: bytes
    ) -> list[str]:
        """Put copies (with the archive's word for their fate) into the archive, durably.

        Returns a reference for each; the bytes lie there once. OSError when that cannot be: then none is.
        """
        session, transaction = intake.session, intake.transaction
        said = subject_of(head), Message(head).get("message-id") or ""
        items = [
            kept_of(session, transaction, recipient, outcome, fate, said, intake.body.size)
            for recipient, outcome, fate in copies
        ]
        refs = await asyncio.to_thread(self._archive.keep_each, items, [await intake.load()])
        metrics.ARCHIVE_KEPT.inc(len(refs))
        return refs

    def withdraw(self, ref: str, entry: str = "") -> None:
        """Take back what was kept or spooled of a mail that stays with the client after all."""
        try:
            if ref:
                self._archive.delete(ref)
            if entry:
                self._queue.drop(entry)
        except OSError as error:
            self._log.event("not_withdrawn", "error", ref=ref or entry, why=error.strerror or str(error))

    async def spool(
        self,
        intake: Intake,
        recipient: Recipient,
        outcome: Outcome,
        result: Result | None,
        routes: tuple[str, ...] = (),
    ) -> str:
        """Put a copy into the spool, durably; "" when that cannot be (then the client keeps the mail).

        Without a `result` nobody was asked to take it: checks put it off, and judge it before it goes on.
        `routes`: where outgoing mail goes; its sender is known, so it may bounce to him.
        """
        session, transaction, now = intake.session, intake.transaction, time.time()
        # Where it is judged later the marks are made then.
        text = await intake.spooled(headers_of(outcome, recipient) if result is not None else (), recipient)
        envelope = Envelope(
            id=self._queue.new_id(),
            sender=transaction.sender.text if transaction.sender is not None else None,
            recipients=(
                Rcpt(
                    recipient.final.text,
                    recipient.notify,
                    recipient.orcpt,
                    result.text if result is not None else outcome.reason,
                ),
            ),
            created=now,
            due=now + 60,
            domain=transaction.owner or (recipient.policy.domain if recipient.policy is not None else ""),
            routes=routes,
            proven=bool(routes),
            reason=REASON if result is None else result.kind,
            unjudged=unjudged(session, transaction, recipient, len(text[0])) if result is None else None,
            body=transaction.body,
            smtputf8=transaction.international(
                lambda: text[1].partition(b"\r\n\r\n")[0], text[0], [recipient]
            ),
            ret=transaction.ret,
            envid=transaction.envid,
            client=session.client,
            host=session.host or "",
            helo=session.helo,
            session=transaction.id,
        )
        try:
            await asyncio.to_thread(self._queue.put, envelope, text)
        except OSError as error:
            self._log.event("not_spooled", "error", id=transaction.id, why=error.strerror or str(error))
            return ""
        return envelope.id
