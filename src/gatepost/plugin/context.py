"""What a plugin sees when it is asked: the facts, its settings, and the tools that wait for it.

A plugin opens no socket and no file: the world comes through here, so that time limits, caches
and names are the same for all and tests hand in fakes. What an answer is remembered for
(`base.Scope`) decides what may be seen: a check whose answer holds for a whole session must not
look at one recipient, so that is an error (a failure of the check) and not a wrong answer.
"""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter, sleep
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gatepost.mail.address import Address
from gatepost.plugin.base import PluginSettings, Scope
from gatepost.plugin.deadly import note
from gatepost.plugin.tools import (
    BoundRecords,
    BoundState,
    Dns,
    Killed,
    PluginMistake,
    RecipientRow,
    ToolMissing,
    Tools,
)
from gatepost.policy.policy import DomainPolicy

if TYPE_CHECKING:
    from gatepost.mail.message import Message
    from gatepost.mail.session import Session
    from gatepost.mail.transaction import Recipient, Transaction
    from gatepost.plugin.outside import HttpAnswer
    from gatepost.plugin.step import Step
    from gatepost.plugin.training import Teacher
    from gatepost.policy.decide import Outcome
    from gatepost.policy.lists import Entry

S = TypeVar("S", bound=PluginSettings)
F = TypeVar("F")

ALMOST = 0.95
"""Part of a hook's time limit that work in a process of its own may take."""
UNASKED: Any = object()
"""A recipient's row, before anybody looked for it; None is that there is none."""
RESERVATIONS = "reservations"
"""Key in a transaction's answers: (recipient, reservation, record) each, that wait for the mail's fate."""


LISTED = "listed"
"""Key in a transaction's answers: (lists, the entry of them that decides); the decision asks again."""


def client_net(client: str, ipv4: int = 32, ipv6: int = 64) -> str:
    """Return what counts as one client: its network of these prefix lengths, as text.

    An IPv6 /64 is what one customer gets. What is no address (a socket's client) stands for itself.
    """
    return client if ":" not in client and ipv4 == 32 else _net(client, ipv4, ipv6)


@lru_cache(4_096)
def _net(client: str, ipv4: int, ipv6: int) -> str:
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    return str(ip_network((address, ipv4 if address.version == 4 else ipv6), strict=False))


