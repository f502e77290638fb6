"""Outgoing mail: who may send for whom, whose return path is signed, what the next hop's answers become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.batv import read
from gatepost.plugin.batv import since_key
from gatepost.relay.results import Result
from gatepost.server.outgoing import OutgoingDoor
from gatepost.spool.queue import Queue
from tests.server.indoors import MAIL, Client, Indoors, inside

OURS, THEIRS, STRANGER = "192.0.2.7", "198.51.100.7", "203.0.113.7"
SETTINGS: dict[str, Any] = {
    "outgoing.networks": '{"ours.test" = ["192.0.2.0/24"], "theirs.test" = ["198.51.100.7"],'
    ' "bare.test" = ["192.0.2.7"]}',
    "outgoing.next_hop": "127.0.0.1:2",
}
SIGNED = {"bounce.batv_keys": ["3:secret"], "bounce.batv_addresses": ["ann"]}
FULL = Result("deferred", 452, "4.2.2", "mailbox full", "next hop")
GONE = Result("refused", 550, "5.1.1", "no such user", "next hop")


def opened(house: Indoors) -> Indoors:
    """Open the door for outgoing mail of two domains that sign; a third one is not hosted here."""
    house.host("ours.test", SIGNED)
    house.host("theirs.test", {**SIGNED, "bounce.batv_keys": ["3:other secret"]})
    house.open()
    house.door = OutgoingDoor(house.gateway, house.loop, house.hub)
    return house


OPEN_RELAY = [
    (STRANGER, "ann@ours.test", "someone@far.example"),
    (STRANGER, "", "someone@far.example"),
    (STRANGER, "eve@far.example", "someone@far.example"),
    (STRANGER, "eve@far.example", "ann@ours.test"),
    (STRANGER, "ann@[192.0.2.7]", "someone@far.example"),
    (STRANGER, "ann@ours.test", "postmaster"),
    (STRANGER, "ann@ours.test", "someone%far.example@ours.test"),
    (STRANGER, "ann@ours.test", "@ours.test:someone@far.example"),
    (STRANGER, "prvs=3123abcdef=ann@ours.test", "someone@far.example"),
    (OURS, "eve@far.example", "someone@far.example"),
    (OURS, "ann@theirs.test", "someone@far.example"),
    (OURS, "ann@sub.ours.test", "someone@far.example"),
    (OURS, "ann@ours.test.far.example", "someone@far.example"),
    (OURS, '"ann@ours.test"@far.example', "someone@far.example"),
    (OURS, "ann%ours.test@far.example", "someone@far.example"),
    (OURS, "@ours.test:ann@far.example", "someone@far.example"),
    (THEIRS, "ann@ours.test", "someone@far.example"),
]


@pytest.mark.parametrize(("client", "sender", "recipient"), OPEN_RELAY)
def test_open_relay(tmp_path: Path, client: str, sender: str, recipient: str) -> None:
    """Whoever is not in the networks of the sender's own domain gets 550 and hands nothing on."""

    @inside(**SETTINGS)
    async def attempt(house: Indoors) -> None:
        opened(house)
        said, after = await house.client(client).mail(sender, [recipient])
        assert ["550"] == [line[:3] for line in said]
        assert "" == after
        assert [] == house.back_end.taken
        (row,) = house.outcomes()
        assert ("rejected", "outgoing") == (row.fate, row.plugin)

    attempt(tmp_path)


async def sent(house: Indoors, client: Client, sender: str, *recipients: str) -> tuple[str, list[str | None]]:
    """Send one mail; the last reply, and the return path with which each copy went on."""
    house.back_end.taken.clear()
    said, after = await client.mail(sender, recipients or ("bob@far.example",))
    assert ["250"] * len(said) == [line[:3] for line in said]
    return after, [path for path, _, _ in house.back_end.taken]


@inside(**SETTINGS)
async def test_signed(house: Indoors) -> None:
    """Listed addresses go out with a tag of their own domain's key, and the bytes as they came."""
    opened(house)
    client = house.client(OURS)
    after, (path,) = await sent(house, client, "Ann@ours.test")
    assert after.startswith("250")
    assert path is not None
    tag = read(parse_address(path).local)
    assert tag is not None
    assert (3, "Ann") == (tag.number, tag.local)
    assert house.back_end.taken[0][2].endswith(MAIL)
    settings = house.gateway.live.snapshot.policy_for("ours.test").plugins["bounce"].settings  # type: ignore[union-attr]
    assert path == settings.tagged(parse_address("Ann@ours.test"), house.outcomes()[0].time).text
    _, (theirs,) = await sent(house, house.client(THEIRS), "ann@theirs.test")
    assert theirs is not None
    other = read(parse_address(theirs).local)
    assert other is not None
    assert other.mark != tag.mark
    rows = house.outcomes()
    assert [("ours.test", path, "accepted"), ("theirs.test", theirs, "accepted")] == [
        (row.domain, row.sender, row.fate) for row in rows
    ]


@pytest.mark.parametrize(
    ("sender", "path"),
    [
        ("bob@ours.test", "bob@ours.test"),
        ("", None),
        ("ann@bare.test", "ann@bare.test"),
        ("prvs=9123abcdef=ann@ours.test", "prvs=9123abcdef=ann@ours.test"),
        (f"{'a' * 60}@ours.test", f"{'a' * 60}@ours.test"),
    ],
)
def test_not_signed(tmp_path: Path, sender: str, path: str | None) -> None:
    """Who is not listed, the null sender, a domain that is not hosted, who signs himself: as they came."""

    @inside(**SETTINGS)
    async def send(house: Indoors) -> None:
        opened(house)
        after, paths = await sent(house, house.client(OURS), sender)
        assert after.startswith("250")
        assert [path] == paths
        assert await house.records.get("ours.test", "bounce", since_key("ann")) is None

    send(tmp_path)


