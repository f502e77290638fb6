"""ClamAV: what it finds is refused, what it cannot say is no refusal."""

from __future__ import annotations

import asyncio
import struct

import pytest

from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.outside import OutsideError
from gatepost.plugins.clamav import found_in
from gatepost.policy.decide import Finding
from tests.plugins.fake_scanner import MAIL, Fake, Ward, patience


def ask(
    says: bytes | None, raw: bytes = MAIL, piece: int = 0, **settings: object
) -> tuple[Finding, list[bytes], list[str]]:
    async def run() -> tuple[Finding, list[bytes], list[str]]:
        async with Fake(says, piece).running() as fake:
            ward = Ward("clamav", addresses=[f"127.0.0.1:{fake.port}"], seconds=patience(says), **settings)
            return await ward.ask(raw), fake.asked, ward.alerts

    return asyncio.run(run())


def test_clean() -> None:
    """The message goes there whole, in pieces with their length, and nothing is said."""
    finding, asked, _ = ask(b"stream: OK\0")
    assert finding.verdict is None
    assert "" == finding.failure
    assert [b"zINSTREAM\0" + struct.pack("!I", len(MAIL)) + MAIL + b"\0\0\0\0"] == asked


def test_found() -> None:
    """Refused with the name of what was found for the owner, and a general word for the sender."""
    finding, _, _ = ask(b"stream: Win.Test.EICAR_HDB-1 FOUND\0")
    assert Reject("ClamAV: Win.Test.EICAR_HDB-1", "Message contains malware") == finding.verdict
    finding, _, _ = ask(b"stream: Heuristics.Encrypted.Zip FOUND\0")
    assert Score(4.0, "ClamAV: Heuristics.Encrypted.Zip") == finding.verdict


@pytest.mark.parametrize(
    "says", [None, b"", b"stream: OK", b"garbage\0", b"\xff\xfe\0", b"INSTREAM size limit exceeded. ERROR\0",
             b"x" * 100_000, b"stream: \0"], ids=ascii
)  # fmt: skip
def test_no_answer_is_no_refusal(says: bytes | None) -> None:
    """Silent, gone, or nonsense: a failure that is told; the mail waits (CONTRACT 5)."""
    finding, _, alerts = ask(says)
    assert isinstance(finding.verdict, Defer)
    assert finding.failure
    assert 1 == len(alerts)


@pytest.mark.parametrize("piece", [1, 7])
def test_any_split_of_its_answer(piece: int) -> None:
    """It comes in as many pieces as it likes."""
    assert ask(b"stream: A FOUND\0")[0].verdict == ask(b"stream: A FOUND\0", piece=piece)[0].verdict


def test_too_large() -> None:
    """It is not scanned, and that stands in the journal."""
    finding, asked, _ = ask(b"stream: OK\0", MAIL + b"x" * 2_000, max_size=1_024)
    assert isinstance(finding.verdict, Score)
    assert "not scanned" in finding.verdict.reason
    assert [] == asked


@pytest.mark.parametrize(
    ("said", "name"), [(b"stream: OK\0", ""), (b"1: stream: A\tB FOUND\0", "stream: A?B")]
)
def test_answers(said: bytes, name: str) -> None:
    """A stranger's file name in an answer is made harmless."""
    assert name == found_in(said)


def test_an_error_is_no_answer() -> None:
    """What clamd calls an error is told as it said it."""
    with pytest.raises(OutsideError, match="size limit"):
        found_in(b"INSTREAM size limit exceeded. ERROR\0")
