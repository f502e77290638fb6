"""Addresses that match an owner's pattern are refused at RCPT, and each rule counts its hits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.verdict import Defer, Reject, Verdict
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.tools import BoundState, Tools
from gatepost.plugins.localpart_rules import DAY, LocalpartRules, Rule, Settings
from gatepost.store.memory import MemoryState

Words = dict[str, Any]


def said(*rules: Words, recipient: str = "ann@example.org", state: Any = None) -> Verdict | None:
    """Return what the rules say of a recipient."""
    bench = Bench([LocalpartRules], Tools(state=state or MemoryState()))
    policy = bench.policy("example.org", {"localpart_rules": {"rules": list(rules)}})
    findings = asyncio.run(bench.ask(policy, Case(recipient=recipient)))
    (finding,) = findings
    assert "" == finding.failure
    return finding.verdict


@pytest.mark.parametrize(
    ("rule", "recipient", "refused"),
    [
        ({"pattern": "|"}, "a|b@example.org", True),
        ({"pattern": ","}, '"a,b"@example.org', True),
        ({"pattern": '"'}, '"a\\"b"@example.org', True),
        ({"pattern": "'"}, "o'neil@example.org", True),
        ({"pattern": "ann"}, "joanna@example.org", True),
        ({"pattern": "ann", "how": "whole"}, "joanna@example.org", False),
        ({"pattern": "[0-9]$", "how": "regex"}, "ann7@example.org", True),
        ({"pattern": "[0-9]@", "how": "regex", "on": "address"}, "ann7@example.org", True),
        ({"pattern": "[0-9]@", "how": "regex"}, "ann7@example.org", False),
        ({"pattern": "example"}, "ann@example.org", False),
        ({"pattern": "ANN@EXAMPLE.ORG", "how": "whole", "on": "address"}, "Ann@example.org", True),
    ],
)
def test_rules(rule: Words, recipient: str, refused: bool) -> None:
    """Which is literal, which is a regex, and on what, each rule says for itself."""
    verdict = said(rule, recipient=recipient)
    assert refused is isinstance(verdict, Reject)
    if isinstance(verdict, Reject):
        assert (550, "5.1.1") == (verdict.code, verdict.enhanced)


def test_first_match_decides() -> None:
    """An exception before a rule lets the address pass; the order is the owner's."""
    exception = {"pattern": "route66", "how": "whole", "then": "pass"}
    rule = {"pattern": "[0-9]$", "how": "regex", "text": "No digits here", "note": "storm of 2009"}
    assert said(exception, rule, recipient="route66@example.org") is None
    refused = Reject("rule '[0-9]$' (regex) in the localpart: storm of 2009", "No digits here", 550, "5.1.1")
    assert refused == said(exception, rule, recipient="route67@example.org")
    assert refused == said(rule, exception, recipient="route66@example.org")
    whole = {"pattern": "ann@example.org", "how": "whole", "on": "address"}
    later = {"pattern": "ann", "then": "later"}
    assert isinstance(said(later, whole), Defer)
    assert isinstance(said(whole, later), Reject)


def test_hits_are_counted() -> None:
    """Each rule counts what it decided, also what it let pass, with the time of the last."""
    state = MemoryState(lambda: 1_795_000_000.0)
    passes, refuses = {"pattern": "bob", "then": "pass"}, {"pattern": "b"}
    for local in ("bob", "bea", "eb", "ann"):
        said(passes, refuses, recipient=f"{local}@example.org", state=state)

    async def hits(rule: Words) -> tuple[int, bool]:
        place, name = BoundState.of(state, "localpart_rules", "example.org"), Rule(**rule).id
        return await place.add(f"hits {name}", 0, DAY), await place.get(f"last {name}") is not None

    assert (1, True) == asyncio.run(hits(passes))
    assert (2, True) == asyncio.run(hits(refuses))
    assert (0, False) == asyncio.run(hits({"pattern": "x"}))


def test_one_object_for_each_rule() -> None:
    """The pipeline knows a refusal that it has seen: a storm costs no new objects."""
    bench = Bench([LocalpartRules], Tools(state=MemoryState()))
    policy = bench.policy("example.org", {"localpart_rules": {"rules": [{"pattern": "ann"}]}})
    first, second = (asyncio.run(bench.ask(policy))[0].verdict for _ in range(2))
    assert first is second


def test_no_rules_no_work() -> None:
    """Without rules it is not even asked."""
    bench = Bench([LocalpartRules])
    assert [] == list(bench.pipeline.plan(bench.policy()).recipient)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"pattern": "(ann", "how": "regex"}], r"\(ann.*missing"),
        ([{"pattern": "|", "how": "regex"}], "matches everything"),
        ([{"pattern": "ann", "how": "glob"}], "whole"),
        ([{"pattern": "ann", "on": "sender"}], "localpart"),
        ([{"pattern": "ann", "text": "no\r\n250 ok"}], "one line"),
        ([{"pattern": "ann", "txet": "no"}], "txet"),
        ([{"pattern": f"a.{{30,60}}b{n}", "how": "regex"} for n in range(500)], "together"),
        ([{"pattern": f"a{n}"} for n in range(1001)], "more than 1000"),
    ],
)
def test_bad_settings(rules: list[Words], words: str) -> None:
    """A rule that cannot be is an error that says which and why, before it is kept."""
    with pytest.raises(ValueError, match=words):
        Settings.model_validate({"rules": rules})


def test_equal_rules_are_compiled_once() -> None:
    """A hundred thousand domains with the rules of all domains share one set of them."""
    rules = [{"pattern": "[0-9]", "how": "regex"}]
    one, other = (Settings.model_validate({"rules": rules}) for _ in range(2))
    assert one.compiled is other.compiled
