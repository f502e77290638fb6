"""One mail, many recipients with policies and servers of their own: each gets its own, the sum closes."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from gatepost.spool.archive import Archive
from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import free_port, wait_until
from tests.system.running import behind, deny, host, in_force, journal, policy, running
from tests.system.talk import Talk

DENIED = "127.0.0.66"
ALONE = {
    "plain": (250, 250, "accepted"),
    "tags": (250, 250, "accepted"),
    "holds": (250, 250, "quarantined"),
    "refuses": (250, 550, "rejected"),
    "at-once": (550, 0, "rejected"),
    "defers": (451, 0, "deferred"),
    "down": (250, 451, "deferred"),
    "spools": (250, 250, "queued"),
    "says-no": (250, 550, "rejected"),
    "says-later": (250, 451, "deferred"),
}
"""A domain, and what becomes of a mail for it alone: replies to RCPT and data, fate in the journal."""


@dataclass
class Houses:
    """The gateway, the servers behind it, and what they took."""

    gateway: Gateway
    up: Backend
    no: Backend
    later: Backend
    count: int = field(default=0)

    def delivered(self, marker: str) -> list[str]:
        """Return to whom a mail was delivered, the domains' first words."""
        return sorted(
            rcpt.partition("@")[2].partition(".")[0]
            for mail in self.up.taken if marker.encode() in mail.wire for rcpt in mail.rcpts
        )  # fmt: skip

    def fates(self, marker: str, count: int) -> dict[str, str]:
        """Wait for so many rows of a mail and return domain -> fate."""
        rows: list[Any] = []

        def there() -> bool:
            rows[:] = [row for row in journal(self.gateway, text=marker) if row.plugin != "courier"]
            return len(rows) >= count

        wait_until(there, f"{count} rows of a mail, there are {[row.fate for row in rows]}")
        assert count == len(rows)
        return {row.domain.partition(".")[0]: row.fate for row in rows}

    def kept(self, marker: str) -> dict[str, str]:
        """Return domain -> outcome of the copies in the archive."""
        archive = Archive(self.gateway.data / "archive", 1 << 40, 1)
        return {kept.domain.partition(".")[0]: kept.outcome for kept in archive.list(text=marker, limit=1000)}


@dataclass
class Sent:
    """What was said to a mail."""

    marker: str
    rcpts: list[int]
    each: list[int]
    """With PRDR, in the order of the accepted recipients."""
    final: int


@pytest.fixture(scope="module")
def houses() -> Iterator[Houses]:
    """Give a gateway with two workers, a domain for each fate, and a client that all of them deny."""
    no, later = {"final": b"550 5.7.1 Not here\r\n"}, {"final": b"451 4.3.0 Not now\r\n"}
    with behind() as up, behind(**no) as one, behind(**later) as two, running(smtp={"workers": 2}) as gateway:
        host(gateway, "plain.example", up.url)
        host(gateway, "tags.example", up.url, deny_list__action="tag")
        host(gateway, "holds.example", up.url, deny_list__action="quarantine")
        host(gateway, "refuses.example", up.url, refuse_at="data")
        host(gateway, "at-once.example", up.url, refuse_at="rcpt")
        host(gateway, "defers.example", up.url, deny_list__action="defer")
        host(gateway, "down.example", "smtp://127.0.0.1:1")
        host(gateway, "spools.example", "smtp://127.0.0.1:1", on_backend_down="spool")
        host(gateway, "says-no.example", one.url)
        host(gateway, "says-later.example", two.url)
        host(gateway, "splits.example", up.url, mixed="split")
        for domain in ("tags", "holds", "refuses", "at-once", "defers"):
            deny(gateway, f"{domain}.example", DENIED)
        in_force()
        yield Houses(gateway, up, one, two)


def send(houses: Houses, *domains: str, prdr: bool = False) -> Sent:
    """Send one mail for these domains; the marker stands in sender and subject."""
    marker = uuid.uuid4().hex
    with Talk(houses.gateway.port, DENIED) as talk:
        addresses = [f"{marker}@{domain}.example" for domain in domains]
        said = talk.begin(*addresses, sender=f"{marker}@client.example", mail=" PRDR" * prdr)
        rcpts = [code for code, _ in said]
        if 250 not in rcpts:
            return Sent(marker, rcpts, [], 0)
        code, _ = talk.data(f"Subject: {marker}\r\n\r\nx\r\n".encode())
        if code != 353:
            return Sent(marker, rcpts, [], code)
        each = [talk.reply()[0] for _ in range(rcpts.count(250))]
        return Sent(marker, rcpts, each, talk.reply()[0])


