"""Who talks before the greeting is refused, as the owner wants it; all others are not."""

from __future__ import annotations

import asyncio
from typing import Any

from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load

BENCH = Bench(load(entries=False))


def verdict(talks: bool, **settings: Any) -> Any:
    """Return what the check says."""
    policy = BENCH.policy("example.org", {"early_talker": settings})
    findings = asyncio.run(BENCH.ask(policy, Case(early=talks)))
    (finding,) = [f for f in findings if f.plugin == "early_talker"]
    assert ("", "on") == (finding.failure, finding.mode)
    return finding.verdict


def test_refused() -> None:
    """On by itself: 550 5.5.0 with a sentence that a server's administrator understands."""
    said = verdict(True)
    assert isinstance(said, Reject)
    assert (550, "5.5.0") == (said.code, said.enhanced)
    assert "the client talked before the greeting" == said.reason
    assert "You must wait for our greeting before you talk" == said.public


def test_waited() -> None:
    """Who waited hears nothing of it."""
    assert verdict(False) is None


def test_settings() -> None:
    """It may be a deferral, points, or only written down."""
    assert isinstance(verdict(True, early="defer"), Defer)
    assert Score(3.0, "the client talked before the greeting") == verdict(True, early=3)
    assert Score(0.0, "the client talked before the greeting") == verdict(True, early="ignore")
