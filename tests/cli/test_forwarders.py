"""`gatepost forwarders DOMAIN` as a person and as a program reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gatepost.desk.desk import Desk
from tests.cli.conftest import Run


def test_forwarders(hosted: Run, as_json: Callable[..., Any], desk: Desk) -> None:
    """A table of candidates; `--trust` adds one to the setting."""
    assert "No forwarder" in hosted("forwarders", "example.org").output
    row = {"mails": 30, "last": 5}
    asyncio.run(desk.records.put("example.org", "dmarc", "forwarder lists.example.com", row))
    assert "lists.example.com" in hosted("forwarders", "example.org").output
    hosted("forwarders", "example.org", "--trust", "lists.example.com")
    assert [(30, True)] == [(one["mails"], one["trusted"]) for one in as_json("forwarders", "example.org")]