@inside(**SETTINGS)
async def test_since(house: Indoors) -> None:
    """The first signed mail that was taken begins the days of grace; one that was not does not."""
    opened(house)
    client = house.client(OURS)
    house.back_end.says["far.example"] = FULL
    after, paths = await sent(house, client, "ann@ours.test")
    assert after.startswith("452 4.2.2 mailbox full")
    assert [] == paths
    assert await house.records.get("ours.test", "bounce", since_key("ann")) is None
    house.back_end.says.clear()
    await sent(house, client, "ann@ours.test")
    first = await house.records.get("ours.test", "bounce", since_key("ann"))
    await sent(house, client, "ann@ours.test")
    assert first is not None
    assert first == await house.records.get("ours.test", "bounce", since_key("ann"))


@pytest.mark.parametrize(
    ("result", "reply"),
    [
        (FULL, "452 4.2.2 mailbox full"),
        (GONE, "550 5.1.1 no such user"),
        (Result("unreachable", 451, "4.4.1", "connection refused", "x"), "451 4.4.1"),
    ],
)
def test_next_hop_speaks(tmp_path: Path, result: Result, reply: str) -> None:
    """4xx and 5xx of the next hop are the client's answer; nothing is queued here."""

    @inside(**SETTINGS)
    async def send(house: Indoors) -> None:
        opened(house)
        house.back_end.says["far.example"] = result
        after, _ = await sent(house, house.client(OURS), "ann@ours.test")
        assert after.startswith(reply)
        assert 0 == len(house.queue)

    send(tmp_path)


@inside(**SETTINGS)
async def test_one_mail_two_answers(house: Indoors) -> None:
    """Taken for one, put off and refused for others: 250, and the rest is in the spool for the next hop."""
    opened(house)
    house.back_end.says |= {"later.example": FULL, "gone.example": GONE}
    to = ("bob@far.example", "bob@later.example", "bob@gone.example")
    after, (path,) = await sent(house, house.client(OURS), "ann@ours.test", *to)
    assert after.startswith("250")
    waiting = [claim.envelope for name in spooled(house.queue) if (claim := house.queue.claim(name))]
    assert [("bob@gone.example", path), ("bob@later.example", path)] == sorted(
        (one.recipients[0].address, one.sender) for one in waiting
    )
    assert {(("smtp://127.0.0.1:2",), True, "ours.test")} == {
        (one.routes, one.proven, one.domain) for one in waiting
    }
    assert {"accepted": 1, "queued": 2} == {
        fate: sum(row.fate == fate for row in house.outcomes()) for fate in ("accepted", "queued")
    }


@inside(**SETTINGS)
async def test_a_bounce_of_whom(house: Indoors) -> None:
    """The null sender from a server of one domain is that domain's; from one of several it is nobody's, and
    no owner reads the other's mail in his journal, or in his queue."""
    opened(house)
    house.back_end.says |= {"later.example": FULL}
    for client, owner in ((THEIRS, "theirs.test"), (OURS, "")):
        after, _ = await sent(house, house.client(client), "", "bob@far.example", "bob@later.example")
        assert after.startswith("250")
        assert [(owner, "accepted"), (owner, "queued")] == sorted(
            (row.domain, row.fate) for row in house.outcomes() if row.client == client
        )
    waiting = [claim.envelope.domain for name in spooled(house.queue) if (claim := house.queue.claim(name))]
    assert ["", "theirs.test"] == sorted(waiting)


@inside(**SETTINGS)
async def test_prdr(house: Indoors) -> None:
    """With PRDR each recipient has the next hop's own answer, and nothing is queued."""
    opened(house)
    house.back_end.says |= {"gone.example": GONE}
    client = house.client(OURS)
    _, after = await client.mail("ann@ours.test", ["bob@far.example", "bob@gone.example"], words=" PRDR")
    assert ["353", "250", "550", "250"] == [line[:3] for line in after.splitlines()]
    assert 0 == len(house.queue)


@inside(**SETTINGS, xclient_from='["192.0.2.7", "203.0.113.7"]')
async def test_never_xclient(house: Indoors) -> None:
    """Nobody can say here that he is another client, whoever may on the other door."""
    opened(house)
    client = house.client(STRANGER)
    assert "XCLIENT" not in await client.say("EHLO x.example")
    assert (await client.say("XCLIENT ADDR=192.0.2.7")).startswith("500")


@inside(**SETTINGS)
async def test_no_checks(house: Indoors) -> None:
    """Outgoing mail is not asked about, and our own recipients are reached by the next hop like others."""
    opened(house)
    house.store.add_entry("domain:ours.test", "deny", "ip", OURS)
    after, _ = await sent(house, house.client(OURS), "ann@ours.test", "nobody@theirs.test")
    assert after.startswith("250")
    assert ["nobody@theirs.test"] == [to for _, to, _ in house.back_end.taken]


def spooled(queue: Queue) -> list[str]:
    """Return what waits in the queue, due or not."""
    return queue.due(4e9)
