"""Which HELO names are refused, and which real servers' names are not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from tests.cost import assert_linear

BENCH = Bench(load(entries=False), Tools(hostname="mx.example.org"))


def reason(helo: str, **settings: Any) -> str | None:
    """Return why a name is refused, None if it is not."""
    policy = BENCH.policy("example.org", {"helo_name": {"mode": "on", **settings}})
    findings = asyncio.run(BENCH.ask(policy, Case(helo=helo)))
    (finding,) = [f for f in findings if f.plugin == "helo_name"]
    assert "" == finding.failure
    return getattr(finding.verdict, "reason", None)


@pytest.mark.parametrize(
    ("helo", "expected"),
    [
        ("mail.example.net", None),
        ("MAIL.EXAMPLE.NET", None),
        ("mail.example.net.", None),
        ("mail-out-17.eu-west-1.example.net", None),
        ("xn--bcher-kva.example", None),
        ("1.example.net", None),
        ("mail.example.0x7", None),
        ("[192.0.2.1]", None),
        ("[IPv6:2001:db8::1]", None),
        ("my_host.example.net", "underscore in HELO name"),
        ("localhost", "HELO name is not fully qualified"),
        ("friend", "HELO name is not fully qualified"),
        ("1234567", "HELO name is not fully qualified"),
        ("192.0.2.1", "HELO name is a bare IP address"),
        ("999.999.999.999", "HELO name is a bare IP address"),
        ("2001:db8::1", "HELO name is a bare IP address"),
        ("::1", "HELO name is a bare IP address"),
        ("pc.lan", "HELO name is private"),
        ("pc.LOCAL", "HELO name is private"),
        ("pc.local.", "HELO name is private"),
        ("localhost.localdomain", "HELO name is private"),
        ("host.corp.internal", "HELO name is private"),
        ("mx.example.org", "HELO name is our own"),
        ("MX.Example.Org", "HELO name is our own"),
        ("mx2.example.org", None),
        ("example.org", None),
        ("mail.example.net!", "HELO name is not a host name"),
        ("-mail.example.net", "HELO name is not a host name"),
        ("mail.example.net-", "HELO name is not a host name"),
        ("*", "HELO name is not a host name"),
        ("<script>.example.net", "HELO name is not a host name"),
        ("", "HELO name is not a host name"),
        ("b\u00fccher.example", "HELO name is not a host name"),
    ],
)
def test_names(helo: str, expected: str | None) -> None:
    """The table."""
    assert expected == reason(helo)


def test_settings() -> None:
    """Each can be switched by itself."""
    assert reason("pc.lan", refuse_private_names=False) is None
    assert reason("mx.example.org", refuse_our_name=False) is None
    assert "HELO name is the recipient's domain" == reason("Example.Org", refuse_own_domain=True)
    assert "HELO name is an address literal" == reason("[192.0.2.1]", refuse_literals=True)


def test_on_watch_by_default() -> None:
    """Printers and new web hosts have bad names too: what would be refused is only written down."""
    bench = Bench(load(entries=False))
    (finding,) = [
        f for f in asyncio.run(bench.ask(bench.policy(), Case(helo="localhost"))) if f.plugin == "helo_name"
    ]
    assert ("watch", "HELO name is not fully qualified") == (
        finding.mode,
        getattr(finding.verdict, "reason", ""),
    )


def test_linear() -> None:
    """Twice the name, no more than about twice the time, whatever is in it."""
    for piece in ("a", "1.", ":", "1:", "-", "a.", "[", "."):
        assert_linear(piece.__mul__, lambda name: [reason(name) for _ in range(5)], 20_000 // len(piece))
