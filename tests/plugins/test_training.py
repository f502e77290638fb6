"""Who may train: the domain's own people, by their secret, an aligned signature, or a server named for it."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.mail import train_address
from gatepost.plugin.learning import models_in
from gatepost.plugin.registry import Registry, load
from gatepost.plugin.training import Teacher
from gatepost.store.trainings import Training
from tests.auth.mails import rsa_record, signed
from tests.plugin.teaching import HOST, SECRET
from tests.plugin.test_forwarded import AS_MESSAGE, ORIGINAL, forward
from tests.server.indoors import Indoors, inside

ANN = "ann@example.org"
SPAM_AT = "spam@train.example.org"
MAIL = forward("See", AS_MESSAGE + ORIGINAL)
NAMES = (b"from", b"to", b"subject")


def school(house: Indoors, **settings: Any) -> Indoors:
    """Host example.org with training and the classifier."""
    every = {one.name: one for one in load(None, entries=False)}
    more = [every[name] for name in ("training", "classifier", "greylist")]
    found = [(one.name, one.plugin, one.origin, one.error) for one in (*house.registry, *more)]
    house.registry = Registry(found)
    models = models_in(house.folder)
    house.tools.models = models
    house.tools.teacher = Teacher(house.folder, SECRET, HOST, models, house.archive, lambda: 1_795_000_000.0)
    house.host("example.org", {"classifier.mode": "on", **settings})
    house.host("example.net")
    house.zone.add("s1._domainkey.example.org", "TXT", rsa_record(2048))
    house.zone.add("s1._domainkey.evil.test", "TXT", rsa_record(2048))
    return house.open()


def log(house: Indoors, domain: str = "example.org") -> list[Training]:
    """Return what was taught."""
    with house.tools.models().trainings(domain) as held:  # type: ignore[misc]
        return list(held.log())


async def send(
    house: Indoors, to: str, raw: bytes = MAIL, sender: str = ANN, client: str = "192.0.2.7"
) -> str:
    """Send a mail to one recipient; return the last reply."""
    rcpts, said = await house.client(client).mail(sender, [to], raw)
    return said or rcpts[0]


def secret_of(
    person: str = "ann", domain: str = "example.org", generation: int = 1, *, spam: bool = True
) -> str:
    """Return a person's address."""
    return train_address.make(SECRET, domain, person, generation, spam=spam)


@inside()
async def test_with_a_secret(house: Indoors) -> None:
    """Whatever the sender says: learnt, never delivered, kept or asked of another check; it names who."""
    school(house, **{"greylist.mode": "on"})
    for spam in (True, False):
        assert (await send(house, secret_of(spam=spam), sender="x@y.example")).startswith("250 2.6.0 Ok, id ")
    assert [(True, ANN), (False, ANN)] == [(one.spam, one.by) for one in log(house)]
    assert not house.back_end.taken
    assert not house.archive.list()
    row = house.outcomes()[0]
    assert ("taken", "training", "example.org") == (row.fate, row.plugin, row.domain)
    assert "spam, by ann@example.org: 1 learnt (attached)" == row.reason


@pytest.mark.parametrize(
    ("to", "settings", "wanted"),
    [
        (secret_of("bob", generation=2), {}, "550 5.7.1"),
        (secret_of("bob", generation=2), {"training.generation": 2}, "250 2.6.0"),
        (secret_of("nobody"), {}, "550 5.7.1"),
        (secret_of("nobody"), {"recipients": "any"}, "250 2.6.0"),
        (secret_of("ann", "example.net").replace("example.net", "example.org"), {}, "550 5.7.1"),
        (secret_of(), {"training.secrets": False}, "550 5.7.1"),
        (secret_of("ann", "example.net"), {}, "250 2.6.0"),
        ('"spam+a..b=x"@train.example.org', {"recipients": "any"}, "550 5.7.1"),
        ("spam+ann@train.example.org", {}, "550 5.1.1"),
        ("nothing@train.example.org", {}, "550 5.1.1"),
        ("spam@train.foreign.test", {}, "550 5.7.1"),
        ("spam@train.train.example.org", {}, "550 5.7.1"),
        (secret_of(), {"training.mode": "off"}, "550 5.7.1"),
        (secret_of(), {"training.mode": "watch"}, "250 2.6.0"),
        (secret_of(), {"preset": "careful"}, "250 2.6.0"),
        (secret_of(), {"bypass": True}, "250 2.6.0"),
    ],
)
def test_addresses(tmp_path: Any, to: str, settings: dict[str, Any], wanted: str) -> None:
    """A secret is good in its domain, for a known person, and until the next generation."""

    @inside()
    async def run(house: Indoors) -> None:
        school(house, **settings)
        assert (await send(house, to, sender="x@y.example")).startswith(wanted)
        assert not house.back_end.taken
        assert (wanted[:3] == "250") == bool(log(house) + log(house, "example.net"))

    run(tmp_path=tmp_path)


