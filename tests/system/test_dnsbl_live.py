"""A real block list behind a real resolver: per domain, explained, shown live."""

import re
import uuid
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.system.dns import Unbound
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import ID, hosting, letter

LISTED, CLEAN = "127.0.0.9", "127.0.0.1"
NOBODY = "me@nosuch.test"


@pytest.fixture
def guarded(make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink) -> Iterator[Gateway]:
    """Give a gateway with example.org, which asks bl.test, and second.example, which does not."""
    gateway = make_gateway(dns={"servers": [unbound.server]})
    for domain in ("example.org", "second.example"):
        hosting(gateway, sink.port, domain=domain)
    gateway.cli("domain", "set", "example.org", "dnsbl.mode=on", 'dnsbl.zones=["bl.test"]', "refuse_at=rcpt")
    wait_until(lambda: gateway.rcpt("ann@example.org", source=LISTED)[0] == 550, "listed client refused")
    yield gateway


def test_listed_here_and_welcome_there(guarded: Gateway) -> None:
    """The listed client is refused for the domain that asks the list, with an id, and for no other."""
    code, text = guarded.rcpt("ann@example.org", source=LISTED)
    assert (550, "5.7.1") == (code, text.split()[0])
    assert re.search(ID, text)

    assert 250 == guarded.rcpt("ann@second.example", source=LISTED)[0]
    assert 250 == guarded.rcpt("ann@example.org", source=CLEAN)[0]


def test_row_7_2_per_domain_plugins(guarded: Gateway) -> None:
    """In one session the same client gets both answers, each by the recipient's domain."""
    with guarded.smtp(LISTED) as client:
        client.ehlo()
        client.mail("me@client.example")
        assert 550 == client.rcpt("ann@example.org")[0]
        assert 250 == client.rcpt("ann@second.example")[0]
        assert 250 == client.data(letter("two opinions"))[0]


def test_explain(guarded: Gateway) -> None:
    """`explain ID` prints each check with its result and its time; the id is the one in the reply."""
    code, text = guarded.rcpt("ann@example.org", source=LISTED)
    assert 550 == code
    found = re.search(ID, text)
    assert found

    wait_until(lambda: guarded.cli("explain", found[0], check=False).returncode == 0, "explained")
    explained = guarded.cli("explain", found[0]).stdout

    assert "dnsbl" in explained
    assert "bl.test" in explained
    assert LISTED in explained
    assert re.search(r"\d ms", explained)
    assert "recipients" in explained


def test_journal_shows_it_live(guarded: Gateway) -> None:
    """`journal --follow` prints the refusal while it happens."""
    sender = f"{uuid.uuid4().hex}@client.example"
    following = guarded.follow("journal", "--follow", "--domain", "example.org")
    try:
        guarded.rcpt("ann@example.org", source=LISTED, sender=sender)
        wait_until(lambda: sender in following.said(), "the refusal in journal --follow")
        assert "dnsbl" in following.said()
    finally:
        following.kill()


@pytest.mark.parametrize(
    ("check", "on", "watch"),
    [("dnsbl", "dnsbl.mode=on", "dnsbl.mode=watch"), ("sender_domain", "preset=strict", "preset=careful")],
)
def test_row_7_2_let_others_use_it(guarded: Gateway, check: str, on: str, watch: str) -> None:
    """Row "a spare/non-critical domain" of 7.2: on watch, a check or all of a domain, nobody is refused, and
    who would have been stands in the journal; another domain goes on refusing."""
    guarded.cli("domain", "unset", "example.org", "dnsbl.mode")
    for domain in ("example.org", "second.example"):
        guarded.cli("domain", "set", domain, on, 'dnsbl.zones=["bl.test"]', "refuse_at=rcpt")
        wait_until(partial(says, guarded, 550, domain), "refused")
    guarded.cli("domain", "set", "example.org", watch)
    wait_until(partial(says, guarded, 250, "example.org"), "watched only")
    code, text = guarded.send(["ann@example.org"], letter("watched"), source=LISTED, sender=NOBODY)
    found = re.search(ID, text)
    assert code == 250
    assert found
    wait_until(lambda: guarded.cli("explain", found[0], check=False).returncode == 0, "written")
    (outcome,) = guarded.json("explain", found[0])["outcomes"]
    said = {step["result"] for step in outcome["checks"] if step["check"] == check}
    assert said & {"watch reject", "watch defer"}
    assert says(guarded, 550, "second.example")


def says(gateway: Gateway, code: int, domain: str) -> bool:
    """Tell whether the listed client with a sender whom nobody can answer hears this at RCPT."""
    return code == gateway.rcpt(f"ann@{domain}", source=LISTED, sender=NOBODY)[0]


def test_allow_list_lets_the_client_in(guarded: Gateway) -> None:
    """An allow entry for the client's address goes past the check."""
    guarded.cli("list", "add", "example.org", "allow", LISTED, "--note", "a friend")
    wait_until(lambda: guarded.rcpt("ann@example.org", source=LISTED)[0] == 250, "allowed")


def test_sick_lists_refuse_nobody(guarded: Gateway) -> None:
    """A list that knows everybody, and one that says we may not ask, refuse no mail."""
    guarded.cli("domain", "set", "example.org", 'dnsbl.zones=["sick.test", "blocked.test"]')
    wait_until(lambda: guarded.rcpt("ann@example.org", source=LISTED)[0] == 250, "let in")
    assert 250 == guarded.rcpt("ann@example.org", source=CLEAN)[0]
    assert 250 == guarded.rcpt("ann@example.org", source=LISTED)[0]
