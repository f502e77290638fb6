"""The machine's own checks act before it is known whose mail it is, and cost nothing without work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.lists import Entry, Lists
from tests.cost import assert_cheap
from tests.plugin.stage import counting, make_plugin

CASE = Case()


def machine(**words: Any) -> Bench:
    return Bench([make_plugin(scope=Scope.GATEWAY, **words)])


@pytest.mark.parametrize("verdict", [Reject("r", "p"), Defer("d", "p", 421, "4.7.0")])
def test_refusal(verdict: Reject | Defer) -> None:
    """The verdict reaches the server as it is, at each of the moments."""
    hook = counting(verdict)[0]
    bench = machine(connect=hook, mail=hook, rcpt=hook)
    session, transaction = CASE.session(), CASE.transaction()
    address = parse_address(CASE.recipient)
    pipeline = bench.pipeline
    assert verdict == pipeline.gateway_connect(session)
    assert verdict == pipeline.gateway_mail(session, transaction)
    assert verdict == pipeline.gateway_rcpt(session, transaction, Recipient(address, address))


def test_no_opinion() -> None:
    """Points and nothing are no refusal."""
    for answer in (None, Score(100, "x")):
        assert machine(connect=counting(answer)[0]).pipeline.gateway_connect(CASE.session()) is None


def test_first_refusal() -> None:
    """The first check that refuses is the one that is named."""
    bench = Bench(
        [
            make_plugin("One", scope=Scope.GATEWAY, connect=counting(None)[0]),
            make_plugin("Two", scope=Scope.GATEWAY, connect=counting(Defer("two", "p"))[0]),
            make_plugin("Three", scope=Scope.GATEWAY, connect=counting(Reject("three"))[0]),
        ]
    )
    assert Defer("two", "p") == bench.pipeline.gateway_connect(CASE.session())


def test_not_in_a_domain() -> None:
    """It is not asked again for a recipient's domain, and has no policy to look at."""
    hook, asked = counting(Reject("x"))
    bench = machine(connect=hook, rcpt=hook)
    assert [] == asyncio.run(bench.ask(bench.policy()))
    assert [] == asked

    def curious(_self: Plugin, ctx: Any) -> Any:
        return Reject(ctx.domain)

    bench = machine(connect=curious)
    assert bench.pipeline.gateway_connect(CASE.session()) is None
    assert {"probe": 1} == bench.pipeline.failures


def test_settings_of_all_domains() -> None:
    """What is set for all domains is in force when it is handed in, and back when it is taken away."""
    bench = machine(connect=counting(Reject("x", "p"))[0])
    pipeline, session = bench.pipeline, CASE.session()
    for words, refused in (
        ({"mode": "off"}, False),
        ({"mode": "watch"}, False),
        ({"mode": "on"}, True),
        ({"lists": Lists([Entry(1, "allow", "ip", CASE.client, "probe")])}, False),
        ({"lists": Lists([Entry(1, "allow", "ip", "192.0.2.77", "probe")])}, True),
    ):
        pipeline.configure_gateway(bench.policy("*", {"probe": words}))
        assert refused is (pipeline.gateway_connect(session) is not None), words
    pipeline.configure_gateway(None)
    assert pipeline.gateway_connect(session) is not None


def test_done() -> None:
    """The machine's checks are told the fate too, also of mail for a domain that is not hosted here."""
    hook, asked = counting()
    bench = machine(done=hook)
    address = parse_address("ann@elsewhere.example")
    later = bench.pipeline.run_done(
        CASE.session(), CASE.transaction(), Recipient(address, address), Outcome(Fate.REJECT)
    )
    assert later is None
    assert 1 == len(asked)


def test_costs_nothing_without_work() -> None:
    """At the defaults of client_rate a connection costs a look into a dictionary."""
    bench = Bench(load(entries=False))
    session = CASE.session()
    assert_cheap(10_000 * 5e-6, lambda: [bench.pipeline.gateway_connect(session) for _ in range(10_000)])