@pytest.mark.parametrize("domain", ALONE)
def test_alone(houses: Houses, domain: str) -> None:
    """What each domain does with a mail of its own: the measure for everything below."""
    sent = send(houses, domain)
    assert ALONE[domain][:2] == (sent.rcpts[0], sent.final)
    assert {domain: ALONE[domain][2]} == houses.fates(sent.marker, 1)
    assert [domain] * (domain in ("plain", "tags")) == houses.delivered(sent.marker)
    if domain == "tags":
        (mail,) = [mail for mail in houses.up.taken if sent.marker.encode() in mail.wire]
        assert b"X-Spam-Flag: YES" in mail.wire
    kept = {"holds": "quarantined", "refuses": "rejected"}
    assert {k: v for k, v in kept.items() if k == domain} == houses.kept(sent.marker)


def expected(domains: tuple[str, str]) -> tuple[list[int], dict[str, str], int]:
    """Return replies to RCPT, fates and final reply of a mail for two domains without PRDR (CONTRACT 5)."""
    rcpts, fates = [], {}
    accepted: list[str] = []
    for domain in domains:
        code, _, fate = ALONE[domain]
        if domain == "refuses" and any(one != "refuses" for one in accepted):
            code = 550  # somebody else's copy is accepted already; kept from the data that follow
        if code == 250:
            accepted.append(domain)
        rcpts.append(code)
        fates[domain] = fate
    if not accepted:
        return rcpts, fates, 0
    finals = [ALONE[domain][1] for domain in accepted]
    if 250 in finals:  # somebody has it: what is refused is kept for its owner, what is deferred is queued
        into = {"rejected": "quarantined", "deferred": "queued"}
        for domain in accepted:
            fates[domain] = into.get(fates[domain], fates[domain])
        return rcpts, fates, 250
    if 451 in finals:  # the client keeps it for all
        for domain in accepted:
            fates[domain] = "deferred"
        return rcpts, fates, 451
    return rcpts, fates, 550


@pytest.mark.parametrize("first", ALONE)
def test_each_pair(houses: Houses, first: str) -> None:
    """T8.2: what one domain switched on never touches the other's mail, in either order, without PRDR."""
    pairs = [(first, second) for second in ALONE if second != first]
    mails = [send(houses, *pair) for pair in pairs]
    for pair, sent in zip(pairs, mails, strict=True):
        rcpts, fates, final = expected(pair)
        assert (rcpts, final) == (sent.rcpts, sent.final), pair
        assert fates == houses.fates(sent.marker, 2), pair
        wanted = sorted(domain for domain in pair if fates[domain] == "accepted")
        assert wanted == houses.delivered(sent.marker), pair
        kept = houses.kept(sent.marker)
        for domain, code in zip(pair, rcpts, strict=True):
            if fates[domain] == "quarantined":
                assert kept[domain] in ("quarantined", "refused_by_backend"), pair
            elif domain == "refuses" and final and (code == 550 or final == 550):
                assert kept[domain] in ("rejected", "quarantined"), pair
            else:
                assert domain not in kept, pair


@pytest.mark.parametrize("first", ALONE)
def test_each_pair_with_prdr(houses: Houses, first: str) -> None:
    """With PRDR each recipient is answered as if it were alone, and nothing is held or queued for it."""
    pairs = [(first, second) for second in ALONE if second != first]
    mails = [send(houses, *pair, prdr=True) for pair in pairs]
    for pair, sent in zip(pairs, mails, strict=True):
        rcpts, _, _ = expected(pair)
        assert rcpts == sent.rcpts, pair
        alone = [ALONE[domain][1] for domain, code in zip(pair, rcpts, strict=True) if code == 250]
        if len(alone) > 1:
            assert alone == sent.each, pair
            assert (250 if 250 in alone else min(alone)) == sent.final, pair
        elif alone:
            assert (alone, []) == ([sent.final], sent.each), pair
        assert {domain: ALONE[domain][2] for domain in pair} == houses.fates(sent.marker, 2), pair
        assert sorted({"plain", "tags"} & set(pair)) == houses.delivered(sent.marker), pair


