"""Who broke DMARC on wanted mail is offered, the most mails first, and can be trusted."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.forwarders import candidates, distrust, trust, trusted


def test_candidates(desk: Desk) -> None:
    """The records of the check are listed; a trusted one is marked, and trusting twice is once."""
    assert [] == candidates(desk, "example.org")
    for name, mails in (("fwd.example", 3), ("lists.example.com", 30)):
        row = {"mails": mails, "last": 5}
        asyncio.run(desk.records.put("example.org", "dmarc", f"forwarder {name}", row))
    for _ in range(2):
        trust(desk, "example.org", "lists.example.com")
    found = [(f.name, f.mails, f.trusted) for f in candidates(desk, "example.org")]
    assert [("lists.example.com", 30, True), ("fwd.example", 3, False)] == found


def test_trust_and_distrust(desk: Desk) -> None:
    """Names and networks are listed as they were named, and taken off; what is neither is told."""
    for name in ("lists.example.com", "192.0.2.0/24"):
        trust(desk, "example.org", name)
    assert ("lists.example.com", "192.0.2.0/24") == trusted(desk, "example.org")
    distrust(desk, "example.org", "lists.example.com")
    assert ("192.0.2.0/24",) == trusted(desk, "example.org")
    with pytest.raises(NotFound):
        distrust(desk, "example.org", "lists.example.com")
    with pytest.raises(DeskError, match="neither a network nor"):
        trust(desk, "example.org", "a b")
