"""Entries of each kind refuse whom they name; what decides among several is the lists' one rule."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.message import Message
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.plugins.deny_list import from_addresses
from gatepost.policy.lists import Entry, Lists, parse_entry
from tests.cost import assert_cheap

REGISTRY = load(entries=False)


def entry(text: str, kind: str = "deny", **words: Any) -> Entry:
    return Entry(1, kind, *parse_entry(text), **words)


def reason(lists: Lists, case: Case | None = None) -> str | None:
    """Return why a client is refused."""
    bench = Bench(REGISTRY)
    findings = asyncio.run(bench.ask(bench.policy("example.org", lists=lists), case))
    (finding,) = [f for f in findings if f.plugin == "deny_list"]
    assert "" == finding.failure
    return getattr(finding.verdict, "reason", None)


CASE = Case(client="192.0.2.1", host="mail.spam.com.br", helo="friend.example", sender="Eve@Sub.Example.net")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "client address 192.0.2.1 is on the deny list"),
        ("192.0.2.0/24", "client network 192.0.2.0/24 is on the deny list"),
        ("host:mail.spam.com.br", "client host mail.spam.com.br is on the deny list"),
        (".br", "client hosts under .br are on the deny list"),
        ("tld:com.br", "client hosts under .com.br are on the deny list"),
        ("helo:friend.example", "HELO name friend.example is on the deny list"),
        ("eve@sub.example.net", "sender eve@sub.example.net is on the deny list"),
        ("sub.example.net", "sender domain sub.example.net is on the deny list"),
        ("example.net", "sender domain example.net is on the deny list"),
        ("192.0.2.2", None),
        ("192.0.3.0/24", None),
        (".ru", None),
        ("host:spam.com.br", None),
        ("bob@sub.example.net", None),
        ("ple.net", None),
    ],
)
def test_kinds(text: str, expected: str | None) -> None:
    """The table of CONTRACT 6, and names that are only near."""
    assert expected == reason(Lists([entry(text)]), CASE)


def test_note() -> None:
    """The owner reads his own note again."""
    said = reason(Lists([entry("192.0.2.1", note="casino, third time")]), CASE)
    assert "client address 192.0.2.1 is on the deny list: casino, third time" == said


def test_expired() -> None:
    """An entry that has expired is no entry."""
    assert reason(Lists([entry("192.0.2.1", expires=1.0)]), CASE) is None


def test_more_exact_allow() -> None:
    """An allow entry for the address beats a deny entry for its network."""
    assert reason(Lists([entry("192.0.2.0/24"), entry("192.0.2.1", "allow")]), CASE) is None


def test_forged_sender_does_not_help() -> None:
    """Precedence 6: an allow entry for an unproven sender never beats a deny entry for the client."""
    lists = Lists([entry("192.0.2.0/24"), entry("eve@sub.example.net", "allow")])
    assert reason(lists, CASE) is not None


def test_null_sender() -> None:
    """A bounce has no sender to be on a list, but a client."""
    bounce = Case(client="192.0.2.1", sender="")
    assert reason(Lists([entry("example.net")]), bounce) is None
    assert reason(Lists([entry("192.0.2.1")]), bounce) is not None


def test_nothing_listed() -> None:
    """Without entries it is not even asked."""
    bench = Bench(REGISTRY)
    policy = bench.policy()
    plan = bench.pipeline.plan(policy)
    assert "deny_list" not in {s.plugin.name for group in plan.recipient for s in group}
    assert reason(Lists.EMPTY, CASE) is None


def test_mailbox_lists() -> None:
    """Two mailboxes of a domain, two lists, one session: each gets its own answer."""
    bench = Bench(REGISTRY)
    denied = bench.policy("example.org", lists=Lists([entry("192.0.2.1", level="mailbox")]))
    free = bench.policy("example.org", lists=Lists([entry("192.0.2.9", level="mailbox")]))
    session, transaction = CASE.session(), CASE.transaction()
    said = []
    for policy in (denied, free, denied):
        findings = asyncio.run(bench.ask(policy, CASE, session, transaction))
        said.append(any(f.verdict is not None for f in findings if f.plugin == "deny_list"))
    assert [True, False, True] == said


def test_host_from_dns() -> None:
    """Deny by the end of a name counts for any PTR name; the name is looked up when an entry needs it."""
    zone = Zone("1.2.0.192.in-addr.arpa PTR dsl-17.example.ru")
    bench = Bench(REGISTRY, Tools(dns=zone))
    session = CASE.session()
    session.host, session.host_known = None, False
    policy = bench.policy("example.org", lists=Lists([entry(".ru")]))
    findings = asyncio.run(bench.ask(policy, CASE, session))
    assert "client hosts under .ru are on the deny list" in [
        getattr(f.verdict, "reason", None) for f in findings
    ]


def from_header(header: str, *texts: str, on: bool = True) -> str | None:
    """Return why a message with this From header is refused."""
    bench = Bench(REGISTRY)
    policy = bench.policy(
        "example.org", {"deny_list": {"header_from": on}}, lists=Lists([entry(t) for t in texts])
    )
    if not bench.pipeline.reads_message(policy):
        return None
    message = Message(f"From: {header}\r\n\r\n".encode())
    (finding,) = asyncio.run(bench.ask_message(policy, message, Case(sender="bounce@lists.example")))
    assert "" == finding.failure
    return getattr(finding.verdict, "reason", None)


@pytest.mark.parametrize(
    ("header", "refused"),
    [
        ("eve@example.net", True),
        ("Eve <EVE@Example.NET>", True),
        ('"ann@example.org" <eve@example.net>', True),
        ("Ann <ann@example.com>, Eve <eve@example.net>", True),
        ("eve@sub.example.net (Eve)", True),
        ("ann@example.com", False),
        ("eve@example.network", False),
        ("", False),
        ("<>", False),
        ("undisclosed", False),
    ],
)
def test_header_from(header: str, refused: bool) -> None:
    """As an option the From header is looked up too, by its addresses and not by its display names."""
    expected = "From header: sender domain example.net is on the deny list" if refused else None
    assert expected == from_header(header, "example.net")
    assert from_header(header, "example.net", on=False) is None


def test_from_addresses_are_bounded() -> None:
    """A From header of any size is looked at in time that does not grow."""
    assert len(from_addresses(", ".join(f"<a{n}@example.net>" for n in range(5000)))) <= 10
    for piece in ("<", "@", "a@", "<a@", '"', ",", "a@b<"):
        assert_cheap(0.002, from_addresses, piece * 200_000)
