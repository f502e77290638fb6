"""What a plugin may see, and what would be a wrong answer for somebody else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Score
from gatepost.plugin.base import Cost, Plugin, Scope
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.context import client_net
from gatepost.plugin.hooks import HOOKS
from gatepost.plugin.tools import Tools
from gatepost.policy.lists import Entry, Lists
from tests.plugin.stage import Mail, ask, make_plugin


@dataclass
class Fact:
    text: str


def test_facts() -> None:
    """Who needs a fact is asked after who tells it, whatever they cost and are called."""

    async def tell(_self: Plugin, ctx: Any) -> None:
        await asyncio.sleep(0)
        ctx.tell(Fact(ctx.session.client))

    def use(_self: Plugin, ctx: Any) -> Any:
        fact = ctx.fact(Fact)
        return Score(1, fact.text if fact else "nothing was told")

    for scope in (Scope.SESSION, Scope.DOMAIN, Scope.RECIPIENT):
        bench = Bench(
            [
                make_plugin("Aaa", helo=use, needs=(Fact,), scope=scope),
                make_plugin("Zzz", mail=tell, tells=(Fact,), scope=scope, cost=Cost.NETWORK),
            ]
        )
        said = {f.plugin: f.verdict for f in ask(bench)}
        expected = "nothing was told" if scope is not Scope.RECIPIENT else "192.0.2.1"
        # helo holds for the session and cannot see what holds for one mail.
        assert Score(1, expected) == said["aaa"]
        bench = Bench(
            [
                make_plugin("Aaa", rcpt=use, needs=(Fact,), scope=scope),
                make_plugin("Zzz", mail=tell, tells=(Fact,), scope=scope, cost=Cost.NETWORK),
            ]
        )
        assert Score(1, "192.0.2.1") == {f.plugin: f.verdict for f in ask(bench)}["aaa"]


def test_facts_of_one_domain() -> None:
    """A fact that one domain's settings made is not seen by another domain."""

    def tell(_self: Plugin, ctx: Any) -> None:
        ctx.tell(Fact(ctx.domain))

    def use(_self: Plugin, ctx: Any) -> Any:
        return Score(1, ctx.fact(Fact).text)

    bench = Bench([make_plugin("Aaa", mail=tell, tells=(Fact,)), make_plugin("Bbb", rcpt=use, needs=(Fact,))])
    mail = Mail(bench)
    for domain in ("a.example", "b.example", "a.example"):
        assert Score(1, domain) == mail.rcpt(bench.policy(domain))[-1].verdict


def seen(expression: str, hook_name: str = "rcpt", tools: Tools | None = None, **words: Any) -> Any:
    """Return what a plugin gets for an expression over `ctx`, or the failure that it is."""
    said: list[Any] = []

    def hook(_self: Plugin, ctx: Any) -> None:
        said.append(eval(expression, {"ctx": ctx, "address": parse_address}))

    async def waiting_hook(_self: Plugin, ctx: Any) -> None:
        said.append(await eval(expression.removeprefix("await "), {"ctx": ctx, "address": parse_address}))

    case = words.pop("case", None) or Case()
    lists = words.pop("lists", Lists.EMPTY)
    function = waiting_hook if expression.startswith("await ") else hook
    bench = Bench([make_plugin(**{hook_name: function, **words})], tools)
    (finding,) = ask(bench, bench.policy(lists=lists), case)
    return said[0] if said else finding.failure


def test_facts_of_the_mail() -> None:
    """The words of the promise (ARCHITECTURE 3)."""
    assert "192.0.2.1" == seen("ctx.session.client")
    assert "sender@example.net" == str(seen("ctx.sender"))
    assert seen("ctx.sender", case=Case(sender="")) is None
    assert "ann@example.org" == str(seen("ctx.recipient"))
    assert "valid" == seen("ctx.recipient_row.kind")
    assert seen("ctx.recipient_row", case=Case(row=None)) is None
    assert ["ann@example.org"] == [str(r) for r in seen("ctx.recipients")]
    assert "example.org" == seen("ctx.domain")
    assert "list" == seen("ctx.policy.recipients")
    assert seen("ctx.now") > 1_700_000_000
    assert "mx.example.org" == seen("ctx.hostname", tools=Tools(hostname="mx.example.org"))
    assert seen("ctx.settings") is not None
    assert seen("ctx.outcome") is None


@pytest.mark.parametrize("hook_name", ["connect", "helo"])
@pytest.mark.parametrize("expression", ["ctx.sender", "ctx.transaction", "ctx.recipients"])
def test_session_hooks_see_no_mail(hook_name: str, expression: str) -> None:
    """Their answer holds for the next mail too, so looking at this one is the plugin's mistake."""
    expected = f"PluginMistake: the hook {hook_name} holds for the session and cannot see one mail"
    assert expected == seen(expression, hook_name)


