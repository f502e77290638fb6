"""Who is asked, in which order, how often, and for whom the answer holds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Reject, Rewrite, Score
from gatepost.plugin.base import Cost, Plugin, Scope
from gatepost.plugin.bench import Bench, Case, watching
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, decide_recipient
from gatepost.policy.lists import Entry, Lists
from gatepost.policy.policy import Action, Mode
from tests.cost import assert_cheap
from tests.plugin.stage import Mail, ask, counting, make_plugin

MESSAGE = Message(b"Subject: hello\r\n\r\n", b"Subject: hello\r\n\r\nbody\r\n")


# -- memory of answers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hook_name", "scope", "expected"),
    [
        ("connect", Scope.SESSION, [1, 1, 1, 1]),
        ("helo", Scope.SESSION, [1, 1, 1, 1]),
        ("mail", Scope.SESSION, [1, 1, 1, 2]),
        ("connect", Scope.DOMAIN, [1, 1, 2, 2]),
        ("helo", Scope.DOMAIN, [1, 1, 2, 2]),
        ("mail", Scope.DOMAIN, [1, 1, 2, 3]),
        ("rcpt", Scope.DOMAIN, [1, 2, 3, 4]),
        ("rcpt", Scope.SESSION, [1, 2, 3, 4]),
        ("connect", Scope.RECIPIENT, [1, 2, 3, 4]),
    ],
)
def test_how_often(hook_name: str, scope: Scope, expected: list[int]) -> None:
    """Two recipients of a domain, one of another with equal settings, and one in the next transaction."""
    hook, asked = counting(Score(1, "odd"))
    bench = Bench([make_plugin(**{hook_name: hook, "scope": scope})])
    one, two = bench.policy("example.org"), bench.policy("second.example")
    mail = Mail(bench)
    times: list[int] = []
    for policy, local in ((one, "ann"), (one, "bob"), (two, "ann"), (one, "ann")):
        if len(times) == 3:
            mail.again()
        findings = mail.rcpt(policy, local)
        assert [Score(1, "odd")] == [f.verdict for f in findings]
        times.append(len(asked))
        assert findings[0].remembered is (len(times) > 1 and times[-1] == times[-2])
    assert expected == times


def test_other_settings_are_asked_again() -> None:
    """Equal settings share an answer, other settings never do."""
    registry = load(entries=False)
    bench = Bench(registry)
    lax = bench.policy("a.example", {"helo_name": {"mode": "on", "refuse_private_names": False}})
    strict = bench.policy("b.example", {"helo_name": {"mode": "on"}})
    mail = Mail(bench, Case(helo="host.lan"))
    said = [
        [f.verdict for f in mail.rcpt(policy) if f.plugin == "helo_name"] for policy in (lax, strict, lax)
    ]
    assert [
        [None],
        [Reject("HELO name is private", "Your server gives a HELO name that is not its own")],
        [None],
    ] == said


def test_new_helo_forgets() -> None:
    """What was said of one HELO name does not hold for the next."""
    hook, asked = counting()
    bench = Bench([make_plugin(helo=hook)])
    mail = Mail(bench)
    mail.rcpt(bench.policy())
    mail.session.helo = "other.example.net"
    mail.rcpt(bench.policy())
    assert 2 == len(asked)


def test_failure_holds_for_one_mail() -> None:
    """A check that failed is not asked again for each recipient, but for the next mail."""
    asked: list[Any] = []

    def connect(_self: Plugin, ctx: Any) -> None:
        asked.append(ctx)
        raise ValueError("broken")

    bench = Bench([make_plugin(connect=connect)])
    mail = Mail(bench)
    policy = bench.policy()
    said = [mail.rcpt(policy, local)[0].failure for local in ("ann", "bob")]
    assert ["ValueError: broken"] * 2 == said
    assert 1 == len(asked)
    mail.again()
    mail.rcpt(policy)
    assert 2 == len(asked)
    assert {"probe": 2} == bench.pipeline.failures


def test_answer_under_each_switch() -> None:
    """One answer, two domains: each has its own mode and action."""
    hook, asked = counting(Reject("bad name"))
    bench = Bench([make_plugin(helo=hook, scope=Scope.SESSION)])
    mail = Mail(bench)
    (first,) = mail.rcpt(bench.policy("a.example", {"probe": {"mode": "watch"}}))
    (second,) = mail.rcpt(bench.policy("b.example", {"probe": {"action": "quarantine"}}))
    assert 1 == len(asked)
    assert (Mode.WATCH, Action.REJECT) == (first.mode, first.action)
    assert (Mode.ON, Action.QUARANTINE) == (second.mode, second.action)
    assert second.remembered


# -- modes and lists ---------------------------------------------------------------------------


def test_off() -> None:
    """Off is not asked."""
    hook, asked = counting(Reject("x"))
    bench = Bench([make_plugin(helo=hook)])
    assert [] == ask(bench, bench.policy("example.org", {"probe": {"mode": "off"}}))
    assert [] == asked


def test_watch() -> None:
    """Watch runs and is written down, and never acts."""
    hook, asked = counting(Reject("would be refused"))
    bench = Bench([make_plugin(helo=hook)])
    policy = watching(bench.policy(), "probe")
    (finding,) = ask(bench, policy)
    assert 1 == len(asked)
    assert Mode.WATCH is finding.mode
    outcome = decide_recipient(policy, [finding], None)
    assert Fate.ACCEPT is outcome.fate
    assert ("probe",) == outcome.watched


def entry(kind: str, field: str, value: str, plugin: str = "probe") -> Entry:
    return Entry(1, kind, field, value, plugin)


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        (Lists([entry("allow", "ip", "192.0.2.1")]), "ip 192.0.2.1"),
        (Lists([entry("allow", "net", "192.0.2.0/24")]), "net 192.0.2.0/24"),
        (Lists([entry("allow", "sender", "sender@example.net")]), "sender sender@example.net"),
        (Lists([entry("allow", "host", "mail.example.net")]), "host mail.example.net"),
        (Lists([entry("allow", "ip", "192.0.2.9")]), ""),
        (Lists([entry("deny", "ip", "192.0.2.1")]), ""),
        (Lists([entry("allow", "net", "192.0.2.0/24"), entry("deny", "ip", "192.0.2.1")]), ""),
    ],
)
def test_own_allow_list(lists: Lists, expected: str) -> None:
    """An entry made for this check alone leads past it and past no other."""
    bench = Bench(
        [
            make_plugin("Probe", helo=counting(Reject("bad name"))[0]),
            make_plugin("Other", helo=counting(Reject("bad too"))[0]),
        ]
    )
    policy = bench.policy("example.org", {"probe": {"lists": lists}})
    findings = ask(bench, policy, Case(host="mail.example.net"))
    by_name = {f.plugin: f.allowed_by for f in findings}
    assert {"probe": expected, "other": ""} == by_name
    assert (
        "other"
        == decide_recipient(policy, [f for f in findings if f.allowed_by or f.plugin == "other"], None).plugin
    )


def test_own_list_does_not_help_the_unknown() -> None:
    """A plugin without a list of its own (recipients) is not led past."""
    bench = Bench([make_plugin(rcpt=counting(Reject("x"))[0], own_list=False)])
    policy = bench.policy("example.org", {"probe": {"lists": Lists([entry("allow", "ip", "192.0.2.1")])}})
    assert [""] == [f.allowed_by for f in ask(bench, policy)]


def test_host_is_looked_up_when_a_list_needs_it() -> None:
    """A list by host name has the client's rDNS looked up once; without one nothing is asked of DNS."""
    zone = Zone("1.2.0.192.in-addr.arpa PTR mail.example.net\nmail.example.net A 192.0.2.1")
    bench = Bench([make_plugin(helo=counting(Reject("x"))[0])], Tools(dns=zone))
    case = Case()
    session = case.session()
    session.host_known = False
    plain = bench.policy("a.example")
    asyncio.run(bench.ask(plain, case, session))
    assert [] == zone.asked
    listed = bench.policy(
        "b.example", {"probe": {"lists": Lists([entry("allow", "host", "mail.example.net")])}}
    )
    findings = asyncio.run(bench.ask(listed, case, session))
    assert ["host mail.example.net"] == [f.allowed_by for f in findings]
    assert ("mail.example.net", True, True) == (session.host, session.host_confirmed, session.host_known)
    asked = len(zone.asked)
    asyncio.run(bench.ask(listed, case, session))
    assert asked == len(zone.asked)