class Context(Generic[S]):
    """One question to one plugin. Valid only until the hook has answered."""

    __slots__ = (
        "_row",
        "_settings",
        "_step",
        "_target",
        "_tools",
        "_transaction",
        "message",
        "now",
        "outcome",
        "session",
    )

    def __init__(
        self,
        session: Session,
        transaction: Transaction | None,
        target: Recipient | None,
        row: Any,
        now: float,
        tools: Tools,
    ) -> None:
        self.session = session
        """Who is there: address, HELO name, TLS, rDNS."""
        self._transaction = transaction
        self._target = target
        self._row = row
        self._tools = tools
        self._step: Step
        self._settings: Any
        self.now = now
        """Seconds since 1970."""
        self.message: Message = None  # type: ignore[assignment]  # set for headers and message
        self.outcome: Outcome | None = None
        """Only in `done`: what became of the mail for this recipient."""

    def fork(self) -> Context[S]:
        """Return a context for the next plugin while this one is still being answered."""
        other: Context[S] = Context(
            self.session, self._transaction, self._target, self._row, self.now, self._tools
        )
        other.message = self.message
        other.outcome = self.outcome
        other._step = self._step
        other._settings = self._settings
        return other

    @property
    def hand(self) -> int:
        """Where the parent process sees which message this is (gatepost.server.hands); 0 for none."""
        return self._transaction.hand if self._transaction is not None else 0

    # -- facts ----------------------------------------------------------------------------

    @property
    def settings(self) -> S:
        """The plugin's own settings in this domain."""
        return self._settings  # type: ignore[no-any-return]

    @property
    def transaction(self) -> Transaction:
        """The envelope. Not in connect and helo: their answers outlive it."""
        if self._step.outlives_mail or self._transaction is None:
            raise PluginMistake(f"the hook {self._step.hook} holds for the session and cannot see one mail")
        return self._transaction

    @property
    def sender(self) -> Address | None:
        """The envelope sender; None is the null sender `<>`."""
        return self.transaction.sender

    @property
    def recipient(self) -> Address | None:
        """The recipient that is asked about; None where the answer holds for more than one."""
        target = self._target
        return target.final if target is not None and self._step.sees_recipient else None

    @property
    def named(self) -> Address | None:
        """The recipient as the client named it: with a BATV tag, or before it was rewritten."""
        target = self._target
        return target.address if target is not None and self._step.sees_recipient else None

    @property
    def recipients(self) -> list[Address]:
        """All recipients accepted so far in this transaction."""
        return [r.address for r in self.transaction.recipients]

    @property
    def recipient_row(self) -> RecipientRow | None:
        """What the store knows of the recipient."""
        target = self._target
        if target is None or not self._step.sees_recipient:
            raise PluginMistake(f"the hook {self._step.hook} is not asked about one recipient")
        if self._row is UNASKED and (look := self._look()) is not None:
            final = target.final
            self._row = look(final.domain, final.key[0])
        return self._row if self._row is not UNASKED else None

    def known(self, local: str) -> RecipientRow | None:
        """Return what the store knows of a local part (folded) of the domain; its `*` for any other."""
        look = self._look()
        if look is None:
            raise ToolMissing("ctx.known is not available here")
        return look(self.domain, local)

    def _look(self) -> Callable[[str, str], RecipientRow | None] | None:
        """Return who tells what is known of a local part: the policy that this mail began under, if any."""
        of_mail = self._transaction.known if self._transaction is not None else None
        return of_mail if of_mail is not None else self._tools.recipient_row

    @property
    def policy(self) -> DomainPolicy:
        """The policy of the recipient's domain."""
        policy = self._step.domain_policy
        if policy is None:
            raise PluginMistake(f"Scope.{self._step.plugin.scope.name} has no domain, so no policy")
        return policy

    @property
    def domain(self) -> str:
        """The recipient's domain."""
        return self.policy.domain

    @property
    def hostname(self) -> str:
        """Our own host name, lower case."""
        return self._tools.hostname

    def client_in(self, networks: Iterable[str | IPv4Network | IPv6Network]) -> bool:
        """Return True when the client's address lies in one of the networks."""
        try:
            client = ip_address(self.session.client.partition("%")[0])
        except ValueError:
            return False
        return any(client in (ip_network(n) if isinstance(n, str) else n) for n in networks)

    def list_entry(self, sender: Address | None = None) -> Entry | None:
        """Return the allow or deny entry that decides (CONTRACT 5); `sender` instead of the envelope's."""
        lists = self.policy.lists
        if not lists:
            return None
        answers = self.transaction.answers
        if sender is None:
            known = answers.get(LISTED)
            if known is not None and known[0] is lists:
                return known[1]  # type: ignore[no-any-return]
        entry = lists.match_session(
            self.session, sender if sender is not None else self.transaction.sender, self.now
        )
        if sender is None:
            answers[LISTED] = lists, entry
        return entry

    def tell(self, fact: object) -> None:
        """Tell a typed fact to the plugins that need it; it holds as long as this answer."""
        if type(fact) not in self._step.plugin.tells:
            raise PluginMistake(f"{type(fact).__name__} is not in `tells`")
        self._facts()[self._fact_key(type(fact))] = fact

    def fact(self, kind: type[F]) -> F | None:
        """Return the fact of this type that was told for this question, or None."""
        session, transaction = self.session, self._transaction
        of_mail = transaction is not None and not self._step.outlives_mail
        for key in (self._fact_key(kind), kind):
            if of_mail:
                if key in transaction.answers:  # type: ignore[union-attr]
                    return transaction.answers[key]  # type: ignore[no-any-return, union-attr]
                if key in transaction.facts:  # type: ignore[union-attr]
                    return transaction.facts[key]  # type: ignore[no-any-return, union-attr]
            if key in session.answers:
                return session.answers[key]  # type: ignore[no-any-return]
            if key in session.facts:
                return session.facts[key]  # type: ignore[no-any-return]
        return None

    def _facts(self) -> dict[Any, Any]:
        if self._step.outlives_mail or self._transaction is None:
            return self.session.answers
        return self._transaction.answers

    def _fact_key(self, kind: type) -> Any:
        """Facts hold for whom the answer holds: another domain must not see this domain's."""
        scope = self._step.plugin.scope
        if scope in (Scope.SESSION, Scope.GATEWAY):
            return kind
        if scope is Scope.RECIPIENT and self._target is not None:
            return ("fact", kind, self._target.address.key)  # holds also when it was rewritten
        return ("fact", kind, self.domain)

    # -- memory ---------------------------------------------------------------------------

    @property
    def state(self) -> BoundState:
        """Memory that may be lost, under the plugin's name and the domain."""
        step, state = self._step, self._tools.state
        bound: BoundState | None = step.state
        if bound is None or bound.state is not state:
            bound = step.state = BoundState.of(self._tool("state"), step.plugin.name, self._owner())
        return bound

    @property
    def records(self) -> BoundRecords:
        """Durable memory, listable, in the backup, under the plugin's name and the domain."""
        return BoundRecords(self._tool("records"), self._owner(), self._step.plugin.name)

    async def reserve(self, key: str, limit: int, lease: float = 600.0, record: Any = None) -> bool:
        """Count once if fewer than `limit` were counted; the pipeline settles it when the fate is known.

        False: all are used, or held by mail whose fate is not known yet (`records.count` tells). A mail
        counts once for a recipient that is named twice; one that is not accepted gives its count back.
        `record` is kept under the same key with the count that is used.
        """
        waiting = self.transaction.answers.setdefault(RESERVATIONS, [])
        place = (self._owner(), self._step.plugin.name, key)
        for target, held, _ in waiting:
            if (held.domain, held.plugin, held.key) == place and _final(target) == _final(self._target):
                return True
        held = await self._tool("records").reserve(*place, limit, lease)
        if held is None:
            return False
        waiting.append((self._target, held, record))
        return True

    def _owner(self) -> str:
        step = self._step
        if step.plugin.scope is Scope.SESSION:
            raise PluginMistake("Scope.SESSION has no state: domains must not share one")
        return "*" if step.domain_policy is None else step.domain_policy.domain

    # -- the outside world ----------------------------------------------------------------

    @property
    def dns(self) -> Dns:
        """The house's resolver: one cache, queries for the same name joined."""
        return self._tool("dns")  # type: ignore[no-any-return]

    async def know_host(self) -> Session:
        """Look up the client's rDNS names unless they are known; DnsFailure where nobody can say.

        For a check that is asked late; `needs_host` is for those that cannot do without.
        """
        session = self.session
        if not session.host_known:
            session.know_host(*await self.dns.hosts(session.client))
        return session

    async def verify_recipient(self, address: Address | None = None) -> str:
        """Ask the domain's own server whether it takes this recipient: `yes`, `no` or `unknown`."""
        address = address or self.recipient
        if address is None:
            raise PluginMistake("no recipient to verify")
        answer = await self._tool("verify_recipient")(self.policy, address, self.session.client)
        return str(answer)

    @property
    def stream(self) -> Callable[[str], AbstractAsyncContextManager[tuple[StreamReader, StreamWriter]]]:
        """`async with ctx.stream("unix:/path") as (reader, writer)`: a connection to a scanner."""
        return self._tool("stream")  # type: ignore[no-any-return]

    @property
    def http(self) -> Callable[..., Awaitable[HttpAnswer]]:
        """`await ctx.http("POST", url, headers, body)`: one bounded request."""
        return self._tool("http")  # type: ignore[no-any-return]

    async def in_worker(
        self, function: Callable[..., F], *arguments: Any, seconds: float = 0.0, counted: bool = True
    ) -> F:
        """Run heavy work in a process that is killed after so many seconds, or at the plugin's limit.

        A message that killed it may be poison and is counted, but where the check answers for that itself.
        """
        # A little less than the whole limit of the hook: so it is known what took so long.
        limit = seconds or ALMOST * self._step.plugin.timeout
        await sleep(0)  # a hook that is driven without a task gets one here: the time limit needs it
        try:
            result: F = await self._tool("in_worker")(function, *arguments, timeout=limit)
        except Killed as killed:
            if counted and self._transaction is not None:
                note(self._transaction.facts, self._step.plugin.name, killed)
            raise
        return result

    @property
    def models(self) -> Any:
        """What the domains' people taught (gatepost.store.models.Models); ImportError without numpy."""
        return self._tool("models")()

    def scanner(self, name: str) -> tuple[str, ...]:
        """Return where a scanner is, by gatepost.toml; () where it is nowhere."""
        address = self._tools.scanners.get(name, "")
        return (address,) if address else ()

    @property
    def commands(self) -> Any:
        """Filters that run as commands (gatepost.plugin.commands.Commands)."""
        return self._tool("commands")

    @property
    def teacher(self) -> Teacher:
        """Learns from mail to the training addresses."""
        return self._tool("teacher")  # type: ignore[no-any-return]

    @property
    def has_workers(self) -> bool:
        """Whether `in_worker` is there: not where one mail is tried at the command line."""
        return self._tools.in_worker is not None

    def alert(self, text: str) -> None:
        """Tell the administrator: into the log, counted."""
        self._tools.alert(self._step.plugin.name, text)

    def _tool(self, name: str) -> Any:
        tool = getattr(self._tools, name)
        if tool is None:
            raise ToolMissing(f"ctx.{name} is not available here")
        return tool


def _final(target: Recipient | None) -> Address | None:
    return target.final if target is not None else None
