"""Greylisting with a real Postfix as the sender: put off, it comes again by itself, and the bill says so."""

from __future__ import annotations

import smtplib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.system.authority import SickDns
from tests.system.gateway import Gateway
from tests.system.postfix import Postfix
from tests.system.process import open_directory, wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

DELAY = 3
"""Seconds, `greylist.delay`."""
ANN, BOB = "ann@example.org", "bob@example.org"
SENDING = """
relayhost = [127.0.0.1]:{port}
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
virtual_mailbox_domains =
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
smtp_bind_address = 127.0.0.77
"""


@pytest.fixture
def greylisting(make_gateway: Callable[..., Gateway], sick_dns: SickDns, sink: Sink) -> Gateway:
    """Give a gateway with two workers whose example.org puts strangers off."""
    gateway = make_gateway(smtp={"workers": 2}, dns={"servers": [sick_dns.server], "timeout": 2})
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "greylist.mode=on", f"greylist.delay={DELAY}")
    wait_until(lambda: gateway.rcpt(ANN, source="127.7.7.7")[0] == 451, "greylisting in force")
    return gateway


@pytest.fixture
def sender(greylisting: Gateway) -> Iterator[Postfix]:
    """Give a Postfix that sends everything to the gateway and tries again after a second or two."""
    with open_directory("sending") as top:
        server = Postfix(top, more=SENDING.format(port=greylisting.port))
        yield server
        server.stop()


def give(sender: Postfix, to: str, marker: str, by: str = "eve@client.sick.test") -> None:
    """Hand a mail to the sending Postfix."""
    with smtplib.SMTP("127.0.0.1", sender.port, "client.example", timeout=20) as client:
        client.sendmail(by, [to], letter(marker))


def tries(sender: Postfix, to: str) -> list[str]:
    """Return what became of each attempt, as Postfix wrote it down."""
    lines = [line for line in sender.log().splitlines() if f"to=<{to}>" in line and "status=" in line]
    return [line.partition("status=")[2].split()[0] for line in lines]


def test_a_real_sender_comes_again(greylisting: Gateway, sender: Postfix, sink: Sink) -> None:
    """The first mail waits and arrives once; the second goes through at once; who never comes stays out."""
    marker = uuid.uuid4().hex
    give(sender, ANN, marker)
    wait_until(lambda: any(marker.encode() in m for m in sink.messages()), "the mail that came again", 60)
    wait_until(lambda: "sent" in tries(sender, ANN), "Postfix' own word")
    said = tries(sender, ANN)
    assert ["deferred"] * (len(said) - 1) + ["sent"] == said
    assert len(said) >= 2
    assert "451 4.7.1 Greylisted, try again" in sender.log()

    def bill() -> Any:
        return greylisting.json("greylist", "example.org")[-1]

    # A worker writes what it counted every half second.
    wait_until(lambda: bill()["came_back"] == 1, "the mail that came back on the bill")
    in_force()  # and the other worker reads it
    again = uuid.uuid4().hex
    give(sender, BOB, again)
    wait_until(lambda: any(again.encode() in m for m in sink.messages()), "the second mail")
    assert ["sent"] == tries(sender, BOB), "the sender is known, also to another mailbox"

    total = bill()
    assert (2, 1, 1) == (total["put_off"], total["came_back"], total["still_waiting"])
    assert DELAY / 60 <= total["minutes"] * 1.1 + 0.05

    def outcomes() -> list[str]:
        return [row["outcome"] for row in greylisting.json("journal", "eve@client.sick.test")]

    wait_until(lambda: len(outcomes()) == len(said) + 1, "a row for each try")
    assert (2, len(said) - 1) == (outcomes().count("accepted"), outcomes().count("deferred"))


def test_bounces_wait_behind_their_data(greylisting: Gateway) -> None:
    """A callout (null sender, no data) hears 250; a bounce is put off behind its data; postmaster never."""
    assert 250 == greylisting.rcpt(ANN, source="127.7.8.8", sender="")[0]
    code, text = greylisting.send([ANN], letter("bounce"), source="127.7.8.8", sender="")
    assert (451, "4.7.1") == (code, text.split()[0])
    assert 250 == greylisting.send(["postmaster@example.org"], letter("help"), source="127.7.9.9")[0]
    assert 451 == greylisting.rcpt(ANN, source="127.7.9.9")[0]
    assert 550 == greylisting.rcpt("nosuch@example.org", source="127.7.9.9")[0], "never put off"