def test_host_that_cannot_be_looked_up() -> None:
    """No rDNS now: the mail goes on, the name stays unknown."""
    bench = Bench(
        [make_plugin(helo=counting()[0], needs_host=True)], Tools(dns=Zone("1.2.0.192.in-addr.arpa FAIL"))
    )
    session = Case().session()
    session.host, session.host_known = None, False
    findings = asyncio.run(bench.ask(bench.policy(), None, session))
    assert [None] == [f.verdict for f in findings]
    assert not session.host_known


# -- address -----------------------------------------------------------------------------------


def rewritten(to: str, waits: bool = False, **words: Any) -> tuple[str, list[str]]:
    async def slowly(_self: Plugin, _ctx: Any) -> Rewrite:
        await asyncio.sleep(0)
        return Rewrite(to)

    bench = Bench([make_plugin(address=slowly if waits else counting(Rewrite(to))[0])])
    policy = bench.policy("example.org", {"probe": words})
    assert bench.pipeline.rewrites(policy)
    address = parse_address("prvs=0123abcdef=ann@example.org")
    recipient = Recipient(address, address, policy=policy)
    case = Case()
    answer = bench.pipeline.run_address(case.session(), case.transaction(), recipient, policy)
    assert waits is not isinstance(answer, list)
    findings = answer if isinstance(answer, list) else asyncio.run(answer)
    return str(recipient.final), [f.failure for f in findings]


