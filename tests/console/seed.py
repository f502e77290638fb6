"""A week of mail for a house: something to show on every page. The same each time."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gatepost.desk import (
    alarm_book,
    aliases,
    batv,
    checks,
    domains,
    forwarders,
    lists,
    reviews,
    rules,
    storms,
    tokens,
    training,
    users,
)
from gatepost.desk.alarms import Alarm
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.plugin.batv import since_key
from gatepost.plugin.counted import NO_LIMIT, Kept, key_of
from gatepost.plugins.localpart_rules import DAY, MONTH
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.index import Kept as KeptMail
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.telemetry.conditions import Conditions
from tests.console.house import House
from tests.desk.refused import refuse

DAYS = 14
FATES = (
    ("accepted", "", 250, "delivered", 10),
    ("rejected", "recipients", 550, "no such user", 14),
    ("rejected", "dnsbl", 550, "zen.test knows the client (127.0.0.2)", 9),
    ("rejected", "helo_name", 550, "HELO name is not fully qualified", 3),
    ("deferred", "greylist", 451, "stranger, first try", 3),
    ("quarantined", "spf", 250, "SPF says fail for the sender's domain", 2),
)
SENDERS = ("mia@partner.example", "news@shop.example", "", "x7@bulk.example", "billing@paper.example")


def now() -> float:
    """Return the time; pages show ages, so it is the true one."""
    return time.time()


def apart(deed: Callable[[], None]) -> None:
    """Do what runs a loop of its own; in the thread of a driven browser there is one already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(deed).result()


def journal(house: House, at: float, days: int = DAYS, each_day: int = 60) -> None:
    """Write some days of outcomes for both domains."""
    dice = random.Random(7)
    clock = [0.0]
    writer = JournalWriter(house.data, "seed", clock=lambda: clock[0])
    number = 0
    for day in range(days, -1, -1):
        for n in range(each_day + dice.randrange(20)):
            clock[0] = at - day * 86_400 - dice.randrange(3_600, 80_000) if day else at - (80 - n) * 97
            fate, plugin, code, reason, _ = dice.choices(FATES, [one[4] for one in FATES])[0]
            domain = dice.choice(("ann.example", "ann.example", "eve.example"))
            number += 1
            session = f"{number:013d}".translate(str.maketrans("0123456789", "3479ACDEFH"))
            trace = [["recipients", "rcpt", "", 0.1, ""], ["dnsbl", "connect", "", 12.4, ""]]
            if n % 9 == 0:
                trace.append(["rdns", "connect", "watch reject", 8.0, "the client has no host name"])
            if plugin:
                trace.append([plugin, "rcpt", "defer" if fate == "deferred" else "reject", 3.0, reason])
            client = f"192.0.2.{dice.randrange(1, 250)}"
            writer.add(
                outcome_line(
                    f"{session}.1", domain, f"you@{domain}", dice.choice(SENDERS), client, fate, plugin,
                    reason, code, size=dice.randrange(900, 90_000), subject=f"Offer {n} for you",
                    trace=json.dumps(trace, separators=(",", ":")), seconds=dice.random(),
                )
            )  # fmt: skip
            writer.add(
                session_line(session, client, "mail.client.example", "mail.client.example", "", fate, 1)
            )
            writer.flush()
    writer.close()


def storm(house: House, at: float) -> None:
    """Let bounces come to two addresses of ann's: one is closed now, one was opened by hand."""
    dice = random.Random(3)
    clock = [0.0]
    writer = JournalWriter(house.data, "storm", clock=lambda: clock[0])
    for hour in range(30, -1, -1):
        for n in range(max(0, 90 - abs(hour - 14) * 9) + dice.randrange(6)):
            clock[0] = at - hour * 3_600 - n
            plugin = "bounce" if n % 4 == 0 else "bounce_storm"
            writer.add(
                outcome_line(
                    f"{hour * 100 + n:013d}".translate(str.maketrans("0123456789", "3479ACDEFH")) + ".1",
                    "ann.example", "you@ann.example", "", "192.0.2.9", "rejected", plugin,
                    "the address is closed to bounces for a while", 550,
                )
            )  # fmt: skip
        writer.flush()
    writer.close()
    rows = {
        "you": {"since": at - 54_000, "until": at + 2_400, "bounces": 20},
        "postmaster": {"since": at - 200_000, "until": at - 190_000, "bounces": 31, "opened_by": "ann"},
    }

    def write() -> None:
        with house.desk() as desk:
            for local, row in rows.items():
                at_once(desk.records.put("ann.example", "bounce_storm", f"closed {local}", row))
            checks.set_mode(desk, "ann.example", "bounce_storm", "on")
            storms.except_for_good(desk, "ann.example", "news")

    apart(write)


