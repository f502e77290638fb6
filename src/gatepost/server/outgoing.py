"""The door for outgoing mail: the domains' own servers hand in, we sign the return path and hand on.

Who may send is told by the network of the client and the domain of the sender together, so that
nobody relays through us and no domain gets another's tag ([smtp.outgoing] networks). All mail goes
to the one next hop, inside the dialogue, and its 4xx and 5xx are the client's answer: there is no
queue on the usual way. Only where one mail is taken for one recipient and not for another, and the
client has no PRDR, must we answer for the rest: it goes to the spool before the 250, as inbound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatepost.mail.address import Address
from gatepost.mail.reply import Reply
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Rewrite
from gatepost.plugin.batv import PLUGIN, BatvSettings, since_key
from gatepost.plugin.judge import ACCEPTED
from gatepost.policy.decide import Fate, Finding, Outcome
from gatepost.policy.policy import Action, Mode
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.server import fixed
from gatepost.server.copies import Copy
from gatepost.server.dialogue import Answer, Dialogue
from gatepost.server.intake import Intake
from gatepost.server.listener import Door, within
from gatepost.smtp.server import DataEnd, Extensions, Mail, Rcpt, ServerProtocol

if TYPE_CHECKING:
    from gatepost.server.gateway import Gateway

NAME = "outgoing"
NOT_YOURS = Outcome(
    Fate.REJECT,
    NAME,
    "client is in none of the sender's networks",
    "You may not send for this sender here",
    550,
    "5.7.1",
)
NO_DOMAIN = Outcome(Fate.REJECT, NAME, "recipient without a domain", "Say the domain too", 550, "5.1.3")


class OutgoingDoor(Door):
    """Accepts the domains' own servers; the machine's checks of strangers are not asked about them."""

    def new_dialogue(self, session: Session, protocol: ServerProtocol) -> Dialogue:
        """Return the dialogue of outgoing mail."""
        return Outgoing(self.gateway, session, protocol)

    def _extensions(self, client: str) -> Extensions:
        return self.gateway.extensions  # never XCLIENT: who may send is told by the client's address

    def _guarded(self, session: Session) -> Reply | None:
        return None


class Outgoing(Dialogue):
    """The conversation with a server of one of our domains."""

    __slots__ = ("refusal", "signed")

    def _mail(self, event: Mail) -> Answer:
        if self.gateway.draining:
            return super()._mail(event)
        transaction = self._open(event)
        self.signed: Address | None = None
        try:
            self.refusal = self._look_at(transaction)
        except PolicyUnavailable as error:
            # Untagged now would mean refused bounces later.
            self.gateway.no_policy(error)
            self.refusal = fixed.NO_POLICY
        return self.protocol.reply(fixed.SENDER_OK)

    def _look_at(self, transaction: Transaction) -> Outcome | None:
        """Say why this client may not send for this sender, None where he may; sign the return path.

        It is said at RCPT, so that it stands in the journal with its recipient.
        """
        assert self.snapshot is not None
        networks = self.gateway.config.smtp.outgoing.networks
        client, sender = self.session.client, transaction.sender
        if sender is None:  # a bounce by one of the servers: of whichever domain, it has no return path
            whose = [name for name, own in networks.items() if within(client, own)]
            # A server of several domains: nobody can say whose it is, so it stands in the machine's journal.
            transaction.owner = whose[0] if len(whose) == 1 else ""
            return None if whose else NOT_YOURS
        policy = self.snapshot.policy_for(sender.domain)
        if policy is not None:
            transaction.owner = policy.domain
        if not within(client, networks.get(sender.domain, ())):
            return NOT_YOURS
        transaction.owner = sender.domain
        own = policy.for_mailbox(sender.key[0]).plugins.get(PLUGIN) if policy is not None else None
        if own is not None and isinstance(own.settings, BatvSettings):
            tagged = own.settings.tagged(sender, transaction.started)
            if tagged is not None:
                self.signed, transaction.sender = sender, tagged
        return None

    def _rcpt(self, event: Rcpt) -> Answer:
        assert self.transaction is not None
        recipient = Recipient(event.address, event.address, event.notify, event.orcpt)
        if self.refusal is not None:
            return self._refuse(recipient, self.refusal)
        if not event.address.domain:
            return self._refuse(recipient, NO_DOMAIN)
        if self.signed is not None and self.transaction.sender is not None:
            said = Rewrite(self.transaction.sender.text, "return path signed")
            recipient.findings.append(Finding(NAME, "mail", said, Mode.ON, Action.REJECT))
        self.transaction.recipients.append(recipient)
        return self.protocol.reply(fixed.RECIPIENT_OK)

    def _begin(self) -> Intake:
        assert self.transaction is not None
        self.intake = OutgoingIntake(self.gateway, self.session, self.transaction, self.signed)
        return self.intake


Outgoing.answers = {**Dialogue.answers, Mail: Outgoing._mail, Rcpt: Outgoing._rcpt}


class OutgoingIntake(Intake):
    """One outgoing message: no check is asked, all copies go to the next hop."""

    __slots__ = ("_signed",)

    def __init__(
        self, gateway: Gateway, session: Session, transaction: Transaction, signed: Address | None
    ) -> None:
        super().__init__(gateway, session, transaction)
        self._signed = signed

    async def finish(self, end: DataEnd) -> list[Reply]:
        """Hand on; the first signed mail that was taken begins the days of grace (`batv_grace_days`)."""
        replies = await super().finish(end)
        if self._signed is not None and any(copy.taken for copy in self._copies):
            try:
                await self._signing_began(self._signed)
            except Exception as error:  # the mail is gone: grace begins with the next one
                self._gateway.bug(NAME, error, self.session.id)
        return replies

    async def _signing_began(self, sender: Address) -> None:
        records, place = (
            self._gateway.pipeline.tools.records,
            (sender.domain, PLUGIN, since_key(sender.key[0])),
        )
        if await records.get(*place) is None:
            await records.put(*place, {"since": self.transaction.started})

    async def _decide(self, head: bytes) -> list[Copy]:
        return [Copy(recipient, ACCEPTED) for recipient in self.transaction.recipients]

    def _routes(self, recipient: Recipient) -> tuple[str, ...]:
        return (f"smtp://{self._gateway.config.smtp.outgoing.next_hop}",)

    async def _settle(self, copies: list[Copy], head: bytes) -> None:
        """One mail, two answers: the spool tries the rest again, and bounces to the sender, who is known."""
        if self.transaction.prdr or not any(copy.taken for copy in copies):
            return
        for copy in copies:
            if not copy.taken:
                copy.spooled = await self._gateway.spool(
                    self, copy.recipient, copy.outcome, copy.result, self._routes(copy.recipient)
                )
