"""Who is there: list, wildcard, invalid beats valid, per-recipient clients, callout."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.address import Address
from gatepost.mail.verdict import Defer, Reject
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.context import UNASKED
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Fate, Outcome, decide_recipient
from gatepost.policy.lists import Entry, Lists
from gatepost.policy.policy import Action, DomainPolicy
from gatepost.policy.source import RecipientRow
from gatepost.store.journal_lines import NOT_FROM_HERE

REGISTRY = load(entries=False)


def outcome(
    row: RecipientRow | None,
    recipients: str = "list",
    *,
    answer: Any = None,
    local: str = "ann",
    client: str = "192.0.2.1",
    lists: Lists = Lists.EMPTY,
    **switch: Any,
) -> Outcome:
    """Return what becomes of a recipient."""

    async def verify(policy: DomainPolicy, address: Address, asked_by: str) -> Any:
        assert (policy.domain, address.local, asked_by) == ("example.org", local, client)
        if isinstance(answer, Exception):
            raise answer
        await asyncio.sleep(0)
        return answer

    bench = Bench(REGISTRY, Tools(verify_recipient=verify))
    policy = bench.policy("example.org", {"recipients": switch}, recipients, lists)
    case = Case(recipient=f"{local}@example.org", row=row, client=client)
    findings = [f for f in asyncio.run(bench.ask(policy, case)) if f.plugin == "recipients"]
    entry = lists.match(client, None, None, False, "", 0.0) if lists else None
    return decide_recipient(policy, findings, entry)


VALID, INVALID = RecipientRow("ann"), RecipientRow("ann", "invalid")
WILDCARD = RecipientRow("*")
CLOSED_WILDCARD = RecipientRow("*", "invalid")


@pytest.mark.parametrize(
    ("row", "recipients", "there"),
    [
        (VALID, "list", True),
        (WILDCARD, "list", True),
        (INVALID, "list", False),
        (CLOSED_WILDCARD, "list", False),
        (None, "list", False),
        (VALID, "any", True),
        (None, "any", True),
        (INVALID, "any", False),
        (INVALID, "callout", False),
        (VALID, "callout", True),
    ],
)
def test_who_is_there(row: RecipientRow | None, recipients: str, there: bool) -> None:
    """550 5.1.1 for who is not; nothing is asked of the back end about who is on the list."""
    said = outcome(row, recipients, answer=AssertionError("was asked"))
    if there:
        assert Fate.ACCEPT is said.fate
    else:
        assert (Fate.REJECT, 550, "5.1.1") == (said.fate, said.code, said.enhanced)
        assert "No such recipient here" == said.public


@pytest.mark.parametrize("local", ["postmaster", "abuse", "Postmaster", "ABUSE"])
def test_always_there(local: str) -> None:
    """RFC 5321, 4.5.1: postmaster is there without being on a list, and so is abuse."""
    assert Fate.ACCEPT is outcome(None, local=local).fate


@pytest.mark.parametrize(
    ("answer", "fate", "code", "enhanced"),
    [
        ("yes", Fate.ACCEPT, 250, "2.1.5"),
        ("no", Fate.REJECT, 550, "5.1.1"),
        ("unknown", Fate.DEFER, 451, "4.4.1"),
        ("", Fate.DEFER, 451, "4.4.1"),
        (None, Fate.DEFER, 451, "4.4.1"),
        (OSError("no route"), Fate.DEFER, 451, "4.3.0"),
    ],
)
def test_callout(answer: Any, fate: Fate, code: int, enhanced: str) -> None:
    """Yes lets in, no refuses, anything else waits: never blind acceptance, never a 5xx by mistake."""
    said = outcome(None, "callout", answer=answer)
    assert (fate, code, enhanced) == (said.fate, said.code, said.enhanced)


@pytest.mark.parametrize(
    ("client", "let_in"),
    [
        ("192.0.2.1", True),
        ("198.51.100.77", True),
        ("2001:db8::9", True),
        ("192.0.2.2", False),
        ("2001:db9::9", False),
        ("unix", False),
    ],
)
def test_clients_of_a_recipient(client: str, let_in: bool) -> None:
    """A recipient may take mail from some addresses and networks only."""
    row = RecipientRow("ann", "valid", ("192.0.2.1", "198.51.100.0/24", "2001:db8::/32"))
    said = outcome(row, client=client)
    if let_in:
        assert Fate.ACCEPT is said.fate
    else:
        assert (Fate.REJECT, 550, "5.7.1") == (said.fate, said.code, said.enhanced)
        assert client in said.reason
        # The statistics tell it from "no such user" by this.
        assert (said.plugin, True) == (NOT_FROM_HERE[0], said.reason.endswith(NOT_FROM_HERE[1]))
        assert client not in said.public


def test_no_client_at_all() -> None:
    """An empty list of clients closes the recipient to everybody."""
    assert Fate.REJECT is outcome(RecipientRow("ann", "valid", ())).fate


def test_allow_entry_does_not_help() -> None:
    """Precedence 1: a recipient that does not exist is refused, whatever the lists say."""
    assert Fate.REJECT is outcome(None, lists=Lists([Entry(1, "allow", "ip", "192.0.2.1")])).fate
    own = Lists([Entry(1, "allow", "ip", "192.0.2.1", "recipients")])
    bench = Bench(REGISTRY)
    policy = bench.policy("example.org", {"recipients": {"lists": own}})
    findings = asyncio.run(bench.ask(policy, Case(row=None)))
    assert Fate.REJECT is decide_recipient(policy, findings, None).fate


def test_other_actions() -> None:
    """A domain may watch, hold or defer instead."""
    assert Fate.QUARANTINE is outcome(None, action=Action.QUARANTINE).fate
    assert Fate.DEFER is outcome(None, action=Action.DEFER).fate
    assert Fate.ACCEPT is outcome(None, mode="watch").fate
    assert Fate.ACCEPT is outcome(None, mode="off").fate


def test_row_is_looked_up_where_nobody_handed_it_in() -> None:
    """The store is asked by domain and folded local part, once."""
    asked: list[tuple[str, str]] = []

    def look(domain: str, local: str) -> RecipientRow | None:
        asked.append((domain, local))
        return VALID if local == "ann" else None

    bench = Bench(REGISTRY, Tools(recipient_row=look))
    said = [
        [f.verdict for f in asyncio.run(bench.ask(bench.policy(), case)) if f.verdict]
        for case in (Case(recipient=f"{to}@example.org", row=UNASKED) for to in ("ANN", "bob"))
    ]
    assert [("example.org", "ann"), ("example.org", "bob")] == asked
    assert [[], [Reject("no such recipient", "No such recipient here", 550, "5.1.1")]] == said


def test_same_finding_for_all() -> None:
    """Ten thousand unknown recipients share one verdict: refusing is the cheapest thing that we do."""
    bench = Bench(REGISTRY)
    policy = bench.policy()
    findings = [
        asyncio.run(bench.ask(policy, Case(recipient=f"x{n}@example.org", row=None)))[-1] for n in range(4)
    ]
    assert findings[3] is findings[2]
    assert isinstance(findings[0].verdict, Reject)
    assert not isinstance(findings[0].verdict, Defer)


def test_callout_is_dear() -> None:
    """A refusal by a cheap check spares the back end the question."""
    asked: list[str] = []

    async def verify(_policy: DomainPolicy, address: Address, _client: str) -> str:
        asked.append(address.local)
        return "yes"

    bench = Bench(REGISTRY, Tools(verify_recipient=verify))
    policy = bench.policy("example.org", {"helo_name": {"mode": "on"}}, "callout")
    findings = asyncio.run(bench.ask(policy, Case(row=None, helo="localhost")))
    assert (Fate.REJECT, "helo_name") == (
        decide_recipient(policy, findings, None).fate,
        decide_recipient(policy, findings, None).plugin,
    )
    assert [] == asked
    asyncio.run(bench.ask(policy, Case(row=None)))
    assert ["ann"] == asked
