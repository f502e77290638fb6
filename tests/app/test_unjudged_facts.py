"""What was told before the message came counts in the spool as on port 25: no good mail is held."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.mail.verdict import Reject
from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.registry import Registry, load
from gatepost.policy.policy import Mode
from tests.app.test_unjudged import A, B, Later
from tests.server.indoors import SHIPPED, Indoors, inside

BANK = b"From: Bank <x@bank.example>\r\nDate: Mon, 30 Nov 2026 00:00:00 +0000\r\nSubject: hi\r\n\r\nhello\r\n"
FORWARDS = {"arc.forwarders": ["192.0.2.0/24"]}
BY_NAME = {"arc.forwarders": ["fwd.example"]}
SENDERS = ("arc", "spf", "dkim", "dmarc")


def ship(house: Indoors, *names: str) -> None:
    """Have these checks too."""
    ships = (*SHIPPED, *names)
    shipped = [(o.name, o.plugin, o.origin, o.error) for o in load(None, entries=False) if o.name in ships]
    house.registry = Registry([*shipped, ("probe", house.probe, "test", "")])


@pytest.mark.parametrize(
    ("trusted", "fate"), [(FORWARDS, "delivered"), (BY_NAME, "delivered"), ({}, "rejected")]
)
@inside()
async def test_as_on_port_25(house: Indoors, trusted: dict[str, Any], fate: str) -> None:
    """A forwarder's mail is judged in the spool as on port 25: what was told at MAIL counts there too."""
    ship(house, *SENDERS)
    for name, kind, value in (
        ("bank.example", "TXT", "v=spf1 ip4:198.51.100.1 -all"),
        ("_dmarc.bank.example", "TXT", "v=DMARC1; p=reject"),
        ("7.2.0.192.in-addr.arpa", "PTR", "mx.fwd.example"),
        ("mx.fwd.example", "A", "192.0.2.7"),
    ):
        house.zone.add(name, kind, value)
    asks = {f"{name}.mode": "on" for name in SENDERS} | {"dmarc.reject": "refuse", "spf.fail": "ignore"}
    later = Later(house, **asks, **trusted)
    # On port 25 the same policy, without a check that cannot answer.
    house.host("port25.test", {**asks, **trusted})
    later.live.look()
    _, said = await house.client().mail("x@bank.example", ["ann@port25.test"], BANK)
    assert ("250" if fate == "delivered" else "550") == said[:3], said
    if fate == "rejected":
        return
    taken = len(house.back_end.taken)
    _, said = await house.client().mail("x@bank.example", [A, B], BANK)
    assert said.startswith("250"), said
    assert 1 == len(later.waiting())
    later.says(None)
    await later.round()
    assert ([A, B], [], []) == (later.delivered()[taken:], later.waiting(), house.archive.list())


class Trusted:
    """The client is one whom the machine's administrator trusts."""


class Machine(Plugin):
    """A third party's check of the whole machine, switched on for all domains."""

    default_mode = Mode.OFF
    scope = Scope.GATEWAY
    tells = (Trusted,)

    def mail(self, ctx: Any) -> None:
        """Tell it."""
        ctx.tell(Trusted())


class Reader(Plugin):
    """Reads the message, and the fact."""

    default_mode = Mode.ON
    needs = (Trusted,)

    def message(self, ctx: Any) -> Any:
        """Refuse whom nobody trusts."""
        return None if ctx.fact(Trusted) else Reject("nobody trusts the client")


@inside()
async def test_a_check_of_the_machine(house: Indoors) -> None:
    """What it told counts in the spool too, with its settings there: the copy goes on."""
    named = [(one.name, one.plugin, one.origin, one.error) for one in house.registry]
    house.registry = Registry([*named, ("machine", Machine(), "test", ""), ("reader", Reader(), "test", "")])
    house.store.put("all", {"machine.mode": "on"})
    later = Later(house)
    await later.mail()
    later.says(None)
    await later.round()
    assert ([A, B], [], []) == (later.delivered(), later.waiting(), house.archive.list())


@pytest.mark.parametrize(("record", "code"), [("v=spf1 ip4:192.0.2.7 -all", "250"), ("v=spf1 ?all", "550")])
@inside()
async def test_spf_of_port_25(house: Indoors, record: str, code: str) -> None:
    """`headers` lets a mail program send by itself where SPF agreed: in the spool too."""
    ship(house, "spf", "headers")
    house.zone.add("x.example", "TXT", record)
    asks = {
        "spf.mode": "on",
        "headers.mode": "on",
        "headers.direct": "refuse",
    }
    later = Later(house, **asks)
    house.host("port25.test", asks)
    later.live.look()
    mail = BANK.replace(
        b"Subject", b"Message-ID: <1@x.example>\r\nX-Mailer: Microsoft Outlook 16.0\r\nSubject"
    )
    _, said = await house.client().mail("s@x.example", ["ann@port25.test"], mail)
    assert code == said[:3], said
    if code == "550":
        return
    _, said = await house.client().mail("s@x.example", [A, B], mail)
    assert ("250", 1) == (said[:3], len(later.waiting()))
    later.says(None)
    await later.round()
    assert (B, []) == (later.delivered()[-1], house.archive.list())
