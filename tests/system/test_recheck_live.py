"""A draft over what a running gateway wrote down: the mail of the last days against a real block list."""

import uuid
from collections.abc import Callable

from tests.system.dns import Unbound
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

LISTED, CLEAN = "127.0.0.9", "127.0.0.1"
DRAFT = (
    "recheck",
    "example.org",
    "--since",
    "7d",
    "--set",
    "dnsbl.mode=on",
    "--set",
    'dnsbl.zones=["bl.test"]',
)


def test_a_block_list_before_it_is_switched_on(
    make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink
) -> None:
    """Only the listed client's mail is named, nothing is delivered, and the list is still off."""
    gateway = make_gateway(dns={"servers": [unbound.server]})
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "dnsbl.mode=off", "refuse_at=data")
    spam, ham = (f"{uuid.uuid4().hex}@client.example" for _ in range(2))
    assert 250 == gateway.send(["ann@example.org"], letter("x"), LISTED, spam)[0]
    assert 250 == gateway.send(["ann@example.org"], letter("x"), CLEAN, ham)[0]
    wait_until(lambda: 2 <= gateway.json(*DRAFT)["judged"], "both mails judged again")
    arrived = len(sink.messages())

    found = gateway.json(*DRAFT)

    (one,) = (one for one in found["changed"] if one["from"] in (spam, ham))
    assert (spam, "accepted", "accepted", "rejected") == (one["from"], one["then"], one["today"], one["now"])
    assert "dnsbl" in one["why"]
    assert arrived == len(sink.messages())
    assert 250 == gateway.rcpt("ann@example.org", source=LISTED)[0]


def test_a_kept_mail_is_judged_whole(
    make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink
) -> None:
    """What was refused behind its data is judged again with its bytes: without the list it would come in."""
    gateway = make_gateway(dns={"servers": [unbound.server]})
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "dnsbl.mode=on", 'dnsbl.zones=["bl.test"]', "refuse_at=data")

    def refused() -> bool:
        return gateway.send(["ann@example.org"], letter("x"), LISTED)[0] == 550

    wait_until(refused, "the listed client refused")
    off = ("recheck", "example.org", "--set", "dnsbl.mode=off")
    wait_until(lambda: gateway.json(*off)["changed"] != [], "the refused mail judged again")
    one = gateway.json(*off)["changed"][0]
    assert ("rejected", "accepted", True) == (one["then"], one["now"], one["whole"])
