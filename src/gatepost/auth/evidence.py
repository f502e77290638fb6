"""What is proved about one mail, each method evaluated once however many ask, on the bytes as received.

Checks of several domains, the allow lists (`--verified`) and the writer of the header all ask
here. Nothing is evaluated that nobody asked for: mail that is refused at RCPT pays nothing. Who
asks while another's question is under way waits for that answer.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop, shield, to_thread  # noqa: TID251 - joins those who wait
from collections.abc import Awaitable, Callable, Container
from typing import TYPE_CHECKING, Any, TypeVar

from gatepost.auth import arc as arc_chain
from gatepost.auth import dkim as dkim_signatures
from gatepost.auth import dmarc as dmarc_policy
from gatepost.auth import seal as own_seal
from gatepost.auth import spf as spf_record
from gatepost.auth.asks import Dns
from gatepost.auth.author import Authors, authors
from gatepost.auth.facts import Arc, Dkim, Dmarc, Forwarded, Spf, covers
from gatepost.auth.results import authentication_results, folded, received_spf

if TYPE_CHECKING:
    from gatepost.mail.message import Message
    from gatepost.mail.session import Session
    from gatepost.mail.transaction import Transaction

F = TypeVar("F")


class Evidence:
    """The facts of one mail."""

    __slots__ = ("_asking", "_dns", "_known", "_now", "_receiver", "message", "session", "transaction")

    def __init__(
        self, session: Session, transaction: Transaction, dns: Dns, now: float, receiver: str = ""
    ) -> None:
        self.session = session
        self.transaction = transaction
        self.message: Message | None = None
        self._dns = dns
        self._now = now
        self._receiver = receiver
        self._known: dict[type, Any] = {}
        self._asking: dict[type, Future[Any]] = {}

    # -- asking ---------------------------------------------------------------------------

    async def spf(self) -> Spf:
        """Return what SPF says of the envelope."""
        known: Spf | None = self._known.get(Spf)
        return known if known is not None else await self._once(Spf, self._spf)

    async def dkim(self) -> Dkim:
        """Return what the signatures prove."""
        known: Dkim | None = self._known.get(Dkim)
        return known if known is not None else await self._once(Dkim, self._dkim)

    async def arc(self) -> Arc:
        """Return whether the chain of seals holds."""
        known: Arc | None = self._known.get(Arc)
        return known if known is not None else await self._once(Arc, self._arc)

    async def dmarc(self) -> Dmarc:
        """Return what DMARC says of the author."""
        known: Dmarc | None = self._known.get(Dmarc)
        return known if known is not None else await self._once(Dmarc, self._dmarc)

    def authors(self) -> Authors:
        """Return who the authors are, by the From header."""
        known: Authors | None = self._known.get(Authors)
        if known is None:
            known = self._known[Authors] = authors(self._read())
        return known

    async def proven(self) -> bool:
        """Return True when SPF or DKIM agrees with the envelope sender: for `--verified` list entries.

        Before the message has come only SPF can say so. The null sender is nobody, so never proven.
        """
        sender = self.transaction.sender
        if sender is None or not sender.domain:
            return False
        if (await self.spf()).result == "pass":
            return True
        if self.message is None:
            return False
        return any(covers(domain, sender.domain) for domain in (await self.dkim()).passed())

    # -- telling --------------------------------------------------------------------------

    def known(self, kind: type[F]) -> F | None:
        """Return a fact if somebody asked for it, and None otherwise."""
        return self._known.get(kind)

    def top(
        self,
        hostname: str,
        forwarded: Forwarded | None = None,
        methods: Container[str] = ("spf", "dkim", "arc", "dmarc"),
    ) -> bytes:
        """Return Authentication-Results and Received-SPF for the top of the message, from what is known.

        b"" when nothing was asked: then we say nothing. `forwarded` and `methods` are the
        recipient's domain's: whom it trusts, and what it asks.
        """
        spf = self.known(Spf) if "spf" in methods else None
        found = (
            spf,
            self.known(Dkim) if "dkim" in methods else None,
            self.known(Arc) if "arc" in methods else None,
            self.known(Dmarc) if "dmarc" in methods else None,
        )
        if not any(found):
            return b""
        value = authentication_results(hostname, *found, forwarded)
        top = folded("Authentication-Results", value)
        return top + received_spf(hostname, spf) if spf is not None else top

    def words(self) -> list[str]:
        """Return a sentence for each method that was asked: who was proved, who was not, by which record."""
        found = (self.known(Spf), self.known(Dkim), self.known(Arc), self.known(Dmarc))
        return [fact.words() for fact in found if fact is not None]

    def asked(self) -> list[str]:
        """Return the DNS answers that all this rests on, each once."""
        seen: dict[str, None] = {}
        spf = self.known(Spf)
        for fact in (spf, spf.helo if spf else None, self.known(Arc), self.known(Dmarc)):
            seen |= dict.fromkeys(str(one) for one in fact.asked) if fact is not None else {}
        dkim = self.known(Dkim)
        for signature in dkim.signatures if dkim is not None else ():
            seen |= dict.fromkeys(str(one) for one in signature.asked)
        return list(seen)

    async def seal(self, sealer: own_seal.Sealer, results: str, status: str) -> tuple[own_seal.Field, ...]:
        """Return our own seal over the mail as it came; a large body is hashed beside the loop."""
        return await own_seal.seal(self._read(), sealer, results, status, int(self._now), to_thread)

    # -- evaluating -----------------------------------------------------------------------

    async def _spf(self) -> Spf:
        session = self.session
        return await spf_record.verify(
            session.client, self.transaction.sender, session.helo, self._dns, self._receiver
        )

    async def _dkim(self) -> Dkim:
        return await dkim_signatures.verify(self._read(), self._dns, self._now, to_thread)

    async def _arc(self) -> Arc:
        return await arc_chain.verify(self._read(), self._dns, to_thread)

    async def _dmarc(self) -> Dmarc:
        return await dmarc_policy.evaluate(self.authors(), await self.spf(), await self.dkim(), self._dns)

    def _read(self) -> Message:
        if self.message is None:
            raise RuntimeError("the message has not come yet")
        return self.message

    async def _once(self, kind: type[F], evaluate: Callable[[], Awaitable[F]]) -> F:
        """Evaluate, or wait for who evaluates already; if that one is cancelled, take over."""
        while (asking := self._asking.get(kind)) is not None:
            await shield(asking)  # who gives up must not end it for the others
            if kind in self._known:
                return self._known[kind]  # type: ignore[no-any-return]
        done: Future[Any] = get_running_loop().create_future()
        self._asking[kind] = done
        try:
            fact = self._known[kind] = await evaluate()
        finally:
            del self._asking[kind]
            if not done.done():
                done.set_result(None)
        return fact


def evidence_for(
    session: Session,
    transaction: Transaction,
    dns: Dns,
    now: float,
    message: Message | None = None,
    receiver: str = "",
) -> Evidence:
    """Return the evidence of a mail; made at the first question and kept with the transaction."""
    found: Evidence | None = transaction.facts.get(Evidence)
    if found is None:
        found = transaction.facts[Evidence] = Evidence(session, transaction, dns, now, receiver)
    if message is not None and found.message is None:
        found.message = message
    return found