def test_split(houses: Houses) -> None:
    """`mixed=split`: 452 4.5.3 at RCPT for who differs from the first, if either owner wants that told."""
    sent = send(houses, "plain", "splits", "tags")
    assert ([250, 452, 250], 250) == (sent.rcpts, sent.final)
    assert {"plain": "accepted", "splits": "deferred", "tags": "accepted"} == houses.fates(sent.marker, 3)
    assert ["plain", "tags"] == houses.delivered(sent.marker)
    sent = send(houses, "splits", "splits", "plain", "refuses")
    assert ([250, 250, 452, 452], 250) == (sent.rcpts, sent.final)


def test_every_recipient_that_was_named_has_its_row(houses: Houses) -> None:
    """RSET, QUIT, a lost connection, a message of bad form: who was named at RCPT stands in the journal."""
    for end in (b"RSET\r\n", b"QUIT\r\n", b"", b"DATA\r\n", b"EHLO again.example\r\n"):
        marker = uuid.uuid4().hex
        with Talk(houses.gateway.port, DENIED) as talk:
            names = ("plain", "refuses", "at-once")
            said = talk.begin(*(f"{marker}@{name}.example" for name in names))
            assert [250, 550, 550] == [code for code, _ in said]
            talk.send(end)
            if end:
                talk.reply()
        fates = houses.fates(marker, 3)
        assert {"plain": "abandoned", "refuses": "rejected", "at-once": "rejected"} == fates, end
    marker = uuid.uuid4().hex
    with Talk(houses.gateway.port, DENIED) as talk:
        talk.begin(f"{marker}@plain.example", f"{marker}@refuses.example")
        assert 550 == talk.data(b"Subject: x\r\n\r\n\0\r\n")[0]
    assert {"plain": "rejected", "refuses": "rejected"} == houses.fates(marker, 2)


def test_the_sum_closes() -> None:
    """L15: as many rows as recipients; each with 250 is delivered, held, or queued and delivered, once."""
    dice = random.Random(15)
    port = free_port()
    with behind() as up, running(smtp={"workers": 2}) as gateway:
        names = ["plain", "holds", "refuses", "down", "spools"]
        for name in names:
            route = f"smtp://127.0.0.1:{port}" if name in ("down", "spools") else up.url
            how: dict[str, str] = {"on_backend_down": "spool"} if name == "spools" else {}
            how |= {"deny_list__action": "quarantine"} if name == "holds" else {}
            host(gateway, f"{name}.example", route, **how)
        for name in ("holds", "refuses"):
            deny(gateway, f"{name}.example", DENIED)
        in_force()
        houses = Houses(gateway, up, up, up)

        named, promised = 0, Counter[tuple[str, str]]()
        for _ in range(120):
            chosen = [dice.choice(names) for _ in range(dice.randint(1, 4))]
            chosen = list(dict.fromkeys(chosen))
            sent = send(houses, *chosen, prdr=dice.random() < 0.3)
            named += len(chosen)
            taken = [name for name, code in zip(chosen, sent.rcpts, strict=True) if code == 250]
            answers = sent.each or [sent.final] * len(taken)
            for name, answer in zip(taken, answers, strict=True):
                if answer == 250:
                    promised[name, sent.marker] += 1
                assert answer // 100 in (2, 4, 5)

        wait_until(lambda: len(journal(gateway)) >= named, f"{named} rows")
        rows = journal(gateway)
        assert named == len(rows)
        fates = Counter(row.fate for row in rows)
        held = {
            (row.domain.split(".")[0], row.recipient.split("@")[0])
            for row in rows if row.fate == "quarantined"
        }  # fmt: skip
        queued = gateway.json("queue", "list")
        assert fates["queued"] == len(queued)
        assert sum(promised.values()) == fates["accepted"] + fates["queued"] + fates["quarantined"]
        for name, marker in held:
            assert name in houses.kept(marker)

        with behind() as late, closing(policy(gateway)) as store:
            for name in ("down", "spools"):
                store.put(f"domain:{name}.example", {"route": [late.url]})
            in_force()
            gateway.cli("queue", "retry", "--all")
            wait_until(lambda: not gateway.json("queue", "list"), "an empty queue")
            arrived = Counter(
                (rcpt.partition("@")[2].partition(".")[0], rcpt.partition("<")[2].partition("@")[0])
                for mail in (*up.taken, *late.taken) for rcpt in mail.rcpts
            )  # fmt: skip
        assert set(promised) == set(arrived) | held
        assert {1} == set(arrived.values())
        assert not set(arrived) & held
        wait_until(lambda: len(journal(gateway)) == named + len(queued), "a row for each that was queued")
        assert fates["queued"] == len([row for row in journal(gateway) if row.plugin == "courier"])
