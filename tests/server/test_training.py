"""Training on the way of a mail: its addresses, which nothing else is mixed with, and the signed id."""

from __future__ import annotations

import re
from typing import Any

from gatepost.mail import stamp
from gatepost.plugin.tools import CannotAnswer
from gatepost.relay.results import Result
from gatepost.server.training import Marks
from gatepost.store.delivered import Delivered
from tests.plugin.teaching import SECRET
from tests.plugins.test_training import MAIL, log, school, secret_of, send
from tests.server.indoors import Indoors, inside

ANN, BOB = "ann@example.org", "bob@example.org"


def marked(house: Indoors, **settings: Any) -> Indoors:
    """Host two domains that train, with marks."""
    school(house, **settings)
    for name in ("a.test", "b.test"):
        house.host(name, {"classifier.mode": "on"})
    house.open()
    house.gateway.marks = Marks(SECRET, Delivered(house.folder / "learn", "w0"))
    return house


def stamps(raw: bytes) -> list[stamp.Stamp]:
    """Return the signed ids of a mail."""
    return [
        s for s in map(stamp.read, re.findall(r"(?m)^X-Gatepost-Id:(.*)$", raw.decode())) if s is not None
    ]


@inside()
async def test_alone_in_its_transaction(house: Indoors) -> None:
    """One reply cannot speak for a training and a delivery, nor for spam and ham."""
    school(house)
    first, second = secret_of(), secret_of(spam=False)
    for pair in ((ANN, first), (first, ANN), (first, second)):
        rcpts, said = await house.client().mail("x@y.example", pair, MAIL)
        assert ["250", "452"] == [line[:3] for line in rcpts]
        assert "send it in a message of its own" in rcpts[1]
        assert said.startswith("250")


@inside()
async def test_postmaster_is_the_domains(house: Indoors) -> None:
    """RFC 5321, 4.5.1: at every domain that is hosted."""
    school(house)
    assert (await send(house, "Postmaster@train.example.org")).startswith("250")
    assert ["Postmaster@example.org"] == [to for _, to, _ in house.back_end.taken]
    assert (await send(house, "postmaster@train.foreign.test")).startswith("550 5.7.1")


@inside()
async def test_a_domain_of_that_name(house: Indoors) -> None:
    """Whoever hosts `train.example.org` itself gets its mail."""
    house.host("train.example.org", {}, "spam")
    school(house)
    assert (await send(house, "spam@train.example.org")).startswith("250")
    assert ["spam@train.example.org"] == [to for _, to, _ in house.back_end.taken]


@inside()
async def test_what_nobody_learnt_stays_with_the_client(house: Indoors) -> None:
    """A fault of ours is a 4xx: never delivered, held or spooled, and never a 250."""
    school(house, **{"training.on_failure": "pass"})
    faults: list[Any] = [CannotAnswer("the disk is full"), RuntimeError("a bug")]
    for fault in faults:

        async def broken(*_arguments: Any, fault: Exception = fault) -> None:
            raise fault

        house.tools.teacher.teach = broken
        assert (await send(house, secret_of())).startswith("451 ")
    house.tools.teacher = None
    assert (await send(house, secret_of())).startswith("451 ")
    assert not house.back_end.taken
    assert not house.archive.list()
    assert 0 == len(house.queue)
    assert ["deferred"] * 3 == [row.fate for row in house.outcomes()]


@inside()
async def test_the_signed_id(house: Indoors) -> None:
    """Each domain's copy has its own; that of several people names none of them; strangers' are taken out."""
    marked(house)
    forged = b"X-Gatepost-Id: 0DQ3N7V5K2F8T.1; s=aaaaaaaaaaaaaaaaaaaaaa\r\n"
    await house.client().mail("x@y.example", [ANN, BOB, "ann@a.test", "ann@b.test"], forged + MAIL)
    found = {to: stamps(raw) for _, to, raw in house.back_end.taken}
    assert {1} == {len(each) for each in found.values()}
    assert stamp.holds(found[ANN][0], SECRET, "example.org", [])
    assert found[ANN] == found[BOB]
    assert stamp.holds(found["ann@a.test"][0], SECRET, "a.test", ["ann@a.test"])
    assert not stamp.holds(found["ann@a.test"][0], SECRET, "a.test", [])
    assert not stamp.holds(found["ann@a.test"][0], SECRET, "b.test", ["ann@a.test", "ann@b.test"])
    assert 1 == len({each[0].id for each in found.values()})


@inside()
async def test_remembered_and_found_again(house: Indoors) -> None:
    """What was delivered, and to whom; what was refused by its server is not remembered."""
    marked(house)
    house.back_end.says["b.test"] = Result("refused", 550, "5.7.1", "no", "back end", True)
    await house.client().mail("x@y.example", [ANN, BOB, "ann@a.test", "ann@b.test"], MAIL)
    id_ = stamps(house.back_end.taken[0][2])[0].id
    kept = Delivered(house.folder / "learn")
    found = kept.find("example.org", id_)
    assert found is not None
    assert (ANN, BOB) == found[0].to
    assert ("ann@a.test",) == (kept.find("a.test", id_) or found)[0].to
    assert kept.find("b.test", id_) is None


@inside()
async def test_without_training_or_classifier_no_id(house: Indoors) -> None:
    """Nothing is kept of mail that nobody will train."""
    marked(house, **{"training.mode": "off"})
    house.host("c.test", {"classifier.mode": "off"})
    house.open()
    house.gateway.marks = Marks(SECRET, Delivered(house.folder / "learn", "w0"))
    await house.client().mail("x@y.example", [ANN, "ann@a.test", "ann@c.test"], MAIL)
    found = {to: stamps(raw) for _, to, raw in house.back_end.taken}
    assert {ANN: 0, "ann@a.test": 1, "ann@c.test": 0} == {to: len(each) for to, each in found.items()}
    assert ["a.test"] == Delivered(house.folder / "learn").domains()


@inside()
async def test_a_fault_of_ours_after_delivery(house: Indoors) -> None:
    """The mail is at its server: whatever goes wrong with what is remembered, it does not come again."""
    school(house)
    said: list[str] = []

    class Broken(Delivered):
        def add(self, *_arguments: Any) -> None:
            raise ValueError("x")

    house.gateway.marks = Marks(SECRET, Broken(house.folder / "learn"), said.append)
    assert (await send(house, ANN)).startswith("250")
    assert ["accepted"] == [row.fate for row in house.outcomes()]
    assert ["a bug: ValueError('x')"] == said


@inside()
async def test_a_full_disk_costs_no_mail(house: Indoors) -> None:
    """What cannot be remembered is not, and the mail is there."""
    school(house)
    said: list[str] = []
    (house.folder / "file").write_text("")
    house.gateway.marks = Marks(SECRET, Delivered(house.folder / "file"), said.append)
    assert (await send(house, ANN)).startswith("250")
    assert 1 == len(house.back_end.taken)
    assert said[0].startswith("example.org: ")
    assert not log(house)