def counted(house: House) -> None:
    """Let somebody use counted addresses of ann's domain: used up, open, dated, for one sender alone."""
    at = house.site.clock() - 90_000
    made = (
        ("shop", 3, Kept(3, made=at, by="offers@shop.example", address="shop.3.you@ann.example")),
        ("club", 1, Kept(5, made=at, by="news@club.example", address="club.5.you@ann.example")),
        ("fair", 7, Kept(NO_LIMIT, at + 700_000, made=at, address="fair.2026-12-24.you@ann.example")),
        ("bank", 2, Kept(NO_LIMIT, only="@bank.example", made=at, address="bank.*.you@ann.example")),
    )
    with house.desk("ann") as desk:
        for word, times, kept in made:
            place = ("ann.example", aliases.PLUGIN, key_of("you", word))
            for _ in range(times):
                held = at_once(desk.records.reserve(*place, NO_LIMIT, 600))
                assert held is not None
                at_once(desk.records.settle(held, used=True, record=kept.record()))
        checks.set_mode(desk, "ann.example", aliases.PLUGIN, "on")


async def strangers(desk: Desk) -> None:
    """Count two weeks of greylisting of ann's domain, as the workers do."""
    state = desk.state_of("greylist", "ann.example")
    today = int(desk.clock() // DAY)
    for ago in range(13, -1, -1):
        first = 60 + ago * 7 % 31
        back = first // 3 - (0 if ago else 12)
        for word, number in (("first", first), ("back", back), ("seconds", back * (400 + 13 * ago))):
            await state.add(f"bill {today - ago} {word}", number, MONTH)
    desk.state.flush()


def proofs(house: House) -> None:
    """Give ann's domain forwarders, signed addresses with two keys, and a bill of greylisting."""

    def write() -> None:
        with house.desk("ann") as desk:
            now = int(desk.clock())
            for name, mails in (("lists.club.example", 100), ("forward.isp.example", 10)):
                row = {"mails": mails, "last": now - 7_000}
                at_once(desk.records.put("ann.example", "dmarc", f"forwarder {name}", row))
            forwarders.trust(desk, "ann.example", "lists.club.example")
            batv.add(desk, "ann.example", ["you", "postmaster", "news"])
            batv.new_key(desk, "ann.example")
            for local, days in (("you", 30), ("postmaster", 2)):
                at_once(
                    desk.records.put("ann.example", "bounce", since_key(local), {"since": now - days * DAY})
                )
            batv.refuse(desk, "ann.example", True)
            for check in ("bounce", "greylist"):
                checks.set_mode(desk, "ann.example", check, "on")
            asyncio.run(strangers(desk))

    apart(write)


def name_rules(house: House) -> None:
    """Give ann's domain an exception, two rules, and some hits."""
    made = (
        rules.make(pattern="route66", how="whole", then="pass", note="Our newsletter about roads"),
        rules.make(pattern="[0-9]$", how="regex", text="No mailbox here has a digit", note="storm of June"),
        rules.make(pattern="|", then="later"),
    )

    async def hit(desk: Desk) -> None:
        state = desk.state_of(rules.CHECK, "ann.example")
        for window in (DAY, MONTH):
            await state.add(f"hits {made[1].id}", int(window // 4_000), window)
        await state.put(f"last {made[1].id}", b"%d" % int(desk.clock() - 700), MONTH)
        desk.state.flush()

    def write() -> None:
        with house.desk("ann") as desk:
            rules.add(desk, "ann.example", made)
            asyncio.run(hit(desk))

    apart(write)


def settings(house: House) -> None:
    """Set what people set."""
    with house.desk("ann") as desk:
        checks.set_mode(desk, "ann.example", "rdns", "watch")
        domains.set_values(
            desk, "ann.example", {"dnsbl.mode": "on", "dnsbl.zones": ["zen.test", "bl.test*2"]}
        )
        domains.set_values(desk, "ann.example", {"score.quarantine_at": 8})
        digest = {"digest": "daily", "digest.to": ["postmaster"], "digest.zone": "Europe/Berlin"}
        domains.set_values(desk, "ann.example", digest)
        note = "Our printer's supplier; asked on the phone"
        lists.add(
            desk, "ann.example", "allow", "mia@partner.example", plugin="dnsbl", expires="30d", note=note
        )
        desk.records.count_use(
            lists.add(desk, None, "deny", "192.0.2.0/24", note="A botnet's network", locked=True).id, 118
        )
        lists.add(desk, "ann.example", "deny", "bulk.example", note="never again")
        lists.add(desk, "you@ann.example", "allow", "news@shop.example", verified=True)
        desk.records.flush()


def people(house: House) -> None:
    """Keep the house's people as users too: their account has a page."""
    with house.desk("root") as desk:
        for one in house.people.known.values():
            users.add(desk, one.name, "correct horse", one.role, one.domains, one.language, one.zone)
        tokens.add(desk, "ann", "monitoring", domains=["ann.example"])


LETTER = b"""From: =?utf-8?q?J=C3=BCrgen?= <mia@partner.example>
To: you@ann.example
Subject: The offer that you asked for
Date: Wed, 25 Nov 2026 08:30:00 +0100
Message-ID: <1@partner.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/html; charset=utf-8

<h1>Dear customer</h1><p>Here is <a href="https://partner.example/offer">our offer</a>.</p>
<table><tr><td>Screws</td><td>12.50</td></tr><tr><td>Nails</td><td>3.20</td></tr></table>
<img src="https://partner.example/seen.gif">
--x
Content-Type: application/pdf; name="offer.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--x--
""".replace(b"\n", b"\r\n")
KEPT = "3479ACDEFH347"
REFUSED = "3479ACDEFH349"
"""The session of a mail whose sender was told of his page."""


def keep(house: House, raw: bytes = LETTER, subject: str = "The offer that you asked for") -> list[str]:
    """Keep some mail of both domains; the first copy is always under the same name, on the house's day."""
    at = house.site.clock() - 600
    refs = []
    with house.desk() as desk:
        for n, domain in enumerate(("ann.example", "ann.example", "eve.example")):
            session = f"{KEPT[:-1]}{7 + n}" if n else KEPT
            copy = KeptMail(
                f"{session}.1", at + n, "mia@partner.example", f"you@{domain}", domain, "192.0.2.1",
                "mail.partner.example", "mail.partner.example", "SPF says fail for the domain", "spf",
                "quarantined" if n else "rejected", bool(n), 0.0, subject, "<1@partner.example>", len(raw),
            )  # fmt: skip
            refs.append(desk.archive.keep(copy, [raw]))
    return refs


def wait(house: House, at: float, last: str = "451 4.3.2 mailbox is busy") -> None:
    """Let a mail wait for the domain's own server."""
    rcpt = Rcpt("you@ann.example", last=last)
    envelope = Envelope(
        "waiting-1", "mia@partner.example", (rcpt,), at - 900, at + 300, "ann.example", reason="deferred",
        attempts=3, size=len(LETTER),
    )  # fmt: skip
    with house.desk() as desk:
        desk.queue.put(envelope, [LETTER])


def lessons(house: House) -> None:
    """Teach ann's domain a few mails, by three people; one training is taken back."""
    people_and_ways = (("ann", "console"), ("you@ann.example", "address"), ("root", training.COMMAND_LINE))
    for n in range(12):
        by, how = people_and_ways[n % 3]
        subject = f"Cheap pills {n}" if n % 2 else f"The meeting of project {n}"
        raw = f"From: x{n}@bulk.example\r\nSubject: {subject}\r\n\r\n{subject}, see you.\r\n".encode()
        with house.desk(by) as desk:
            lesson = training.Lesson(raw, f"{KEPT}.1" if n == 9 else "")
            training.train(desk, "ann.example", [lesson], spam=bool(n % 2), how=how)
    with house.desk("ann") as desk:
        domains.set_values(desk, "ann.example", {"classifier.mode": "on"})
        training.undo(desk, "ann.example", [4])


def refused(house: House, **more: Any) -> str:
    """Refuse a mail to ann's domain, which shows refused senders why; returns the token of the reply."""
    with house.desk("ann") as desk:
        domains.set_values(desk, "ann.example", {"why.page": True})
        return refuse(desk, "you@ann.example", session=REFUSED, **more)


def review(house: House) -> None:
    """Let two refused senders ask ann for a review; one was decided."""
    asked = (("3479ACDEFH34A", "", "x7@bulk.example"), (KEPT, "Our offer, as you asked for on Monday.", ""))
    with house.desk("ann") as desk:
        for session, text, contact in asked:
            token = refuse(desk, "you@ann.example", session=session, plugin="spf")
            reviews.ask(desk, token, "192.0.2.9", contact or "mia@partner.example", text)
        (first, *_) = reviews.listing(desk, ["ann.example"])[::-1]
        reviews.decide(desk, "ann.example", first.id, reviews.DECLINE)


def trouble(house: House) -> None:
    """Let a DNS list and eve's own server be in trouble, and others be well."""
    at = house.site.clock()
    seen = Conditions()
    seen.ill("list", "bl.partner.example", "it lists 127.0.0.1, so it lists everything", at - 5_000)
    seen.well("list", "zen.test", at - 300)
    seen.well("scanner", "unix:/run/clamav/clamd.ctl", at - 20)
    seen.ill(
        "backend", "10.0.0.6:25", "10.0.0.6:25: no connection (Connection refused)", at - 900, "eve.example"
    )
    seen.well("backend", "10.0.0.5:25", at - 8)
    (house.data / "run").mkdir(exist_ok=True)
    seen.write(house.data / "run" / "conditions-w0.json", at)

    def write() -> None:
        with house.desk() as desk:
            for one in seen.all():
                if one.why:
                    alarm = Alarm(
                        one.kind, one.name, one.why, one.since, one.seen, domains=tuple(one.domains)
                    )
                    alarm_book.remember(desk, alarm)

    apart(write)


def sow(house: House) -> None:
    """Do it all."""
    people(house)
    settings(house)
    journal(house, house.site.clock())
    counted(house)
    name_rules(house)
    proofs(house)
    storm(house, house.site.clock())
    keep(house)
    wait(house, house.site.clock())
    lessons(house)
    refused(house)
    review(house)
    trouble(house)
