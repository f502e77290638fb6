"""Entries of every kind and at every level in a running gateway, with the client's names from real DNS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.system.authority import SickDns
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import hosting

CLIENT, FRIEND = "127.0.2.1", "127.0.2.2"
"""The first has two names, of which one leads back; the second is named by somebody else's."""
SENDER = "eve@mail.lists.sick.test"
ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def listed(make_gateway: Callable[..., Gateway], sick_dns: SickDns, sink: Sink) -> Gateway:
    """Give a gateway with example.org behind real DNS."""
    zone = sick_dns.authority
    zone.records["1.2.0.127.in-addr.arpa.", "PTR"] = ["mx.lists.sick.test.", "dsl.provider.com.br."]
    zone.records["2.2.0.127.in-addr.arpa.", "PTR"] = ["mx.lists.sick.test."]
    zone.records["mx.lists.sick.test.", "A"] = [CLIENT]
    gateway = make_gateway(dns={"servers": [sick_dns.server], "timeout": 2})
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "refuse_at=rcpt")
    return gateway


def code(gateway: Gateway, to: str = ANN, source: str = CLIENT) -> int:
    """Return what a mail of the client hears at RCPT."""
    return gateway.rcpt(to, source=source, sender=SENDER)[0]


@pytest.mark.parametrize(
    "entries",
    [
        (CLIENT, "127.0.2.0/24"),
        ("host:mx.lists.sick.test", "host:dsl.provider.com.br"),
        (".br", "tld:com.br"),
        ("helo:client.example", SENDER, "lists.sick.test"),
    ],
    ids=["address", "name", "end of a name", "said"],
)
def test_each_kind(listed: Gateway, entries: tuple[str, ...]) -> None:
    """Each refuses by itself while it stands, and no longer; its use is counted."""
    for entry in entries:
        listed.cli("list", "add", "--all", "deny", entry, "--note", "test", "--expires", "1d")
        wait_until(lambda: code(listed) == 550, f"{entry} denied")
        wait_until(lambda: listed.json("list", "show", "--all")[0]["uses"] >= 1, f"use of {entry}")
        listed.cli("list", "remove", "--all", entry)
        wait_until(lambda: code(listed) == 250, f"{entry} removed")


def test_levels_and_names(listed: Gateway) -> None:
    """A mailbox's entry goes before its domain's; an allowed name counts only for whom it leads back to."""
    listed.cli("list", "add", "--all", "deny", "127.0.2.0/24")
    wait_until(lambda: code(listed) == 550, "denied for all")
    listed.cli("list", "add", ANN, "allow", "host:mx.lists.sick.test")
    wait_until(lambda: code(listed) == 250, "allowed for ann")
    assert 550 == code(listed, BOB)
    assert 550 == code(listed, ANN, FRIEND), "the name is another's"
    assert 550 == code(listed, "nosuch@example.org"), "no entry lets a mail to nobody in"
    listed.cli("list", "add", ANN, "deny", CLIENT)
    wait_until(lambda: code(listed) == 550, "the more exact entry")


def test_header_from(listed: Gateway) -> None:
    """Row "domain blacklisting" of 7.5: as an option the From header is looked up too."""
    body = b"From: Eve <eve@news.unwanted.example>\r\nSubject: x\r\n\r\nHello\r\n"
    listed.cli("list", "add", "example.org", "deny", "unwanted.example")
    assert 250 == listed.send([ANN], body, sender="bounce@other.example")[0]
    listed.cli("domain", "set", "example.org", "deny_list.header_from=true")
    wait_until(lambda: 550 == listed.send([ANN], body, sender="bounce@other.example")[0], "From denied")
