"""Run plugins alone: for `gatepost plugin try` and for tests.

A bench makes what the server would make (session, transaction, policy) out of a few words and
puts it through the real pipeline, so that what is seen here is what happens on port 25.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gatepost.mail.address import Address, parse_address
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Verdict
from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.hooks import faults
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.registry import Loaded, PluginError, Registry, explain_faults
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Finding
from gatepost.policy.lists import Lists
from gatepost.policy.policy import Action, DomainPolicy, Mode, OnFailure, PluginPolicy
from gatepost.policy.source import RecipientRow


@dataclass(slots=True)
class Case:
    """One mail, in the words in which a person would tell of it."""

    client: str = "192.0.2.1"
    helo: str = "mail.example.net"
    host: str | None = None
    sender: str = "sender@example.net"
    """"" is the null sender."""
    recipient: str = "ann@example.org"
    early: bool = False
    row: Any = field(default_factory=lambda: RecipientRow("ann"))
    """What the store knows of the recipient; None: nothing."""

    def session(self) -> Session:
        """Return the session as the server would have it at the first RCPT."""
        session = Session("TRY0000000000", self.client, helo=self.helo, esmtp=True, early=self.early)
        session.host, session.host_known, session.host_confirmed = self.host, True, self.host is not None
        return session

    def transaction(self) -> Transaction:
        """Return the transaction after MAIL."""
        sender: Address | None = parse_address(self.sender) if self.sender else None
        return Transaction("TRY0000000000.1", sender)


class Bench:
    """A registry, its pipeline, and policies made by hand."""

    def __init__(
        self,
        plugins: Registry | Iterable[Plugin | type[Plugin]],
        tools: Tools | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.registry = plugins if isinstance(plugins, Registry) else Registry(map(_found, plugins))
        self.tools = tools if tools is not None else Tools()
        self.pipeline = Pipeline(self.registry, self.tools, clock)

    def policy(
        self,
        domain: str = "example.org",
        switches: Mapping[str, Mapping[str, Any]] | None = None,
        recipients: str = "list",
        lists: Lists = Lists.EMPTY,
        everything: Mode | None = None,
    ) -> DomainPolicy:
        """Return a policy. `switches`: plugin -> {mode, action, on_failure, lists, and its own settings}.

        ValueError says what is wrong with the settings. `everything`: the mode of all other plugins.
        """
        plugins = {
            loaded.name: plugin_policy(loaded, (switches or {}).get(loaded.name, {}), everything)
            for loaded in self.registry
        }
        return DomainPolicy(
            domain=domain,
            version=1,
            routes=(),
            recipients=recipients,
            refuse_at="rcpt",
            refuse_unknown_at="rcpt",
            on_backend_down="defer",
            mixed="hold",
            keep_days=30,
            tag_at=5.0,
            quarantine_at=None,
            reject_at=15.0,
            bypass=False,
            subjects=True,
            plugins=plugins,
            lists=lists,
        )

    async def ask(
        self,
        policy: DomainPolicy,
        case: Case | None = None,
        session: Session | None = None,
        transaction: Transaction | None = None,
    ) -> list[Finding]:
        """Return what the checks say at RCPT; with a session or transaction, what they say further on."""
        case = case or Case()
        session = session or case.session()
        transaction = transaction or case.transaction()
        address = parse_address(case.recipient)
        recipient = Recipient(address, address, policy=policy)
        transaction.recipients.append(recipient)
        answer = self.pipeline.run_recipient(session, transaction, recipient, policy, case.row)
        return answer if isinstance(answer, list) else await answer

    async def ask_message(
        self, policy: DomainPolicy, message: Any, case: Case | None = None
    ) -> list[Finding]:
        """Return what the checks say of a message (gatepost.mail.message.Message)."""
        case = case or Case()
        address = parse_address(case.recipient)
        recipient = Recipient(address, address, policy=policy)
        transaction = case.transaction()
        transaction.recipients.append(recipient)
        return (await self.pipeline.run_message(case.session(), transaction, [recipient], message))[0]


@dataclass(frozen=True, slots=True)
class Tried:
    """What one plugin said about one mail."""

    findings: Sequence[Finding]

    @property
    def verdicts(self) -> list[Verdict]:
        """Verdicts only, in the order in which they were given."""
        return [f.verdict for f in self.findings if f.verdict is not None]


async def try_plugin(
    loaded: Loaded,
    settings: Mapping[str, Any],
    case: Case,
    message: Any = None,
    tools: Tools | None = None,
) -> Tried:
    """Put one mail through one plugin, switched on. ValueError: wrong settings; PluginError: did not load."""
    if loaded.error:
        raise PluginError(loaded.error)
    bench = Bench(Registry([(loaded.name, loaded.plugin, loaded.origin, "")]), tools)
    domain = parse_address(case.recipient).domain
    policy = bench.policy(domain, {loaded.name: {"mode": "on", **settings}})
    if loaded.plugin.scope is Scope.GATEWAY:
        return Tried(_ask_gateway(bench, policy, case))
    findings = await bench.ask(policy, case)
    if message is not None and bench.pipeline.reads_message(policy):
        findings += await bench.ask_message(policy, message, case)
    return Tried(findings)


def _ask_gateway(bench: Bench, policy: DomainPolicy, case: Case) -> list[Finding]:
    pipeline, session, transaction = bench.pipeline, case.session(), case.transaction()
    pipeline.configure_gateway(policy)
    address = parse_address(case.recipient)
    said = (
        ("connect", pipeline.gateway_connect(session)),
        ("mail", pipeline.gateway_mail(session, transaction)),
        ("rcpt", pipeline.gateway_rcpt(session, transaction, Recipient(address, address))),
    )
    (loaded,) = bench.registry
    return [Finding(loaded.name, hook, v, Mode.ON, Action.REJECT) for hook, v in said]


def plugin_policy(
    loaded: Loaded, switches: Mapping[str, Any], everything: Mode | None = None
) -> PluginPolicy:
    """Return a plugin under given switches and settings; ValueError says what is wrong."""
    own = dict(switches)
    plugin = loaded.plugin
    mode = Mode(own.pop("mode", everything or plugin.default_mode))
    action = Action(own.pop("action", plugin.default_action))
    on_failure = OnFailure(own.pop("on_failure", plugin.on_failure))
    lists = own.pop("lists", Lists.EMPTY)
    try:
        settings = plugin.settings.model_validate(own)
    except ValueError as error:
        raise ValueError("; ".join(explain_faults(loaded.name, plugin.settings, error))) from error
    return PluginPolicy(loaded.name, mode, action, on_failure, settings, repr(settings), lists)


def watching(policy: DomainPolicy, name: str) -> DomainPolicy:
    """Return the same policy with one plugin on watch."""
    plugins = dict(policy.plugins)
    plugins[name] = replace(plugins[name], mode=Mode.WATCH)
    return replace(policy, plugins=plugins, cache={})


def _found(plugin: Plugin | type[Plugin]) -> tuple[str, Plugin, str, str]:
    one = plugin() if isinstance(plugin, type) else plugin
    wrong = faults(type(one))
    if wrong:
        raise PluginError("; ".join(wrong))
    return one.name, one, "bench", ""