@pytest.mark.parametrize("hook_name", ["connect", "helo", "mail"])
def test_shared_answers_see_no_recipient(hook_name: str) -> None:
    """An answer for all recipients of a domain must not be made of one; with the right scope it may."""
    assert seen("ctx.recipient", hook_name) is None
    assert "is not asked about one recipient" in seen("ctx.recipient_row", hook_name)
    assert "ann@example.org" == str(seen("ctx.recipient", hook_name, scope=Scope.RECIPIENT))
    assert "valid" == seen("ctx.recipient_row.kind", hook_name, scope=Scope.RECIPIENT)


def test_session_scope_has_no_domain() -> None:
    """An answer that domains share must not be made of one domain's policy, nor keep a memory."""
    tools = Tools(state=object(), records=object())
    for expression in ("ctx.domain", "ctx.policy", "ctx.list_entry()"):
        assert "Scope.SESSION has no domain" in seen(expression, "helo", scope=Scope.SESSION)
    for expression in ("ctx.state", "ctx.records"):
        said = seen(expression, "helo", tools, scope=Scope.SESSION)
        assert "PluginMistake: Scope.SESSION has no state: domains must not share one" == said


def test_telling_what_was_not_announced() -> None:
    """The order is made of `tells`, so an unannounced fact is a mistake."""
    assert "PluginMistake: str is not in `tells`" == seen("ctx.tell('x')")


@pytest.mark.parametrize(
    ("client", "networks", "expected"),
    [
        ("192.0.2.1", ["192.0.2.0/24"], True),
        ("192.0.2.1", ["192.0.2.1"], True),
        ("192.0.2.1", ["2001:db8::/32", "198.51.100.0/24"], False),
        ("2001:db8::1", ["2001:db8::/32"], True),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("unix", ["0.0.0.0/0", "::/0"], False),
        ("192.0.2.1", [], False),
    ],
)
def test_client_in(client: str, networks: list[str], expected: bool) -> None:
    """A client in networks, both families; a client without an address is in none."""
    assert expected is seen(f"ctx.client_in({networks})", case=Case(client=client))


def test_list_entry() -> None:
    """The entry that decides about this mail, or about another sender's address."""
    lists = Lists([Entry(1, "deny", "sender", "eve@example.net")])
    assert seen("ctx.list_entry()", lists=lists) is None
    assert 1 == seen("ctx.list_entry(address('eve@example.net'))", lists=lists).id


@pytest.mark.parametrize(
    "expression",
    [
        "ctx.dns",
        "ctx.state",
        "ctx.records",
        "ctx.stream",
        "ctx.http",
        "await ctx.verify_recipient()",
        "await ctx.in_worker(len, 'x')",
        "await ctx.reserve('x', 1)",
    ],
)
def test_missing_tool(expression: str) -> None:
    """A tool that is not there is a failure of the check that says which one."""
    said = seen(expression)
    assert said.startswith("ToolMissing: ctx.")
    assert said.endswith(" is not available here")


def test_context_of_who_waits() -> None:
    """A plugin that waits keeps its own context while others are asked."""

    async def waits(_self: Plugin, ctx: Any) -> Any:
        before = (ctx.settings, ctx.domain)
        await asyncio.sleep(0.01)
        return Score(1, str(before == (ctx.settings, ctx.domain)))

    def quick(_self: Plugin, ctx: Any) -> Any:
        return Score(2, ctx.domain)

    bench = Bench(
        [
            make_plugin("Aaa", connect=waits, cost=Cost.DNS),
            make_plugin("Bbb", rcpt=quick, cost=Cost.DNS),
            make_plugin("Ccc", rcpt=waits, cost=Cost.DNS, timeout=3),
        ]
    )
    said = {f.plugin: f.verdict for f in ask(bench)}
    assert {"aaa": Score(1, "True"), "bbb": Score(2, "example.org"), "ccc": Score(1, "True")} == said


def test_every_hook_has_a_context() -> None:
    """`done` sees the outcome and the recipient; the address hook sees the address as given."""
    assert {"address", "rcpt", "done"} <= set(HOOKS)
    said: list[str] = []

    def address(_self: Plugin, ctx: Any) -> None:
        said.append(f"address {ctx.recipient}")

    bench = Bench([make_plugin(address=address)])
    policy = bench.policy()
    where = parse_address("ann+shop@example.org")
    case = Case()
    recipient = Recipient(where, where, policy=policy)
    answer = bench.pipeline.run_address(case.session(), case.transaction(), recipient, policy)
    assert isinstance(answer, list)
    assert ["address ann+shop@example.org"] == said


@pytest.mark.parametrize(
    ("client", "lengths", "expected"),
    [
        ("192.0.2.7", (), "192.0.2.7"),
        ("192.0.2.7", (24, 64), "192.0.2.0/24"),
        ("2001:db8::7", (), "2001:db8::/64"),
        ("2001:db8:1::7", (24, 48), "2001:db8:1::/48"),
        ("fe80::1%eth0", (), "fe80::/64"),
        ("unknown", (24, 64), "unknown"),
        ("", (), ""),
    ],
)
def test_client_net(client: str, lengths: tuple[int, ...], expected: str) -> None:
    """What counts as one client; who has no address stands for itself."""
    assert expected == client_net(client, *lengths)