@pytest.mark.parametrize("waits", [False, True])
def test_rewrite(waits: bool) -> None:
    """The recipient is really another of the same domain; a bad or foreign address is a failure."""
    assert ("ann@example.org", [""]) == rewritten("ann@example.org", waits)
    unchanged = "prvs=0123abcdef=ann@example.org"
    assert (unchanged, ["rewrote to another domain: other.example"]) == rewritten("ann@other.example", waits)
    assert rewritten("not an address", waits)[0] == unchanged
    assert (unchanged, [""]) == rewritten("ann@example.org", waits, mode="watch")


def test_rewrite_behind_one_that_waits() -> None:
    """Who comes behind a check that waits is asked, too, and of two the last one counts."""

    async def slowly(_self: Plugin, _ctx: Any) -> Rewrite:
        await asyncio.sleep(0)
        return Rewrite("bob@example.org")

    bench = Bench(
        [
            make_plugin("Aaa", address=slowly),
            make_plugin("Bbb", address=counting(Rewrite("cy@example.org"))[0]),
        ]
    )
    policy = bench.policy("example.org")
    address = parse_address("ann@example.org")
    recipient = Recipient(address, address, policy=policy)
    answer = bench.pipeline.run_address(Case().session(), Case().transaction(), recipient, policy)
    assert not isinstance(answer, list)
    findings = asyncio.run(answer)
    assert ["aaa", "bbb"] == [f.plugin for f in findings]
    assert "cy@example.org" == str(recipient.final)


# -- the message -------------------------------------------------------------------------------


def run_message(bench: Bench, recipients: list[Recipient], message: Message = MESSAGE) -> list[Any]:
    case = Case()
    transaction = case.transaction()
    transaction.recipients.extend(recipients)
    findings = asyncio.run(bench.pipeline.run_message(case.session(), transaction, recipients, message))
    return [[f.verdict for f in one] for one in findings]


def to(policy: Any, local: str = "ann", **words: Any) -> Recipient:
    address = parse_address(f"{local}@{policy.domain}")
    return Recipient(address, address, policy=policy, **words)


