"""SpamAssassin gives points; what it cannot say is no verdict."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.mail.verdict import Score
from gatepost.plugin.outside import OutsideError
from gatepost.plugins.spamassassin import spamc
from gatepost.policy.decide import Finding
from tests.plugins.fake_scanner import MAIL, Fake, Ward, patience

GOOD = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\nSpam: True ; 7.5 / 5.0\r\n\r\nBAD,WORSE"


def ask(says: bytes | None, piece: int = 0, **settings: object) -> tuple[Finding, list[bytes]]:
    async def run() -> tuple[Finding, list[bytes]]:
        async with Fake(says, piece).running() as fake:
            ward = Ward(
                "spamassassin", addresses=[f"127.0.0.1:{fake.port}"], seconds=patience(says), **settings
            )
            return await ward.ask(), fake.asked

    return asyncio.run(run())


def test_points() -> None:
    """Its points, times the factor, within the bound; the tests stand in the reason."""
    finding, asked = ask(GOOD)
    assert Score(7.5, "SpamAssassin 7.5 of 5: BAD,WORSE") == finding.verdict
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert [b"SYMBOLS SPAMC/1.5", b"Content-length: %d" % len(MAIL), b"User: example.org"] == head.split(
        b"\r\n"
    )
    assert MAIL == body
    assert 15.0 == getattr(ask(GOOD.replace(b"7.5", b"1000"))[0].verdict, "points", None)
    assert 3.75 == getattr(ask(GOOD, factor=0.5)[0].verdict, "points", None)
    assert -2.1 == getattr(ask(GOOD.replace(b"True ; 7.5", b"False ; -2.1"))[0].verdict, "points", None)


@pytest.mark.parametrize("piece", [1, 7, 30])
def test_any_split_of_its_answer(piece: int) -> None:
    """spamd says its first line by itself: an answer is over when it ends."""
    assert ask(GOOD)[0].verdict == ask(GOOD, piece)[0].verdict


@pytest.mark.parametrize(
    "says", [None, b"", b"garbage", b"SPAMD/1.1 76 EX_PROTOCOL\r\n\r\n", GOOD.replace(b"7.5", b"nan"),
             GOOD.replace(b"Spam:", b"Ham:"), b"SPAMD/1.1 0 EX_OK"], ids=ascii
)  # fmt: skip
def test_no_answer_is_no_verdict(says: bytes | None) -> None:
    """Silent, gone or nonsense."""
    finding, _ = ask(says)
    assert finding.verdict is None
    assert finding.failure


def test_a_user_is_one_word() -> None:
    """Nothing ends the line."""
    assert b"User: a_b__c\r\n" in spamc("CHECK", b"", "a b\r\nc")


def teach(says: bytes | None, *, spam: bool, **settings: object) -> bytes:
    async def run() -> bytes:
        async with Fake(says).running() as fake:
            await Ward("spamassassin", addresses=[f"127.0.0.1:{fake.port}"], learn=True, **settings).teach(
                spam=spam
            )
            return fake.asked[0]

    return asyncio.run(run())


@pytest.mark.parametrize(("spam", "word"), [(True, b"spam"), (False, b"ham")])
def test_taught(spam: bool, word: bytes) -> None:
    """By TELL, with the domain as the user; what it knew already is taught."""
    for did in (b"DidSet: local\r\n", b""):
        head, _, body = teach(b"SPAMD/1.1 0 EX_OK\r\n" + did + b"\r\n", spam=spam).partition(b"\r\n\r\n")
        assert [b"TELL SPAMC/1.5", b"User: example.org", b"Message-class: " + word, b"Set: local"] == [
            line for line in head.split(b"\r\n") if not line.startswith(b"Content-length")
        ]
        assert MAIL == body


@pytest.mark.parametrize("says", [b"", b"garbage", b"SPAMD/1.1 69 TELL commands are not enabled\r\n\r\n"])
def test_not_taught(says: bytes) -> None:
    """It says why."""
    with pytest.raises(OutsideError, match="spamd said"):
        teach(says, spam=True)
