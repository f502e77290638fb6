"""From the first byte of a message to the moment of responsibility (RFC 5321, section 6.1).

The order is the promise: what is refused or held is written and fsynced first, then the copies
of those who accept go to their servers inside the dialogue, and only then is a reply made. A
crash before the reply leaves the message with the client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gatepost.auth.forged import without_forged
from gatepost.mail.headers import add_to_subject, count_received, received
from gatepost.mail.message import Message, find_border
from gatepost.mail.reply import Reply
from gatepost.mail.retitled import with_words
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.context import RESERVATIONS
from gatepost.plugin.judge import judge
from gatepost.plugin.proof import proved
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.later import is_refusal
from gatepost.policy.training import settled
from gatepost.relay.results import TROUBLE, MailParams, Target, To
from gatepost.server.body import Body
from gatepost.server.copies import SUBJECT, Copy, added_subject, counts, fate_of, headers_of, replies_for
from gatepost.server.fixed import FULL, LOOP, NO_ROOM, SPOILT, TOO_BIG
from gatepost.smtp.data import unstuff
from gatepost.smtp.server import DataEnd

if TYPE_CHECKING:
    from gatepost.server.gateway import Gateway

HEAD_LIMIT = 131_072
"""Bytes looked at for the headers."""
MAX_RECEIVED = 50
"""A mail with so many Received headers loops (RFC 5321, 6.3)."""
MAX_OWN = 3
"""Or one that passed here so often."""
CHECK_SECONDS = 90
"""More than the checks take by their own limits (`plugin.pipeline.MESSAGE_SECONDS`, a host name before)."""
DATA_SECONDS = 1_800
"""A whole message must have come within this and one second a KiB (T9.5: total time, not only idle)."""

HELD, REFUSED = "quarantined", "rejected"
"""What the archive calls a copy that we said 250 for, and one that we did not."""


class Intake:
    """One message: its bytes, then its fate."""

    __slots__ = (
        "_clean",
        "_copies",
        "_full_disk",
        "_gateway",
        "_stuffed",
        "_whole",
        "body",
        "ends",
        "session",
        "started",
        "transaction",
    )

    def __init__(self, gateway: Gateway, session: Session, transaction: Transaction) -> None:
        self._gateway = gateway
        self.session = session
        self.transaction = transaction
        self._stuffed = False
        self._copies: list[Copy] = []
        self._whole: Message | None = None
        self._full_disk = ""
        self._clean = True
        """Our reader found neither bare CR nor LF nor NUL: the way out need not look again (T1.3)."""
        self.body = Body(gateway.memory, gateway.scratch)
        self.started = time.monotonic()
        self.ends = self.started + DATA_SECONDS + (transaction.size or gateway.max_size) / 1024

    def take(self, piece: bytes) -> None:
        """Keep a piece of the message as it came over the wire."""
        if not self._full_disk:
            try:
                self.body.append(piece)
            except OSError as error:  # said at the end of the data: until then the client only sends
                self._full_disk = error.strerror or str(error)

    def close(self) -> None:
        """Forget the bytes."""
        self.body.close()

    def failed(self, why: str) -> None:
        """Our own fault: every recipient not yet written down is deferred."""
        outcome = Outcome(Fate.DEFER, "gatepost", why, "Try again later", 451, "4.3.0")
        for copy in self._copies:  # the client comes again with the whole message
            self._gateway.withdraw(copy.kept, copy.spooled)
        for recipient in self.transaction.recipients:
            self._journal(Copy(recipient, outcome), "deferred")
        self._late_done(self._late())

    # -- the way of the message -----------------------------------------------------------

    async def finish(self, end: DataEnd) -> list[Reply]:
        """Decide, keep, hand on; return the replies to give (with PRDR one each, the last is final)."""
        self._stuffed = end.stuffed
        if self._full_disk:
            return self._no_bytes(OSError(self._full_disk))
        head = self._head()
        refusal = self._malformed(end, head)
        if refusal is not None:
            return self._all(refusal)
        if end.normalize:
            await self._normalize()
            head = self._head()
        deadline = self._gateway.loop.time() + self._gateway.final_reply
        self._copies = copies = await self._decide(head)
        if not await self._keep(copies, head):
            return self._full(copies)
        await self._take_out_forged(head)
        await self._hand_on(copies, head, deadline)
        await self._settle(copies, head)
        where = partial(self._gateway.why.page, self.transaction)
        replies = replies_for(copies, self.session.id, prdr=self.transaction.prdr, where=where)
        await self._count(copies, replies[-1])
        self._write_down(copies, head, replies[-1])
        return replies

    def _head(self) -> bytes:
        """Return the header block with its last line end; all that was looked at if there is no border."""
        block = self.body.head(HEAD_LIMIT)
        border = find_border(block)
        return block if border < 0 else block[:border]

    def _no_bytes(self, error: OSError) -> list[Reply]:
        """The disk would not take the message: who is refused is refused all the same, nobody else has it."""
        copies = [Copy(r, r.pending) for r in self.transaction.recipients if r.pending is not None]
        if len(copies) < len(self.transaction.recipients):
            self.failed(str(error))
            return [NO_ROOM.with_id(self.session.id)]
        for copy in copies:
            self._gateway.not_kept(copy.recipient, "rejected", error)
        self._late_done(self._late())
        where = partial(self._gateway.why.page, self.transaction)
        replies = replies_for(copies, self.session.id, prdr=self.transaction.prdr, where=where)
        self._write_down(copies, b"", replies[-1])
        return replies

    def _late(self) -> list[Copy]:
        """Return the copies of those who were refused at RCPT while somebody else's was accepted."""
        return [Copy(r, r.pending) for r in self.transaction.refused]

    def _late_done(self, late: list[Copy], head: bytes = b"") -> None:
        """Their row waited for a copy to keep; once."""
        for copy in late:
            self._journal(copy, "rejected", head)
        self.transaction.refused.clear()

    def _malformed(self, end: DataEnd, head: bytes) -> Reply | None:
        if end.too_big:
            return TOO_BIG
        if end.spoilt:
            return SPOILT[end.spoilt]
        if head.count(self._gateway.own_mark) >= MAX_OWN or count_received(head) >= MAX_RECEIVED:
            return LOOP
        return None

    def _all(self, reply: Reply) -> list[Reply]:
        """The whole message is refused for its form: every recipient's row says so."""
        outcome = Outcome(Fate.REJECT, "smtp", reply.text, reply.text, reply.code, reply.enhanced)
        for recipient in self.transaction.recipients:
            self._journal(Copy(recipient, outcome), "rejected")
        self._late_done(self._late())
        return [reply.with_id(self.session.id)]

    async def _normalize(self) -> None:
        """Bare CR or LF become CRLF (CONTRACT 4), here and nowhere later: kept and relayed bytes agree."""
        self.body = await self.body.normalized(stuffed=self._stuffed)
        self._clean = False
        # A bare LF before a dot made a line that begins with one: it needs stuffing on its way out.
        self._stuffed = False

    async def load(self) -> bytes:
        """Return the message's own bytes; what lies in a file is read beside the loop, where others wait."""
        return self.message() if self.body.in_memory else await asyncio.to_thread(self.message)

    def message(self) -> bytes:
        """Return the message's own bytes, dots undone."""
        return unstuff(self.body) if self._stuffed else b"".join(self.body)

    # -- deciding -------------------------------------------------------------------------

    async def _decide(self, head: bytes) -> list[Copy]:
        transaction, pipeline = self.transaction, self._gateway.pipeline
        waiting = [r for r in transaction.recipients if r.pending is None]
        asked = [r for r in waiting if pipeline.reads_message(r.policy)]
        if asked:
            message = Message(head, await self.load() if pipeline.reads_body(asked) else None)
            async with asyncio.timeout(CHECK_SECONDS):
                answers = await pipeline.run_message(self.session, transaction, asked, message)
            for recipient, findings in zip(asked, answers, strict=True):
                # A new list: that of RCPT may be shared with others (dialogue's memo).
                recipient.findings = [*recipient.findings, *findings]
        copies = [Copy(r, r.pending) for r in transaction.recipients if r.pending is not None]
        session, whole = self.session, partial(self._read, head)
        judged = [await judge(pipeline, session, transaction, r, whole) for r in waiting]
        copies += [Copy(r, settled(r, said)) for r, said in zip(waiting, judged, strict=True)]
        order = {id(r): n for n, r in enumerate(transaction.recipients)}
        copies.sort(key=lambda copy: order[id(copy.recipient)])
        return copies

    def _read(self, head: bytes) -> Message:
        """Return the whole message, read once, however many recipients ask."""
        if self._whole is None:
            self._whole = Message(head, self.message())
        return self._whole

    # -- keeping --------------------------------------------------------------------------

    async def _keep(self, copies: list[Copy], head: bytes) -> bool:
        """Write what is refused or held, durably. False: something that must be held could not be."""
        refused = [c for c in copies if c.outcome.fate in (Fate.REJECT, Fate.QUARANTINE)]
        kept = [c for c in refused if not c.recipient.policy.trains]
        if not (late := self._late()) and not kept:
            return True
        # Somebody may get 250 for the whole mail: then the refused copies are held for their owners.
        hold = not self.transaction.prdr and any(c.outcome.fate is not Fate.REJECT for c in copies)
        wanted = [(c, HELD if hold or c.outcome.fate is Fate.QUARANTINE else REFUSED) for c in kept]
        stored = await self._store([*wanted, *((c, REFUSED) for c in late)], head)
        self._late_done(late, head)
        return stored

    async def _store(self, wanted: list[tuple[Copy, str]], head: bytes) -> bool:
        """Put copies into the archive; false when one that must be held could not be."""
        gateway = self._gateway
        try:
            refs = await gateway.keep(self, [(c.recipient, c.outcome, fate) for c, fate in wanted], head)
        except OSError as error:
            if len(wanted) > 1:  # where one domain's room is full the others' copies are kept all the same
                return all([await self._store([one], head) for one in wanted])
            ((copy, fate),) = wanted
            gateway.not_kept(copy.recipient, fate, error)
            return fate == REFUSED
        for (copy, _), ref in zip(wanted, refs, strict=True):
            copy.kept = ref
        return True

    def _full(self, copies: list[Copy]) -> list[Reply]:
        """Held and not storable is 4xx: nothing was handed on yet, so nobody has it twice."""
        for copy in copies:
            self._gateway.withdraw(copy.kept)
            self._journal(Copy(copy.recipient, FULL), "deferred")
        return [Reply(452, "4.3.1", f"Insufficient storage ({self.session.id})")]

    # -- handing on -----------------------------------------------------------------------

    async def _take_out_forged(self, head: bytes) -> None:
        """What a stranger wrote in our name does not go on (RFC 8601, 5; T3.3); kept copies have it."""
        hostname = self._gateway.hostname
        if len(head) < HEAD_LIMIT or head.endswith(b"\r\n\r\n"):
            without = without_forged(head, hostname)
        else:  # a block of more than we look at: nothing hides behind it
            whole = await asyncio.to_thread(b"".join, self.body)
            border = find_border(whole)
            head = whole if border < 0 else whole[:border]
            without = await asyncio.to_thread(without_forged, head, hostname)
        if without is not head:
            self.body = self.body.with_head(len(head), without)

    async def _hand_on(self, copies: list[Copy], head: bytes, deadline: float) -> None:
        """Give the copies of those who accept to their servers; one hand-off per set of added headers."""
        marks = self._gateway.marks
        groups: dict[tuple[tuple[tuple[str, str], ...], bytes, str], list[Copy]] = {}
        for copy in (c for c in copies if c.outcome.fate is Fate.ACCEPT):
            to = copy.recipient
            key = headers_of(copy.outcome, to), self._proved(to), marks.owner(self.transaction, to)
            groups.setdefault(key, []).append(copy)
        handing = [
            self._hand_group(added, proof, some, deadline) for (added, proof, _), some in groups.items()
        ]
        if len(handing) == 1:  # as usual: no task
            await handing[0]
            return
        # All are waited for: while one hands on, its bytes must be there, and what it did must be known.
        ended = await asyncio.gather(*handing, return_exceptions=True)
        for error, some in zip(ended, groups.values(), strict=True):
            if error is not None:
                self._gateway.bug("relay", error, self.session.id)
                for copy in some:
                    copy.result = TROUBLE

    def _proved(self, recipient: Recipient) -> bytes:
        policy = recipient.policy
        return proved(self.transaction, policy, self._gateway.hostname) if policy is not None else b""

    async def _hand_group(
        self, headers: tuple[tuple[str, str], ...], proof: bytes, copies: list[Copy], deadline: float
    ) -> None:
        gateway, transaction = self._gateway, self.transaction
        targets: dict[tuple[str, ...], list[Copy]] = {}
        for copy in copies:
            targets.setdefault(self._routes(copy.recipient), []).append(copy)
        top = proof + self.top(headers, copies[0].recipient, alone=len(copies) == 1)
        size, chunks = self._bytes_for(headers)
        results = await gateway.relay.hand_off(
            self.session,
            transaction.sender,
            MailParams(
                size=size + len(top),
                body=transaction.body,
                smtputf8=transaction.international(self._head, top, (c.recipient for c in copies)),
                ret=transaction.ret,
                envid=transaction.envid,
            ),
            [
                Target(
                    routes,
                    [To(c.recipient.final, c.recipient.notify, c.recipient.orcpt) for c in members],
                )
                for routes, members in targets.items()
            ],
            chunks,
            self._stuffed,
            top,
            deadline,
            proven=self._clean,
        )
        in_order = [c for members in targets.values() for c in members]
        for copy, result in zip(in_order, results, strict=True):
            copy.result = result

    def _routes(self, recipient: Recipient) -> tuple[str, ...]:
        """Return where a copy goes."""
        return recipient.policy.routes  # type: ignore[no-any-return]

    def top(self, headers: tuple[tuple[str, str], ...], recipient: Recipient, *, alone: bool = True) -> bytes:
        """Return our lines before the bytes: Received and others; what was proved goes above them."""
        only = recipient.address.text if alone else None
        line = received(self.session, self.transaction, self._gateway.hostname, time.time(), only)
        others = (f"{name}: {value}\r\n" for name, value in headers if name.lower() != SUBJECT)
        more = "".join(others).encode("ascii", "replace")
        mark = self._gateway.marks.line(self.transaction, recipient, alone=alone)
        return line + mark + more

    def _bytes_for(self, headers: tuple[tuple[str, str], ...]) -> tuple[int, Iterable[bytes]]:
        """Return size and bytes as they go on: as they came, but for words behind the Subject."""
        words = added_subject(headers) if headers else ""
        if not words:
            return self.body.size, self.body.pieces() if self.body.in_memory else self.body
        more, body = with_words(self.body, self._head(), words)
        return self.body.size + more, list(body) if self.body.in_memory else body

    async def spooled(self, headers: tuple[tuple[str, str], ...], recipient: Recipient) -> list[bytes]:
        """Return what is put into the spool for one recipient: our lines, and the message's own bytes."""
        text, words = await self.load(), added_subject(headers)
        if words:
            head = text[: max(0, find_border(text[:HEAD_LIMIT]))]
            text = add_to_subject(head, words) + text[len(head) :]
        return [self._proved(recipient) + self.top(headers, recipient), text]

    async def _settle(self, copies: list[Copy], head: bytes) -> None:
        """One mail, many back ends (CONTRACT 5): once somebody has it we say 250, so all must be safe."""
        gateway = self._gateway
        prdr = self.transaction.prdr
        for copy in copies:
            result = copy.result
            if (
                result is not None
                and result.kind == "unreachable"
                and copy.recipient.policy.on_backend_down == "spool"
            ):
                copy.spooled = await gateway.spool(self, copy.recipient, copy.outcome, result)
        if prdr or not any(c.taken for c in copies):
            return
        for copy in copies:
            result = copy.result
            if copy.spooled or result is None or result.kind == "delivered":
                if copy.outcome.fate is Fate.DEFER:
                    await self._put_off(copy, head)
                continue
            if result.kind == "refused":
                outcome = replace(
                    copy.outcome, fate=Fate.QUARANTINE, plugin="relay", reason=f"back end: {result.text}"
                )
                await self._keep_late(copy, outcome, "refused_by_backend", head)
            else:
                copy.spooled = await gateway.spool(self, copy.recipient, copy.outcome, result)

    async def _put_off(self, copy: Copy, head: bytes) -> None:
        """Deferred, and the client will not come again: refused is held, the rest is judged in the spool."""
        gateway = self._gateway
        if is_refusal(copy.outcome, copy.recipient.findings, gateway.pipeline.unskippable):
            held = replace(copy.outcome, fate=Fate.QUARANTINE)  # found bad or unread: never sent on by itself
            if await self._keep_late(copy, held, HELD, head):
                copy.outcome = held
        else:
            copy.spooled = await gateway.spool(self, copy.recipient, copy.outcome, None)

    async def _keep_late(self, copy: Copy, outcome: Outcome, fate: str, head: bytes) -> bool:
        """Keep a copy for its owner, now that somebody else's was taken; false where it cannot be."""
        try:
            (copy.kept,) = await self._gateway.keep(self, [(copy.recipient, outcome, fate)], head)
        except OSError as error:
            self._gateway.not_kept(copy.recipient, fate, error)
        return bool(copy.kept)

    # -- writing down ----------------------------------------------------------------------

    async def _count(self, copies: list[Copy], final: Reply) -> None:
        """What `ctx.reserve` held is used or given back before the reply: who got 250 is counted."""
        transaction, gateway = self.transaction, self._gateway
        if not transaction.answers.get(RESERVATIONS):
            return
        for copy in copies:
            used = counts(copy, fate_of(copy, final, prdr=transaction.prdr))
            try:
                await gateway.pipeline.settle(transaction, copy.recipient, used=used)
            except Exception as error:  # the mail is safe: that it is not counted must not make it come again
                gateway.bug("counts", error, self.session.id)

    def _write_down(self, copies: list[Copy], head: bytes, final: Reply) -> None:
        self._gateway.marks.remember(self.transaction, copies, head)
        deferred = not final.positive and not final.permanent and not self.transaction.prdr
        for copy in copies:
            if deferred and (copy.kept or copy.spooled):
                # The client comes again with the whole message: what was kept for it now would stand twice.
                self._gateway.withdraw(copy.kept, copy.spooled)
                copy.kept = copy.spooled = ""
            self._journal(copy, fate_of(copy, final, prdr=self.transaction.prdr), head)

    def _journal(self, copy: Copy, fate: str, head: bytes = b"") -> None:
        self._gateway.message_outcome(
            self.session,
            self.transaction,
            copy.recipient,
            copy.outcome,
            fate,
            head=head,
            size=self.body.size,
            kept=copy.kept,
            result=copy.result,
            seconds=time.monotonic() - self.started,
        )
