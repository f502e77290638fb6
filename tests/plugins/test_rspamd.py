# ruff: noqa: E501
"""Rspamd judges: refused, later, or points; what it cannot say is no verdict."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.outside import OutsideError
from gatepost.plugins.rspamd import symbols
from gatepost.policy.decide import Finding
from tests.plugins.fake_scanner import MAIL, Fake, Ward, patience


def answered(status: int = 200, **said: Any) -> bytes:
    body = json.dumps({"score": 4.0, "action": "no action", **said}).encode()
    return b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


def ask(says: bytes | None, piece: int = 0, **settings: object) -> tuple[Finding, list[bytes]]:
    async def run() -> tuple[Finding, list[bytes]]:
        async with Fake(says, piece).running() as fake:
            ward = Ward("rspamd", urls=[f"http://127.0.0.1:{fake.port}"], seconds=patience(says), **settings)
            return await ward.ask(), fake.asked

    return asyncio.run(run())


def test_points_and_envelope() -> None:
    """Half its points by default; it is told all that is known of the envelope."""
    finding, asked = ask(answered(symbols={"A": {"score": 1.5}, "B": {"score": -3}}), password="secret")
    assert Score(2.0, "Rspamd 4, no action: B(-3), A(1.5)") == finding.verdict
    head, _, body = asked[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert "POST /checkv2 HTTP/1.1" == lines[0]
    wanted = {"IP: 192.0.2.1", "Helo: mail.example.net", "From: sender@example.net", "Rcpt: ann@example.org",
              "Deliver-To: example.org", "Password: secret"}  # fmt: skip
    assert set() == wanted - set(lines)
    assert MAIL == body


@pytest.mark.parametrize("piece", [1, 7])
def test_any_split_of_its_answer(piece: int) -> None:
    """It comes in as many pieces as it likes."""
    assert ask(answered())[0].verdict == ask(answered(), piece)[0].verdict


def test_actions() -> None:
    """What it refuses is refused, what it puts off is put off, unless the domain wants points."""
    assert isinstance(ask(answered(action="reject", score=20))[0].verdict, Reject)
    assert isinstance(ask(answered(action="soft reject"))[0].verdict, Defer)
    assert 10.0 == getattr(
        ask(answered(action="reject", score=20), reject="ignore")[0].verdict, "points", None
    )
    assert 6.0 == getattr(ask(answered(action="reject", score=20), reject=6)[0].verdict, "points", None)


@pytest.mark.parametrize(
    "says",
    [None, b"", b"garbage", answered(500), answered(score="4"), answered(score=True),
     answered(score=1e300), answered(action=3), b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{[}", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"],
)  # fmt: skip
def test_no_answer_is_no_verdict(says: bytes | None) -> None:
    """Silent, gone or nonsense."""
    finding, _ = ask(says)
    assert finding.verdict is None
    assert finding.failure


@pytest.mark.parametrize(
    ("said", "wanted"),
    [({}, "no symbol"), ({"symbols": 3}, "no symbol"), ({"symbols": {"A\n": {"score": "x"}}}, "no symbol"),
     ({"symbols": {"A\n": {}}}, "A?(0)")],
)  # fmt: skip
def test_symbols(said: dict[str, Any], wanted: str) -> None:
    """Odd ones harm nobody."""
    assert wanted == symbols(said)


def teach(says: bytes, *, spam: bool = True, **settings: object) -> bytes:
    async def run() -> bytes:
        async with Fake(says).running() as fake:
            await Ward("rspamd", controller=f"http://127.0.0.1:{fake.port}/", learn=True, **settings).teach(
                spam=spam
            )
            return fake.asked[0]

    return asyncio.run(run())


@pytest.mark.parametrize(("spam", "path"), [(True, "learnspam"), (False, "learnham")])
def test_taught(spam: bool, path: str) -> None:
    """At its controller; what it knew already is taught."""
    head, _, body = teach(answered(), spam=spam, password="secret").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert f"POST /{path} HTTP/1.1" == lines[0]
    assert {"Deliver-To: example.org", "Password: secret"} <= set(lines)
    assert MAIL == body
    teach(answered(404, error="<1@x> has been already learned as spam, ignore it"))


@pytest.mark.parametrize("says", [answered(500), answered(403), b"HTTP/1.1 204 No\r\n\r\n"])
def test_not_taught(says: bytes) -> None:
    """Also where it has nothing to learn into."""
    with pytest.raises(OutsideError, match="Rspamd answered"):
        teach(says)