@pytest.mark.parametrize(("scope", "times"), [(Scope.SESSION, 2), (Scope.DOMAIN, 3), (Scope.RECIPIENT, 4)])
def test_message_once_per_settings(scope: Scope, times: int) -> None:
    """Four recipients, two domains with equal settings and one mailbox with others."""
    hook, asked = counting(Score(1, "x"))

    class Settings(load(entries=False)["helo_name"].plugin.settings):  # type: ignore[misc]
        """Any settings."""

    bench = Bench([make_plugin(message=hook, scope=scope, settings=Settings)])
    one, two = bench.policy("a.example"), bench.policy("b.example")
    other = bench.policy("a.example", {"probe": {"refuse_literals": True}})
    said = run_message(bench, [to(one), to(one, "bob"), to(two), to(other, "eve")])
    assert [[Score(1, "x")]] * 4 == said
    assert times == len(asked)


def test_headers_then_message() -> None:
    """Both hooks are asked, headers first; a refusal at headers spares a dearer look at the body."""
    order: list[str] = []

    def headers(_self: Plugin, ctx: Any) -> Any:
        order.append("headers")
        return Reject("bad subject") if ctx.message.subject == "hello" else None

    def message(_self: Plugin, ctx: Any) -> Any:
        order.append(f"message {len(ctx.message.body)}")

    bench = Bench([make_plugin("Head", headers=headers), make_plugin("Body", message=message, cost=Cost.CPU)])
    assert [[Reject("bad subject", "Not accepted here")]] == run_message(bench, [to(bench.policy())])
    assert ["headers"] == order
    good = Message(b"Subject: other\r\n\r\n", b"Subject: other\r\n\r\nbody\r\n")
    assert [[None, None]] == run_message(bench, [to(bench.policy())], good)
    assert ["headers", "headers", "message 24"] == order


def test_one_refuses_the_other_is_asked_on() -> None:
    """What one domain's cheap check refused is still looked at for the other domain."""
    dear, asked = counting(Score(1, "x"))
    bench = Bench(
        [
            make_plugin("Cheap", headers=counting(Reject("no"))[0]),
            make_plugin("Dear", message=dear, cost=Cost.NETWORK),
        ]
    )
    one = bench.policy("a.example")
    two = bench.policy("b.example", {"cheap": {"mode": "off"}})
    said = run_message(bench, [to(one), to(two)])
    assert [[Reject("no", "Not accepted here")], [Score(1, "x")]] == said
    assert 1 == len(asked)


def test_postmaster_is_spared_all_but_viruses() -> None:
    """An exempt recipient's copy is seen only by checks that nothing leads past (CONTRACT 4)."""
    bench = Bench(
        [
            make_plugin("Spam", message=counting(Reject("spam"))[0]),
            make_plugin("Virus", message=counting(Reject("virus"))[0], unskippable=True, cost=Cost.NETWORK),
        ]
    )
    policy = bench.policy()
    (said,) = run_message(bench, [to(policy, "postmaster", exempt=True)])
    assert [Reject("virus", "Not accepted here")] == said


def test_who_reads_what() -> None:
    """The server asks before it builds a message, or joins its body."""
    head = make_plugin("Head", headers=counting()[0])
    body = make_plugin("Body", message=counting()[0])
    for plugins, message, whole in (([head], True, False), ([body], True, True), ([], False, False)):
        bench = Bench([make_plugin("Other", helo=counting()[0]), *plugins])
        policy = bench.policy()
        assert message is bench.pipeline.reads_message(policy)
        assert whole is bench.pipeline.reads_body([to(policy)])


def test_shipped_plugins_read_no_message() -> None:
    """At their defaults the shipped plugins are done at RCPT."""
    bench = Bench(load(entries=False))
    assert not bench.pipeline.reads_message(bench.policy())
    assert not bench.pipeline.rewrites(bench.policy())


# -- cost --------------------------------------------------------------------------------------


def test_cost_of_the_defaults() -> None:
    """The five shipped plugins at their defaults cost microseconds.

    Measured 5 for the first recipient and 2 for the next; the bound here leaves room for a busy machine.
    """
    bench = Bench(load(entries=False))
    policy = bench.policy()
    mail = Mail(bench)

    def first() -> None:
        for _ in range(2_000):
            mail.session.answers.clear()
            mail.rcpt(policy)

    assert_cheap(2_000 * 60e-6, first)
    assert_cheap(2_000 * 60e-6, lambda: [mail.rcpt(policy) for _ in range(2_000)])
