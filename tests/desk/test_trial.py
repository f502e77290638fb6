"""One mail on its way through the checks; without its message those that read it are not asked."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.desk import domains, recipients
from gatepost.desk.check import opened
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.trial import AT_DATA, Answer, Mail, Trial
from gatepost.mail.address import Address
from gatepost.policy.policy import DomainPolicy
from tests.desk.conftest import NOW

RAW = b"From: bob@example.net\r\nSubject: x\r\n\r\nhello\r\n"


async def everybody(_policy: DomainPolicy, _address: Address, _client: str) -> str:
    """Stand for a server that knows everybody."""
    return "yes"


def tried(desk: Desk, mail: Mail) -> list[Answer]:
    """Try a mail under the desk's policy."""

    async def run() -> list[Answer]:
        async with opened(desk) as memory:
            return await Trial(memory.stage(desk.policy, everybody, desk.clock), mail).run()

    return asyncio.run(run())


def test_without_the_message(desk: Desk) -> None:
    """What is said up to RCPT is said, and checks of the message are not among those asked."""
    recipients.add(desk, "example.org", ["ann"])
    domains.set_values(desk, "example.org", {"dkim.mode": "on"})
    to = ("ann@example.org", "nobody@example.org")
    whole, _ = tried(desk, Mail(RAW, "bob@example.net", to, time=NOW))
    good, bad = tried(desk, Mail(None, "bob@example.net", to, time=NOW, size=100))
    assert "message" in {step.hook for step in whole.steps}
    assert "message" not in {step.hook for step in good.steps}
    assert ("dkim" in good.unasked, whole.unasked) == (True, ())
    assert ("accepted", AT_DATA, "rejected") == (good.fate, good.at, bad.fate)


def test_no_address(desk: Desk) -> None:
    """What is no address is said as such."""
    with pytest.raises(DeskError, match="needs a recipient"):
        tried(desk, Mail(RAW, "", ()))
    with pytest.raises(DeskError, match="bob"):
        tried(desk, Mail(RAW, "bob@@", ("ann@example.org",)))
