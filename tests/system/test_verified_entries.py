"""Allow entries of senders that SPF or DKIM has to prove, in a running gateway over real DNS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.auth.mails import mail, rsa_record, signed
from tests.system.authority import SickDns, text
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import hosting

DOMAIN = "proof.sick.test"
ANN = f"ann@{DOMAIN}"
OWN, FOREIGN = "127.0.0.31", "127.0.0.32"
"""SPF lets the sender's domain send from the first; both are on the deny list."""


@pytest.fixture
def denying(make_gateway: Callable[..., Gateway], sick_dns: SickDns, sink: Sink) -> Gateway:
    """Give a gateway that denies both clients, and allows a verified sender."""
    sick_dns.authority.records[f"{DOMAIN}.", "TXT"] = [text(f"v=spf1 ip4:{OWN} -all")]
    sick_dns.authority.records[f"s1._domainkey.{DOMAIN}.", "TXT"] = [text(rsa_record())]
    gateway = make_gateway(dns={"servers": [sick_dns.server], "timeout": 2})
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "refuse_at=rcpt")
    gateway.cli("list", "add", "example.org", "allow", ANN, "--verified")
    gateway.cli("list", "add", "--all", "deny", "127.0.0.30/31")
    gateway.cli("list", "add", "--all", "deny", FOREIGN)
    wait_until(lambda: gateway.rcpt("ann@example.org", source=FOREIGN)[0] == 550, "denied")
    return gateway


def test_spf_proves_at_rcpt(denying: Gateway) -> None:
    """From where SPF says the sender is let in; another sender from there is refused at RCPT."""
    assert 550 == denying.rcpt("ann@example.org", source=OWN)[0]
    assert 250 == denying.send(["ann@example.org"], mail(ANN), OWN, ANN)[0]


def test_dkim_proves_behind_the_data(denying: Gateway) -> None:
    """A forwarder broke SPF: the refusal waits for the data, and a signature that holds undoes it."""
    whole = signed(mail(ANN), DOMAIN)
    assert 250 == denying.rcpt("ann@example.org", source=FOREIGN, sender=ANN)[0]
    assert 250 == denying.send(["ann@example.org"], whole, FOREIGN, ANN)[0]
    code, said = denying.send(["ann@example.org"], mail(ANN), FOREIGN, ANN)
    assert (550, "5.7.1") == (code, said.split()[0])
    assert 550 == denying.send(["ann@example.org"], whole.replace(b"noon", b"moon"), FOREIGN, ANN)[0]
    assert 550 == denying.rcpt("nosuch@example.org", source=FOREIGN, sender=ANN)[0], "never the unknown"


def test_uses_are_counted(denying: Gateway) -> None:
    """The entry that decided counts its uses."""
    denying.send(["ann@example.org"], mail(ANN), OWN, ANN)

    def uses() -> dict[str, int]:
        return {row["value"]: row["uses"] for row in denying.json("list", "show", "example.org")}

    wait_until(lambda: uses()[ANN] >= 1, "the use of the entry")


def test_entry_for_one_check(denying: Gateway) -> None:
    """A verified entry for one check leads past that check and past no other."""
    denying.cli("list", "remove", "example.org", ANN)
    denying.cli("list", "remove", "--all", FOREIGN)
    denying.cli("domain", "set", "example.org", "rdns.mode=on")  # FOREIGN has no name
    whole = signed(mail(ANN), DOMAIN)
    wait_until(lambda: "5.7.25" in denying.rcpt("ann@example.org", source=FOREIGN)[1], "rdns in force")
    assert 550 == denying.send(["ann@example.org"], whole, FOREIGN, ANN)[0]
    denying.cli("list", "add", "example.org", "allow", ANN, "--verified", "--plugin", "rdns")
    wait_until(lambda: 250 == denying.send(["ann@example.org"], whole, FOREIGN, ANN)[0], "let past")
    code, said = denying.send(["ann@example.org"], mail(ANN), FOREIGN, ANN)
    assert (550, "5.7.25") == (code, said.split()[0])
    denying.cli("list", "add", "--all", "deny", FOREIGN)
    wait_until(lambda: 550 == denying.send(["ann@example.org"], whole, FOREIGN, ANN)[0], "denied again")
