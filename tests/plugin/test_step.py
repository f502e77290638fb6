"""Facts before those who need them, cheap before dear, and nobody is asked whom a refusal spares."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from gatepost.mail.verdict import Allow, Defer, Reject, Score
from gatepost.plugin.base import Cost, Plugin
from gatepost.plugin.bench import Bench
from gatepost.plugin.registry import load
from gatepost.plugin.step import Plan, vouches
from gatepost.policy.decide import Fate, decide_recipient
from gatepost.policy.lists import Entry, Lists
from tests.plugin.stage import Mail, ask, counting, make_plugin


class Fact:
    """Something that one plugin tells another."""


def test_cheap_before_dear() -> None:
    """A refusal by a cheap check spares the dear ones; whatever does not refuse for sure does not."""
    dear, asked = counting()
    for cheap, spared in (
        (Reject("x"), True),
        (Defer("x"), False),
        (Score(100, "x"), False),
        (None, False),
    ):
        asked.clear()
        bench = Bench(
            [
                make_plugin("Dear", helo=dear, cost=Cost.DNS),
                make_plugin("Cheap", rcpt=counting(cheap)[0], cost=Cost.MEMORY),
            ]
        )
        ask(bench)
        assert spared is (asked == []), cheap
        for switch in ({"mode": "watch"}, {"action": "tag"}, {"action": "quarantine"}):
            asked.clear()
            ask(bench, bench.policy("example.org", {"cheap": switch}))
            assert 1 == len(asked)


def test_nobodys_address_is_the_last_word() -> None:
    """Who knows that nobody is there is asked before others as cheap, and nobody behind its refusal."""
    for answer, alone in ((Reject("x", "", 550, "5.1.1"), True), (Defer("x"), False), (None, False)):
        other, asked = counting()
        bench = Bench(
            [
                make_plugin("Other", helo=other),
                make_plugin("Names", rcpt=counting(answer)[0], knows_recipients=True),
            ]
        )
        for _ in range(3):  # also when its answer is shared
            asked.clear()
            ask(bench)
            assert alone is (asked == []), answer
        for switch in ({"mode": "watch"}, {"action": "tag"}, {"action": "quarantine"}):
            asked.clear()
            ask(bench, bench.policy("example.org", {"names": switch}))
            assert 1 == len(asked)


def test_nobodys_address_hides_no_voucher() -> None:
    """One whose `Allow` could let the mail in is asked behind a refusal of that kind too."""
    bench = Bench(
        [
            make_plugin("Names", rcpt=counting(Reject("x"))[0], knows_recipients=True),
            make_plugin("Vouches", helo=counting(Allow("known"))[0], __module__=__name__),
        ]
    )
    policy = bench.policy()
    assert Fate.ACCEPT is decide_recipient(policy, ask(bench, policy), None).fate


def test_who_may_vouch_is_asked_all_the_same() -> None:
    """`Allow` by a dear check beats the refusal of a cheap one, so a cheap refusal must not hide it."""
    bench = Bench(
        [
            make_plugin("Cheap", helo=counting(Reject("x"))[0]),
            # Whose module imports Allow may return one, as this test's does.
            make_plugin("Dear", helo=counting(Allow("known"))[0], cost=Cost.DNS, __module__=__name__),
        ]
    )
    policy = bench.policy()
    findings = ask(bench, policy)
    assert [Reject("x", "Not accepted here"), Allow("known")] == [f.verdict for f in findings]
    assert Fate.ACCEPT is decide_recipient(policy, findings, None).fate


def test_unskippable_is_first_and_last() -> None:
    """A recipient that does not exist is refused whatever others say, so they are not asked."""
    other, asked = counting()
    bench = Bench(
        [
            make_plugin("Other", connect=other),
            make_plugin("Known", rcpt=counting(Reject("x"))[0], unskippable=True),
        ]
    )
    assert ["known"] == [f.plugin for f in ask(bench)]
    assert [] == asked


def test_what_no_entry_leads_past_is_always_asked() -> None:
    """Where an allow entry may undo a cheap refusal, the virus scanner must have been asked."""
    virus, asked = counting(Reject("virus"))
    bench = Bench(
        [
            make_plugin("Cheap", helo=counting(Reject("x"))[0]),
            make_plugin("Virus", mail=virus, unskippable=True, cost=Cost.NETWORK),
        ]
    )
    ask(bench)
    assert [] == asked
    allow = Lists([Entry(1, "allow", "ip", "192.0.2.1")])
    policy = bench.policy(lists=allow)
    findings = ask(bench, policy)
    assert 1 == len(asked)
    said = decide_recipient(policy, findings, next(iter(allow.tables[0].entries)), unskippable={"virus"})
    assert (Fate.REJECT, "virus") == (said.fate, said.plugin)
    ask(bench, bench.policy(lists=Lists([Entry(1, "deny", "ip", "192.0.2.1")])))
    assert 1 == len(asked)


def test_circle_of_needs() -> None:
    """Two plugins that need each other are both asked."""
    bench = Bench(
        [
            make_plugin("Aaa", rcpt=counting()[0], needs=(Fact,), tells=(int,)),
            make_plugin("Bbb", rcpt=counting()[0], needs=(int,), tells=(Fact,)),
        ]
    )
    assert {"aaa", "bbb"} == {f.plugin for f in ask(bench)}


def test_plan_is_kept_with_the_policy() -> None:
    """The plan is made once per policy and gone with it."""
    bench = Bench([make_plugin(helo=counting()[0])])
    policy = bench.policy()
    assert bench.pipeline.plan(policy) is bench.pipeline.plan(policy)
    assert 1 == len(policy.cache)


def order_of(*plugins: type[Plugin]) -> list[list[str]]:
    """Return the groups of a plan, as `plugin.hook`."""
    bench = Bench(plugins)
    plan = Plan(bench.registry, bench.policy())
    return [[f"{s.plugin.name}.{s.hook}" for s in group] for group in plan.recipient]


def test_groups() -> None:
    """One group for what may run at once; by cost, then by wave; inside by the order of a session."""

    async def slow(_self: Plugin, _ctx: Any) -> None:
        await asyncio.sleep(0)

    hook = counting()[0]
    assert [["b.connect", "a.rcpt"], ["c.helo"], ["d.mail", "e.mail"]] == order_of(
        make_plugin("A", rcpt=hook),
        make_plugin("B", connect=hook),
        make_plugin("C", helo=hook, cost=Cost.DNS),
        make_plugin("D", mail=hook, cost=Cost.NETWORK),
        make_plugin("E", mail=hook, cost=Cost.CPU),
    )
    # A plugin's own hooks keep their order, also where an earlier one waits.
    assert [["a.connect"], ["a.rcpt"]] == order_of(make_plugin("A", connect=slow, rcpt=hook))
    assert [["a.connect", "a.rcpt"]] == order_of(make_plugin("A", connect=hook, rcpt=hook))
    assert [["b.rcpt"], ["a.connect"]] == order_of(
        make_plugin("A", connect=hook, needs=(Fact,)), make_plugin("B", rcpt=hook, tells=(Fact,))
    )
    # Cheap with the facts of a cheap one comes before dear, with those of a dear one behind it.
    assert [["b.rcpt"], ["a.rcpt"], ["c.rcpt"]] == order_of(
        make_plugin("A", rcpt=hook, needs=(Fact,)),
        make_plugin("B", rcpt=hook, tells=(Fact,)),
        make_plugin("C", rcpt=hook, cost=Cost.DNS),
    )
    assert [["c.rcpt"], ["b.rcpt"], ["a.rcpt"], ["d.rcpt"]] == order_of(
        make_plugin("A", rcpt=hook, needs=(Fact,)),
        make_plugin("B", rcpt=hook, cost=Cost.DNS, tells=(Fact,)),
        make_plugin("C", rcpt=hook),
        make_plugin("D", rcpt=hook, cost=Cost.NETWORK),
    )


def test_without_work() -> None:
    """A check without work is in no group and says "no opinion" all the same."""
    bench = Bench(load(entries=False))
    plan = Plan(bench.registry, bench.policy())
    idle = {f.plugin for f in plan.idle}
    asked = {s.plugin.name for group in plan.recipient for s in group}
    assert {"deny_list", "localpart_rules"} <= idle
    assert {"recipients", "helo_name"} <= asked
    assert set() == idle & asked


def test_who_may_vouch() -> None:
    """Read from the module: none of the shipped checks vouches, this test's plugins may."""
    assert [False] * 5 == [vouches(one.plugin.__module__) for one in load(entries=False)][:5]
    assert vouches(make_plugin(__module__=__name__).__module__)


def test_a_plan_dies_with_its_policy() -> None:
    """No circle keeps them: 100,000 domains, or a change for all of them, would fill the memory."""

    def silent(_self: Plugin, _ctx: Any) -> None:
        return None

    bench = Bench([make_plugin("Probe", helo=silent, rcpt=silent, done=silent)])
    gc.disable()
    try:
        policy = bench.policy("example.net", {"probe": {"mode": "on"}})
        assert [None, None] == [f.verdict for f in Mail(bench).rcpt(policy)]
        assert policy is bench.pipeline.plan(policy).recipient[0][0].domain_policy
        known = weakref.ref(policy)
        del policy
        assert known() is None
    finally:
        gc.enable()
