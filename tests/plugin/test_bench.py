"""A bench puts one mail through the real pipeline, in a few words."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.mail.message import Message
from gatepost.mail.verdict import Reject, Score
from gatepost.plugin.base import Scope
from gatepost.plugin.bench import Bench, Case, plugin_policy, try_plugin, watching
from gatepost.plugin.registry import BrokenPlugin, PluginError, Registry, load
from gatepost.plugin.tools import Tools
from gatepost.policy.policy import Action, Mode, OnFailure
from gatepost.store.memory import MemoryState
from tests.plugin.stage import counting, make_plugin

MESSAGE = Message(b"Subject: hello\r\n\r\n", b"Subject: hello\r\n\r\n")


def test_case() -> None:
    """What a person tells of a mail is what the server would have."""
    case = Case(client="2001:db8::1", helo="x", host="mail.example.net", sender="", early=True)
    session, transaction = case.session(), case.transaction()
    assert ("2001:db8::1", "x", "mail.example.net", True, True) == (
        session.client,
        session.helo,
        session.host,
        session.host_confirmed,
        session.early,
    )
    assert transaction.sender is None
    assert "sender@example.net" == str(Case().transaction().sender)


def test_try_at_rcpt_and_message() -> None:
    """All hooks of one plugin are asked, switched on whatever its default is."""
    plugin = make_plugin(
        helo=counting(Score(1, "helo"))[0], message=counting(Score(2, "body"))[0], default_mode=Mode.OFF
    )
    (loaded,) = Registry([("probe", plugin(), "file", "")])
    tried = asyncio.run(try_plugin(loaded, {}, Case(), MESSAGE))
    assert [Score(1, "helo"), Score(2, "body")] == tried.verdicts
    assert [Score(1, "helo")] == asyncio.run(try_plugin(loaded, {}, Case())).verdicts
    assert [] == asyncio.run(try_plugin(loaded, {"mode": "off"}, Case(), MESSAGE)).verdicts


def test_try_with_settings() -> None:
    """Settings are checked, and a wrong one is named."""
    loaded = load(entries=False)["helo_name"]
    case = Case(helo="pc.lan")
    assert 1 == len(asyncio.run(try_plugin(loaded, {}, case)).verdicts)
    assert [] == asyncio.run(try_plugin(loaded, {"refuse_private_names": False}, case)).verdicts
    with pytest.raises(ValueError, match="did you mean 'refuse_private_names'"):
        asyncio.run(try_plugin(loaded, {"refuse_private_name": False}, case))


def test_try_a_check_of_the_machine() -> None:
    """A check without a switch per domain is tried as the server asks it."""
    loaded = load(entries=False)["client_rate"]
    assert Scope.GATEWAY is loaded.plugin.scope
    tools = Tools(state=MemoryState(lambda: 0.0))
    settings = {"recipients": 1}
    first = asyncio.run(try_plugin(loaded, settings, Case(), None, tools))
    second = asyncio.run(try_plugin(loaded, settings, Case(), None, tools))
    assert [[], [452]] == [[v.code for v in t.verdicts] for t in (first, second)]  # type: ignore[union-attr]
    assert ["connect", "mail", "rcpt"] == [f.hook for f in first.findings]


def test_try_what_did_not_load() -> None:
    """It says why it did not."""
    (loaded,) = Registry([("bad", BrokenPlugin("SyntaxError: no"), "bad.py", "SyntaxError: no")])
    with pytest.raises(PluginError, match="SyntaxError: no"):
        asyncio.run(try_plugin(loaded, {}, Case()))


def test_plugin_with_faults() -> None:
    """A plugin that would not load is not put on the bench either."""
    with pytest.raises(PluginError, match="did you mean 'helo'"):
        Bench([make_plugin(hello=counting()[0])])


def test_policies() -> None:
    """Switches by hand, and one plugin put on watch."""
    bench = Bench([make_plugin(helo=counting(Reject("x"))[0])])
    (loaded,) = bench.registry
    policy = plugin_policy(loaded, {"mode": "watch", "action": "tag", "on_failure": "defer"})
    assert (Mode.WATCH, Action.TAG, OnFailure.DEFER) == (policy.mode, policy.action, policy.on_failure)
    watched = watching(bench.policy(), "probe")
    assert Mode.WATCH is watched.plugins["probe"].mode
    assert Mode.OFF is bench.policy(everything=Mode.OFF).plugins["probe"].mode
    with pytest.raises(ValueError, match="no"):
        plugin_policy(loaded, {"mode": "no"})