@inside()
async def test_signed(house: Indoors) -> None:
    """The author is a known recipient and the domain itself signed From and To."""
    school(house)
    raw = signed(MAIL, "example.org", names=NAMES)
    assert (await send(house, SPAM_AT, raw)).startswith("250 2.6.0")
    assert [ANN] == [one.by for one in log(house)]


BY_BOB = MAIL.replace(b"From: Ann <ann@example.org>", b"From: nobody@example.org", 1)
TO_OTHERS = MAIL.replace(b"To: spam@train.example.org", b"To: list@y.example", 1)


@pytest.mark.parametrize(
    ("raw", "sender", "wanted"),
    [
        (MAIL, ANN, "550 5.7.1"),
        (MAIL, "x@y.example", "550 5.7.1"),
        (MAIL, "", "550 5.7.1"),
        (MAIL, "nobody@example.org", "550 5.7.1"),
        (signed(MAIL, "evil.test", names=NAMES), ANN, "550 5.7.1"),
        (signed(MAIL, "example.org", names=NAMES).replace(b"See", b"Sea"), ANN, "550 5.7.1"),
        (signed(MAIL, "example.org", names=NAMES), "x@y.example", "550 5.7.1"),
        (signed(BY_BOB, "example.org", names=NAMES), ANN, "550 5.7.1"),
        (signed(TO_OTHERS, "example.org", names=NAMES), ANN, "550 5.7.1"),
        (signed(MAIL, "example.org", names=(b"from", b"subject")), ANN, "550 5.7.1"),
        (signed(TO_OTHERS, "example.org", names=(b"from", b"subject")).replace(
            b"list@y.example", b"spam@train.example.org"), ANN, "550 5.7.1"),
        (b"To: spam@train.example.org\r\n" + signed(TO_OTHERS, "example.org", names=NAMES), ANN, "550 5.7.1"),
    ],
)  # fmt: skip
def test_not_proven(tmp_path: Any, raw: bytes, sender: str, wanted: str) -> None:
    """Nobody is believed by his sender's address, nor by a signed mail that he only sends on."""

    @inside()
    async def run(house: Indoors) -> None:
        school(house)
        said = await send(house, SPAM_AT, raw, sender)
        assert said.startswith(wanted), said
        assert "Only people of the domain may train its filter" in said
        assert not log(house)
        assert not house.archive.list(), "a stranger's mail to a training address is not kept"
        assert not house.back_end.taken

    run(tmp_path=tmp_path)


@inside()
async def test_signatures_may_be_switched_off(house: Indoors) -> None:
    """Then only secrets count."""
    school(house, **{"training.signed": False})
    assert (await send(house, SPAM_AT, signed(MAIL, "example.org", names=NAMES))).startswith("550 5.7.1")


@inside()
async def test_a_server_of_the_domain(house: Indoors) -> None:
    """Only where the owner names it; it says who, or is named itself."""
    school(house, **{"training.servers": ["192.0.2.8/31"]})
    assert (await send(house, SPAM_AT, sender="ann@example.org", client="192.0.2.8")).startswith("250")
    assert (await send(house, "ham@train.example.org", sender="", client="192.0.2.9")).startswith("250")
    assert (await send(house, SPAM_AT, sender="ann@example.org", client="192.0.2.10")).startswith("550")
    assert [ANN, "192.0.2.9"] == [one.by for one in log(house)]


@inside()
async def test_enough_for_one_day(house: Indoors) -> None:
    """Refused, with a word to the person."""
    from unittest.mock import patch

    school(house)
    with patch("gatepost.store.trainings.A_DAY", 0):
        assert "550 5.7.1 You have trained enough for one day" in await send(house, secret_of())
