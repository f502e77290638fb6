"""Who is taught: the filters that are not off and want to be; what cannot be written down is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.plugin.bench import Bench
from gatepost.plugin.lesson import Lesson, hand_out, learners
from gatepost.plugin.registry import load
from gatepost.plugin.tools import ToolMissing, Tools
from gatepost.plugins.spamassassin import Settings
from gatepost.store.errands import Errands

BENCH = Bench(load(entries=False))


def test_learners() -> None:
    """On or watching, and told to learn."""
    policy = BENCH.policy(
        switches={
            "spamassassin": {"mode": "on", "learn": True},
            "rspamd": {"mode": "watch", "learn": True},
            "filter_command": {"mode": "on", "filter": "bogofilter"},
        }
    )
    assert {"spamassassin", "rspamd", "filter_command"} == set(learners(policy))
    off = BENCH.policy(switches={"spamassassin": {"mode": "off", "learn": True}, "rspamd": {"mode": "on"}})
    assert [] == learners(off)


def test_hand_out(tmp_path: Path) -> None:
    """Each message for each of them."""
    errands = Errands(tmp_path)
    policy = BENCH.policy()
    assert "" == hand_out(errands, policy, ["rspamd", "spamassassin"], [b"a", b"b"], spam=False)
    found = [errands.read(path) for path in errands.paths()]
    assert [("rspamd", b"a"), ("spamassassin", b"a"), ("rspamd", b"b"), ("spamassassin", b"b")] == [
        (one[0].plugin, one[1]) for one in found if one is not None
    ]
    (tmp_path / "file").write_text("")
    assert "rspamd: File exists" == hand_out(
        Errands(tmp_path / "file"), policy, ["rspamd"], [b"a"], spam=True
    )


def test_a_tool_that_is_missing() -> None:
    """Is named."""
    lesson = Lesson(Settings(), "example.org", b"", True, Tools())
    for name in ("stream", "http", "commands"):
        with pytest.raises(ToolMissing, match=name):
            getattr(lesson, name)
