"""A storm of forged bounces: refused at RCPT, bounded in every measure, and a neighbour's mail flows on."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.batv import make
from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, host, in_force, journal, metric, running, workers
from tests.system.talk import Talk

STORM = 3_000
SENDERS = 4
"""Threads that storm at once."""
BOUNCE = (
    b"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail Returned to Sender\r\n\r\n<nobody@x>\r\n"
)


@pytest.fixture(scope="module")
def back_end() -> Iterator[Backend]:
    """Give a back end that takes everything."""
    with behind() as backend:
        yield backend


@pytest.fixture(scope="module")
def gateway(back_end: Backend) -> Iterator[Gateway]:
    """Give a gateway with two workers: `ann` and `bob` exist, copies are kept of what is refused."""
    with running(smtp={"workers": 2, "max_connections_per_client": 200}) as gateway:
        for domain in ("example.org", "second.example", "storm.example"):
            host(
                gateway,
                domain,
                back_end.url,
                recipients="list",
                bounce_storm__mode="on",
                bounce_storm__bounces=5,
            )
            gateway.cli("recipient", "add", domain, "ann", "bob", "shop")
        in_force()
        yield gateway


def answers(gateway: Gateway, recipient: str, sender: str = "", times: int = 8) -> set[int]:
    """Ask for a recipient over so many connections, so that both workers are asked; the codes."""
    return {gateway.rcpt(recipient, sender=sender)[0] for _ in range(times)}


def test_twenty_bounces_close_the_address(gateway: Gateway, back_end: Backend) -> None:
    """systems-before 7.4: closed by itself in all workers, at RCPT also with refuse_at=data; then opened."""
    taken = 0
    while gateway.send(["ann@example.org"], BOUNCE, sender="")[0] == 250:
        taken += 1
        assert taken < 200, "never closed"
    assert taken >= 5  # exactly so many in one worker; two tell each other twice a second
    wait_until(lambda: answers(gateway, "ann@example.org") == {550}, "closed in both workers")

    code, text = gateway.rcpt("ann@example.org", sender="")
    assert (550, "5.7.1") == (code, text.split()[0])
    assert "bounces" in text
    assert {250} == answers(gateway, "ann@example.org", "me@client.example")
    assert {250} == answers(gateway, "bob@example.org")
    assert {250} == answers(gateway, "ann@second.example")
    challenge = b"Auto-Submitted: auto-replied\r\nSubject: Please confirm your message\r\n\r\n"
    assert 550 == gateway.send(["ann@example.org"], challenge)[0]
    assert "ann@example.org is closed to bounces" in gateway.said()
    wait_until(lambda: "rejected" in {row.fate for row in journal(gateway, domain="example.org")}, "written")
    rows = journal(gateway, domain="example.org")
    assert {"bounce_storm"} == {row.plugin for row in rows if row.fate == "rejected"}
    assert "bounces within 10 minutes: the address is closed" in str([row.trace for row in rows])
    assert not [row for row in rows if row.fate == "rejected" and row.sender == "" and row.archive_ref]
    (row,) = gateway.json("storm", "list", "example.org")
    assert ("ann@example.org", True) == (row["address"], row["closed"])
    assert 5 <= row["bounces"] <= taken

    gateway.cli("storm", "open", "example.org", "ann")
    wait_until(lambda: answers(gateway, "ann@example.org") == {250}, "open in both workers")
    assert 250 == gateway.send(["ann@example.org"], BOUNCE, sender="")[0]
    assert {250} == answers(gateway, "ann@example.org")
    assert [] == gateway.json("storm", "list")
    gateway.cli("domain", "set", "example.org", "bounce_storm.mode=off")


def test_own_bounces_pass_a_closed_address(gateway: Gateway, back_end: Backend) -> None:
    """systems-before 7.4, BATV: while an address is closed, a bounce with a valid tag still comes in."""
    gateway.cli("domain", "set", "storm.example", "bounce.mode=on", 'bounce.batv_keys=["0:secret"]')
    in_force()
    sent = 0
    while gateway.send(["shop@storm.example"], BOUNCE, sender="")[0] == 250:
        sent += 1
        assert sent < 200, "never closed"
    wait_until(lambda: answers(gateway, "shop@storm.example") == {550}, "closed in both workers")
    tagged = make(parse_address("shop@storm.example"), 0, b"secret", time.time())
    assert tagged is not None
    assert 250 == gateway.send([tagged.text], BOUNCE, sender="")[0]
    forged = tagged.text.replace("prvs=0", "prvs=1")
    assert 550 == gateway.send([forged], BOUNCE, sender="")[0]
    assert {250} == answers(gateway, tagged.text)


def test_rules_are_in_force_at_once(gateway: Gateway) -> None:
    """A rule typed while the server runs refuses at RCPT within a second, counts, and is taken away again."""
    gateway.cli("recipient", "add", "second.example", "ann7", "o'neil")
    gateway.cli("rules", "import", "second.example", "--six")
    wait_until(lambda: answers(gateway, "ann7@second.example", "me@x.example") == {550}, "in force")
    code, text = gateway.rcpt("o'neil@second.example")
    assert (550, "5.1.1", True) == (code, text.split()[0], "apostrophe" in text)
    assert {250} == answers(gateway, "ann@second.example", "me@x.example")

    def hits() -> list[int]:
        return [rule["hits_month"] for rule in gateway.json("rules", "list", "second.example")]

    wait_until(lambda: sum(hits()) >= 9, "hits written")
    found = hits()
    assert found[0] >= 8
    assert 1 == found[5]
    gateway.cli("rules", "remove", "second.example", "[0-9]@")
    wait_until(lambda: answers(gateway, "ann7@second.example", "me@x.example") == {250}, "gone")


def storm(gateway: Gateway, seed: int, number: int, codes: Counter[int], ids: list[str]) -> None:
    """Send bounces, half of them with real-looking senders, to local parts that nobody has."""
    dice = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    for n in range(number):
        local = "".join(dice.choices(letters, k=dice.randint(4, 12))) + "x"
        sender = "" if n % 2 else f"{local[:3]}@mail{n % 50}.example"
        with Talk(gateway.port, f"127.0.{seed + 1}.{n % 200 + 1}") as talk:
            talk.say("EHLO mx.example")
            talk.send(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{local}@storm.example>\r\nQUIT\r\n")
            talk.reply()
            code, text = talk.reply()
            codes[code] += 1
            ids.append(text.rpartition("(")[2].rstrip(")"))


def resident(gateway: Gateway) -> int:
    """Return the memory of workers and keeper together, in KiB."""
    return sum(
        int(line.split()[1])
        for pid in workers(gateway)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )


def test_row_7_4_two_outcomes(gateway: Gateway, back_end: Backend) -> None:
    """systems-before 7.4: thousands of bounces to made-up addresses are refused at RCPT, and each can be
    explained; memory, disk and database stay bounded, and the other domain's mail passes without waiting."""
    wait_until(lambda: answers(gateway, "bob@second.example", "me@x.example") == {250}, "in force")
    rows, memory = len(journal(gateway)), resident(gateway)
    codes: Counter[int] = Counter()
    ids: list[str] = []
    each = STORM // SENDERS
    threads = [threading.Thread(target=storm, args=(gateway, n, each, codes, ids)) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    took: list[float] = []
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        assert 250 == gateway.send(["bob@second.example"], b"Subject: lunch\r\n\r\nAt one?\r\n")[0]
        took.append(time.monotonic() - began)
    for thread in threads:
        thread.join()

    assert Counter({550: STORM}) == codes
    assert len(took) >= 20
    assert sorted(took)[int(len(took) * 0.99)] < 1.0
    wait_until(lambda: len(journal(gateway)) >= rows + STORM + len(took), "journal")
    assert resident(gateway) - memory < 40_000
    stormed = [
        row
        for row in journal(gateway, domain="storm.example")
        if not row.recipient.endswith("shop@storm.example")
    ]
    assert STORM == len(stormed)
    assert {("recipients", "rejected")} == {(row.plugin, row.fate) for row in stormed}
    for one in random.Random(1).sample(ids, 5):
        assert "no such recipient" in gateway.cli("explain", one).stdout
    assert not list(gateway.data.glob("archive/*/storm.example/*"))
    assert disk(gateway, "journal.db") / (2 * STORM) < 600, "octets for each of a mail's two rows"
    assert disk(gateway, "state.db") < 500_000
    assert 0 == metric(gateway, "gatepost_plugin_failures_total")


def disk(gateway: Gateway, name: str) -> int:
    """Return the size of a database, all written into its file."""
    path = gateway.data / name
    with sqlite3.connect(path, timeout=20) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def test_traces_of_a_storm_are_folded(gateway: Gateway) -> None:
    """CONTRACT 8: of like refusals of one client within a minute one keeps its trace; each keeps its line."""
    for n in range(60):
        assert 550 == gateway.rcpt(f"nosuch{n}@storm.example", source="127.0.9.9", sender="")[0]

    def mine() -> list[Any]:
        return [row for row in journal(gateway, domain="storm.example") if row.client == "127.0.9.9"]

    wait_until(lambda: len(mine()) >= 60, "journal")
    found = mine()
    traced = [row for row in found if row.trace]
    assert len(traced) <= 4  # two workers, and a minute may end in between
    assert 60 == len({row.id for row in found}) == len({row.recipient for row in found})
    assert {row.folded_into for row in found if not row.trace} <= {row.id for row in traced}
