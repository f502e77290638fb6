"""`rdns`, `sender_domain` and `dnsbl` against real DNS that is slow, dead, failing, huge or circular."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from tests.system.authority import SickDns
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import ID, hosting, letter

LIMIT = 20.0
"""Seconds for one mail while nothing in DNS answers; `[dns] timeout` is 4."""
ADDRESS = "198.51.100.1"
REFUSED, LATER, WELCOME = "550", "451", "250"
ANN = "ann@example.org"


@pytest.fixture
def asking(make_gateway: Callable[..., Gateway], sick_dns: SickDns, sink: Sink) -> Gateway:
    """Give a gateway behind the sick DNS, with example.org."""
    gateway = make_gateway(dns={"servers": [sick_dns.server], "timeout": 4})
    return hosting(gateway, sink.port)


def switch(gateway: Gateway, *settings: str) -> None:
    """Set what example.org wants, and wait until it is in force."""
    gateway.cli("domain", "set", "example.org", "refuse_at=rcpt", *settings, "helo_name.mode=on")
    wait_until(lambda: _helo(gateway) == 550, "settings in force")


def _helo(gateway: Gateway) -> int:
    with gateway.smtp("127.9.9.9", helo="bare") as client:
        client.ehlo()
        client.mail("")
        return client.rcpt(ANN)[0]


def said(gateway: Gateway, client: str = "127.0.0.1", sender: str = "") -> str:
    """Return code and enhanced code of a mail that names ann."""
    code, text = gateway.rcpt(ANN, source=client, sender=sender)
    return f"{code} {text.split()[0]}"


def explained(gateway: Gateway, sender: str) -> str:
    """Return what is known of the last mail of a sender."""
    wait_until(lambda: bool(gateway.json("journal", sender)), f"{sender} in the journal")
    (row, *_) = gateway.json("journal", sender)
    return gateway.cli("explain", row["id"]).stdout


def test_rdns(asking: Gateway, sick_dns: SickDns) -> None:
    """Missing, unconfirmed, role and line names by real DNS; silence, failure and circles refuse nobody."""
    zone = sick_dns.authority
    zone.reverse("127.0.1.1", "PTR", "mx.rdns.sick.test.")
    zone.add("mx.rdns", "A", "127.0.1.1")
    zone.reverse("127.0.1.3", "PTR", "mx.rdns.sick.test.")
    zone.reverse("127.0.1.4", "PTR", "mysql.rdns.sick.test.")
    zone.add("mysql.rdns", "A", "127.0.1.4")
    zone.reverse("127.0.1.5", "PTR", "dsl-17.rdns.sick.test.")
    zone.add("dsl-17.rdns", "A", "127.0.1.5")
    zone.reverse("127.0.1.6", "CNAME", "x.fail.sick.test.")
    zone.reverse("127.0.1.7", "CNAME", "x.silent.sick.test.")
    zone.reverse("127.0.1.8", "CNAME", "circle.sick.test.")
    zone.add("circle", "CNAME", "circle2.sick.test.")
    zone.add("circle2", "CNAME", "circle.sick.test.")
    zone.reverse("127.0.1.9", "PTR", "mx.silent.sick.test.")
    for n in range(60):
        name = f"a-mail-server-with-a-very-long-name-and-number-{n}.rdns"
        zone.reverse("127.0.1.10", "PTR", f"{name}.sick.test.")
        zone.add(name, "A", "127.0.1.10")
    zone.reverse("127.0.1.11", "PTR", "mx.slow.sick.test.")
    zone.add("mx.slow", "A", "127.0.1.11")
    strict = [f"rdns.{what}=refuse" for what in ("unconfirmed", "dynamic", "role")]
    switch(asking, "rdns.mode=on", *strict, "rdns.neighbour_confirms=false")
    expected = {
        "127.0.1.1": WELCOME,
        "127.0.1.2": REFUSED,  # no name
        "127.0.1.3": REFUSED,  # the name is another's
        "127.0.1.4": REFUSED,  # a database
        "127.0.1.5": REFUSED,  # a line
        "127.0.1.6": WELCOME,  # SERVFAIL
        "127.0.1.7": WELCOME,  # silence
        "127.0.1.8": WELCOME,  # a circle of aliases
        "127.0.1.9": WELCOME,  # the name's own servers are silent
        "127.0.1.10": WELCOME,  # so many names that they come over TCP
        "127.0.1.11": WELCOME,  # slow
    }
    assert expected == {client: said(asking, client)[:3] for client in expected}
    assert "550 5.7.25" == said(asking, "127.0.1.2")


def test_sender_domain(asking: Gateway, sick_dns: SickDns) -> None:
    """Domains that can take an answer, domains that cannot, and DNS that does not say."""
    zone = sick_dns.authority
    for name in ("good.from", "slow", "many.from"):
        zone.add(f"mail.{name}", "A", ADDRESS)
    zone.add("good.from", "MX", "10 mail.good.from.sick.test.")
    zone.add("slow", "MX", "10 mail.slow.sick.test.")
    zone.add("plain.from", "A", ADDRESS)
    zone.add("null.from", "MX", "0 .")
    zone.add("bogus.from", "MX", "10 mail.bogus.from.sick.test.")
    zone.add("mail.bogus.from", "A", "127.0.0.1")
    zone.add("nothing.from", "TXT", '"no mail here"')
    zone.add("empty.from", "MX", "10 nowhere.from.sick.test.")
    zone.add("circle3", "CNAME", "circle4.sick.test.")
    zone.add("circle4", "CNAME", "circle3.sick.test.")
    zone.add("alias.from", "CNAME", "good.from.sick.test.")
    for n in range(60):
        host = f"a-mail-server-with-a-very-long-name-and-number-{n}.many.from"
        zone.add("many.from", "MX", f"{n} {host}.sick.test.")
        zone.add(host, "A", ADDRESS)
    switch(asking, "sender_domain.mode=on")
    expected = {
        "good.from": WELCOME,
        "plain.from": WELCOME,
        "slow": WELCOME,
        "alias.from": WELCOME,
        "many.from": WELCOME,
        "null.from": REFUSED,
        "bogus.from": REFUSED,
        "nothing.from": REFUSED,
        "empty.from": REFUSED,
        "not-there.from": REFUSED,
        "x.fail": LATER,
        "x.silent": LATER,
        "circle3": LATER,
    }
    found = {name: said(asking, sender=f"eve@{name}.sick.test")[:3] for name in expected}
    assert expected == found
    assert "550 5.7.27" == said(asking, sender="eve@null.from.sick.test")
    assert "451 4.4.3" == said(asking, sender="eve@x.fail.sick.test")
    assert "550 5.1.8" == said(asking, sender="root@localhost")
    assert "250" == said(asking)[:3], "bounces are let alone"


def test_all_lists_dead(asking: Gateway) -> None:
    """With every list dead mail flows within the time limit, and the journal says that none answered."""
    zones = [f"bl{n}.{how}.sick.test" for n in range(5) for how in ("silent", "fail")]
    quoted = ",".join(f'"{zone}"' for zone in zones)
    switch(asking, "dnsbl.mode=on", f"dnsbl.zones=[{quoted}]")
    began = time.monotonic()
    code, text = asking.send([ANN], letter("dead lists"), sender="dead@client.example")
    seconds = time.monotonic() - began
    assert 250 == code, text
    assert re.search(ID, text)
    assert seconds < LIMIT
    told = explained(asking, "dead@client.example")
    assert "dnsbl" in told
    assert "could not answer" in told
