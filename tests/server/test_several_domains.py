"""One mail for domains that judge it differently: each copy has its own outcome, and nothing of another."""

from __future__ import annotations

import asyncio
from typing import Any

from gatepost.plugin.learning import models_in
from gatepost.plugin.registry import Registry, load
from gatepost.plugin.tools import Killed
from gatepost.relay.results import Result
from gatepost.server.training import Marks
from gatepost.store.deaths import Deaths
from gatepost.store.delivered import Delivered
from tests.plugin.archive_cases import EXE, mail
from tests.plugin.teaching import SECRET
from tests.server.indoors import Indoors, inside

CHECKS = ("headers", "attachments", "classifier", "training")
ON = {"attachments.mode": "on"}
FORGED = b"X-Spam-Flag: NO\r\nX-Gatepost-Tags: evil\r\n"
HOSTED: dict[str, dict[str, Any]] = {
    "refuses.test": ON,
    "holds.test": {**ON, "attachments.action": "quarantine"},
    "tags.test": {**ON, "attachments.action": "tag"},
    "points.test": {**ON, "attachments.denied_name": 2.5, "attachments.denied_type": "ignore"},
    "trains.test": {"attachments.mode": "watch", "classifier.mode": "on", "training.mode": "on"},
    "off.test": {"training.mode": "off"},
}
ADDED = {
    "tags.test": {"X-Spam-Flag", "X-Gatepost-Tags"},
    "points.test": {"X-Spam-Level", "X-Spam-Status"},
    "trains.test": {"X-Gatepost-Id", "X-Gatepost-Classifier"},
    "off.test": set[str](),
}


def opened(house: Indoors, hosted: dict[str, dict[str, Any]]) -> Indoors:
    """Host these domains, with the checks that read messages."""
    more = [one for one in load(None, entries=False) if one.name in CHECKS]
    house.registry = Registry([(o.name, o.plugin, o.origin, o.error) for o in (*house.registry, *more)])
    house.tools.models = models_in(house.folder)
    for name, settings in hosted.items():
        house.host(name, settings)
    house.open()
    house.gateway.marks = Marks(SECRET, Delivered(house.folder / "learn", "w0"))
    return house


@inside()
async def test_each_copy_its_own(house: Indoors) -> None:
    """Refused and held copies are held, others have their own marks alone; the rest is as it came."""
    opened(house, HOSTED)
    raw = mail(("setup.exe", EXE))
    _, said = await house.client().mail("x@y.example", [f"ann@{one}" for one in HOSTED], FORGED + raw)
    assert said.startswith("250")
    copies = {to.partition("@")[2]: data for _, to, data in house.back_end.taken}
    assert ADDED.keys() == copies.keys()
    for domain, data in copies.items():
        top = data.removesuffix(raw)
        assert data != top, f"{domain}: other bytes than came"
        names = {line.partition(b":")[0].decode() for line in top.splitlines() if line[:1] > b" "}
        assert ADDED[domain] | {"Received"} == names, domain
        assert not [one for one in HOSTED if one != domain and one.encode() in top]
        assert b"evil" not in top
    assert {"refuses.test", "holds.test"} == {kept.domain for kept in house.archive.list()}
    held = [row for row in house.outcomes() if row.fate == "quarantined"]
    assert {"ann@refuses.test", "ann@holds.test"} == {row.recipient for row in held}


@inside()
async def test_what_killed_its_reader_is_not_sent_on(house: Indoors) -> None:
    """Another's copy is delivered, so it does not come again: the unread one is held and not spooled."""
    opened(house, {"reads.test": {"headers.mode": "on"}, "off.test": {}})

    async def dies(*_: Any, **__: Any) -> Any:
        raise Killed("the process died")

    house.tools.in_worker = dies
    house.tools.deaths = Deaths(house.folder / "deaths")
    long = b"Subject: x\r\n\r\n" + b"hello there\r\n" * 100_000
    _, said = await house.client().mail("x@y.example", ["ann@reads.test", "ann@off.test"], long)
    assert said.startswith("250")
    assert ["ann@off.test"] == [to for _, to, _ in house.back_end.taken]
    assert 0 == len(house.queue)
    assert ["reads.test"] == [kept.domain for kept in house.archive.list()]
    assert {("ann@reads.test", "quarantined"), ("ann@off.test", "accepted")} == {
        (row.recipient, row.fate) for row in house.outcomes()
    }


@inside()
async def test_our_fault_at_one_copy_spoils_no_other(house: Indoors) -> None:
    """The other's copy is whole though it goes on slowly, comes once, and the faulty one waits."""
    opened(house, {"off.test": {}, "points.test": HOSTED["points.test"]})
    good = house.back_end.hand_off

    async def hand_off(*said: Any, **more: Any) -> list[Result]:
        if said[3][0].recipients[0].address.domain == "points.test":
            raise RuntimeError("a fault of ours")
        await asyncio.sleep(0.1)
        return await good(*said, **more)

    house.back_end.hand_off = hand_off  # type: ignore[method-assign]
    raw = mail(("setup.exe", EXE)) + b"x" * 70 + (b"\r\n" + b"y" * 70) * 20_000 + b"\r\n"
    _, said = await house.client().mail("x@y.example", ["ann@points.test", "ann@off.test"], raw)
    assert said.startswith("250")
    ((_, to, data),) = house.back_end.taken
    assert "ann@off.test" == to
    assert data.endswith(raw)
    assert ["points.test"] == [envelope.domain for envelope in house.queue.list()]
    assert "a fault of ours" in house.log_text()


@inside()
async def test_who_only_asks_for_smtputf8(house: Indoors) -> None:
    """A plain mail is handed on, and waits, as a plain one: not every server knows SMTPUTF8."""
    opened(house, {"off.test": {}, "waits.test": {"on_backend_down": "spool"}})
    house.back_end.says["waits.test"] = Result("unreachable", 451, "4.4.1", "gone")
    for subject, needed in (("x", False), ("j\u00f6rg", True)):
        text = f"Subject: {subject}\r\n\r\nj\u00f6rg\r\n".encode()
        to = ["ann@off.test", "ann@waits.test"]
        _, said = await house.client().mail("x@y.example", to, text, " SMTPUTF8")
        assert said.startswith("250")
        assert needed is house.back_end.params[-1].smtputf8
        assert needed is max(house.queue.list(), key=lambda one: one.created).smtputf8


@inside()
async def test_what_was_spooled_is_taken_back(house: Indoors) -> None:
    """Another's copy can be kept nowhere, so the client comes again: a copy each time would be many."""
    opened(house, {"waits.test": {"on_backend_down": "spool"}, "refuses.test": {}})
    house.back_end.says["waits.test"] = Result("unreachable", 451, "4.4.1", "gone")
    house.back_end.says["refuses.test"] = Result("refused", 550, "5.1.1", "no")
    house.archive.min_free = 1 << 62
    to = ["ann@waits.test", "ann@refuses.test"]
    _, said = await house.client().mail("x@y.example", to)
    assert said.startswith("451")
    assert 0 == len(house.queue)
    assert {(one, "deferred"): 1 for one in to} == house.fates()
    house.archive.min_free = 1024
    _, said = await house.client().mail("x@y.example", to)
    assert said.startswith("250")
    assert 1 == len(house.queue)
