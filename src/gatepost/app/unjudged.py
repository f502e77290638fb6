"""Judges copies of the spool that were put off because a check could not answer, before they go on.

The courier's `judge`: the domain's checks of the content are asked as on port 25, by its policy of today;
what they remember is read and not written, since no sender came back. No answer: the copy waits. Refused or
held: it goes to the archive as held, since its sender was told 250, and nobody is sent a bounce. After the
last try it is held too, whatever kept it from being judged: never delivered unread. What cannot be held
either stays in the spool, waiting, and is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from gatepost.desk.plugins import message_of
from gatepost.mail.message import Message
from gatepost.plugin.judge import judge
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.recall import recall
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.later import is_refusal
from gatepost.policy.snapshot import Snapshot
from gatepost.policy.training import settled, whose
from gatepost.relay.courier import ENDED, GOES, WAITS_ON, Judged
from gatepost.server.copies import SUBJECT, added_subject, headers_of
from gatepost.server.record import kept_of, subject_of, trace_of
from gatepost.server.unjudged import Again, again, ours_of
from gatepost.spool.archive import Archive
from gatepost.spool.envelope import Envelope
from gatepost.spool.index import Kept
from gatepost.store.durable import Blob
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.telemetry import metrics
from gatepost.telemetry.conditions import HERE, SPOOL
from gatepost.telemetry.log import Log

SECONDS = 180.0
"""More than the checks take by their own limits."""
HELD = "quarantined"


class CannotHold(Exception):
    """The archive does not take it now; the text says what should have been held."""


class Unjudged:
    """Everything that a judgement needs."""

    def __init__(
        self,
        registry: Registry,
        tools: Tools,
        snapshot: Callable[[], Snapshot],
        archive: Archive,
        journal: JournalWriter,
        log: Log,
    ) -> None:
        self._tools = tools
        self.use(registry)
        self._snapshot = snapshot
        self._archive = archive
        self._journal = journal
        self._log = log

    def use(self, registry: Registry) -> None:
        """Ask these checks from now on: the plugins were loaded anew."""
        self._registry = registry
        self._pipeline = Pipeline(registry, self._tools, time.time)
        self._pipeline.runner.on_failure = self._failed

    async def judge(self, envelope: Envelope, blob: Blob, last: bool) -> Judged:
        """Judge one copy. What cannot be judged waits; on the last try it is held, whatever the fault is."""
        try:
            said = await self._judged(envelope, blob, last)
        except CannotHold as error:
            return self._stays(envelope, str(error))
        except Exception as error:  # a fault of a check or of ours is no delivery, and never for ever
            said = Judged(WAITS_ON, f"{type(error).__name__}: {error}")
            self._log.event("judge_failed", "error", id=envelope.session, entry=envelope.id, why=said.why)
        if said.kind == ENDED:
            HERE.well(SPOOL, envelope.domain, time.time())
        if not last or said.kind != WAITS_ON:
            return said
        try:
            for to in envelope.waiting:
                await asyncio.to_thread(self._keep_unread, envelope, to.address, blob, said.why)
        except Exception as error:
            return self._stays(envelope, f"{said.why}; cannot be held: {error}")
        HERE.well(SPOOL, envelope.domain, time.time())
        return Judged(ENDED, f"held, {said.why}")

    def _stays(self, envelope: Envelope, why: str) -> Judged:
        """It can be neither judged nor kept now: it stays in the spool, and somebody must hear of it."""
        HERE.ill(SPOOL, envelope.domain, why, time.time())
        self._log.event("cannot_hold", "error", id=envelope.session, entry=envelope.id, why=why)
        return Judged(WAITS_ON, why)

    async def _judged(self, envelope: Envelope, blob: Blob, last: bool) -> Judged:
        copy = again(envelope)
        outcome = await self._asked(copy, blob)
        if outcome is None:
            return Judged(WAITS_ON, f"{envelope.domain} is not hosted here now")
        if outcome.fate is Fate.ACCEPT:
            self._tell(envelope, copy, outcome, "goes on")
            lines = headers_of(outcome, copy.recipient)
            return Judged(GOES, top=_lines(lines), subject=added_subject(lines))
        if outcome.fate is Fate.TAKE:
            self._write_down(envelope, copy, outcome, "taken")
            return Judged(ENDED, f"taken by {outcome.plugin}")
        refusal = is_refusal(outcome, copy.recipient.findings, self._pipeline.unskippable)
        if not refusal and not last:
            return Judged(WAITS_ON, outcome.reason)
        return await self._hold(envelope, copy, blob, outcome)

    async def _asked(self, copy: Again, blob: Blob) -> Outcome | None:
        snapshot, recipient, pipeline = self._snapshot(), copy.recipient, self._pipeline
        _, policy = whose(snapshot, recipient.address)
        if policy is None:
            return None
        recipient.policy = policy.for_mailbox(recipient.final.key[0])
        recipient.findings = list(copy.before)
        copy.transaction.known = snapshot.recipient
        message = await asyncio.to_thread(_read, blob, copy.ours)
        there = {one.name for one in self._registry if not one.error}
        gone = [name for name in copy.unanswered if name not in there]
        if gone:  # a plugin's file that is away for a while opens no door
            return _waits(f"{', '.join(gone)} could not answer, and is no check here now")
        if pipeline.reads_message(recipient.policy):
            pipeline.configure_gateway(snapshot.everywhere)
            async with asyncio.timeout(SECONDS):
                recipient.findings += await recall(pipeline, copy.session, copy.transaction, recipient)
                (found,) = await pipeline.run_message(copy.session, copy.transaction, [recipient], message)
            recipient.findings += found
        said = await judge(pipeline, copy.session, copy.transaction, recipient, lambda: message)
        return settled(recipient, said)

    async def _hold(self, envelope: Envelope, copy: Again, blob: Blob, outcome: Outcome) -> Judged:
        """Keep the copy for its owner; once, also where we were killed before the queue knew."""
        held = replace(outcome, fate=Fate.QUARANTINE)
        try:
            ref, subject = await asyncio.to_thread(self._keep, envelope, copy, blob, held)
        except OSError as error:
            why = f"{outcome.plugin}: {outcome.reason}"
            raise CannotHold(f"{why}; cannot be held: {error.strerror or error}") from error
        self._write_down(envelope, copy, held, HELD, ref, subject)
        return Judged(ENDED, f"held, {outcome.plugin}: {outcome.reason}")

    def _keep(self, envelope: Envelope, copy: Again, blob: Blob, outcome: Outcome) -> tuple[str, str]:
        to = copy.recipient.final
        for kept in self._archive.find(envelope.session, to.domain):
            if _is_it(kept, envelope.session, to.text):
                return kept.ref, kept.subject
        message = _read(blob, copy.ours)
        said = subject_of(message.head), message.get("message-id") or ""
        raw = message.body or b""
        item = kept_of(copy.session, copy.transaction, copy.recipient, outcome, HELD, said, len(raw))
        ref = self._archive.keep(item, [raw])
        metrics.ARCHIVE_KEPT.inc(1)
        return ref, item.subject

    def _keep_unread(self, envelope: Envelope, to: str, blob: Blob, why: str) -> None:
        """Keep the bytes under their domain, whatever the copy, the policy or the mail is like."""
        name = envelope.session or envelope.id
        ref = next((k.ref for k in self._archive.find(name, envelope.domain) if _is_it(k, name, to)), "")
        if not ref:
            raw = b"".join(blob)[ours_of(envelope) :]
            kept = Kept(
                name, time.time(), envelope.sender, to, envelope.domain, envelope.client, envelope.host,
                envelope.helo, why, "gatepost", HELD, True, size=len(raw), body=envelope.body,
                smtputf8=envelope.smtputf8,
            )  # fmt: skip
            ref = self._archive.keep(kept, [raw])
            metrics.ARCHIVE_KEPT.inc(1)
        self._journal.add(
            outcome_line(
                name, envelope.domain, to, envelope.sender or "", envelope.client, HELD, "gatepost", why,
                250, 0.0, envelope.size, archive_ref=ref,
            )
        )  # fmt: skip
        self._log.event(
            "judged_later", "warning", id=name, entry=envelope.id, recipient=to, fate=HELD,
            plugin="gatepost", score=0.0, why=why,
        )  # fmt: skip

    def _write_down(
        self, envelope: Envelope, copy: Again, outcome: Outcome, fate: str, ref: str = "", subject: str = ""
    ) -> None:
        to = copy.recipient.final.text
        self._journal.add(
            outcome_line(
                envelope.session or envelope.id,
                envelope.domain,
                to,
                envelope.sender or "",
                envelope.client,
                fate,
                outcome.plugin,
                outcome.reason,
                250,
                outcome.score,
                envelope.size,
                subject=subject,
                archive_ref=ref,
                trace=trace_of(copy.recipient.findings, outcome),
            )
        )
        self._tell(envelope, copy, outcome, fate)

    def _tell(self, envelope: Envelope, copy: Again, outcome: Outcome, fate: str) -> None:
        to = copy.recipient.final.text
        self._log.event(
            "judged_later", id=envelope.session, entry=envelope.id, recipient=to, fate=fate,
            plugin=outcome.plugin, score=outcome.score, why=outcome.reason,
        )  # fmt: skip

    def _failed(self, plugin: str, hook: str, text: str) -> None:
        HERE.failed(plugin, text, time.time())
        self._log.event("plugin_no_answer", "error", plugin=plugin, hook=hook, why=text)


def _is_it(kept: Kept, name: str, to: str) -> bool:
    return kept.id == name and kept.recipient == to and kept.outcome == HELD


def _waits(why: str) -> Outcome:
    return Outcome(Fate.DEFER, "gatepost", why, "", 451, "4.3.0")


def _read(blob: Blob, ours: int) -> Message:
    """Return the message as it came, without our lines before it."""
    return message_of(b"".join(blob)[ours:])


def _lines(lines: Sequence[tuple[str, str]]) -> str:
    """Return the header lines that the judgement adds."""
    return "".join(f"{name}: {value}\r\n" for name, value in lines if name.lower() != SUBJECT)
