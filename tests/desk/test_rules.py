"""Rules are added, tried, counted and removed by whoever manages the domain."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.desk import changes, domains, recipients, rules
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.plugins.localpart_rules import DAY, MONTH, Rule

DIGITS = Rule(pattern="[0-9]$", how="regex", text="No digits")
BAR = Rule(pattern="|")


def patterns(desk: Desk, word: str | None) -> list[str]:
    return [rule.pattern for rule in rules.in_force(desk, word)]


def test_add_and_remove(desk: Desk) -> None:
    """Rules keep their order; the same rule again changes nothing; id and pattern both name one."""
    assert [DIGITS, BAR] == rules.add(desk, "example.org", [DIGITS, BAR]).added
    again = rules.add(desk, "example.org", [BAR])
    assert ([], 1) == (again.added, again.same)
    rules.add(desk, "example.org", [Rule(pattern="route66", then="pass")], first=True)
    assert ["route66", "[0-9]$", "|"] == patterns(desk, "example.org")
    assert [DIGITS] == rules.remove(desk, "example.org", DIGITS.id)
    assert [BAR] == rules.remove(desk, "example.org", "|")
    assert ["route66"] == patterns(desk, "example.org")
    with pytest.raises(NotFound, match="no rule"):
        rules.remove(desk, "example.org", "|")


def test_move(desk: Desk) -> None:
    """A rule goes to a place, whose it is is told; moving to where it stands is no change."""
    assert "default" == rules.origin(desk, "example.org")
    third = Rule(pattern="x")
    rules.add(desk, "example.org", [DIGITS, BAR, third])
    rules.move(desk, "example.org", third.id, 1)
    assert ["x", "[0-9]$", "|"] == patterns(desk, "example.org")
    rules.move(desk, "example.org", third.id, 99)
    assert ["[0-9]$", "|", "x"] == patterns(desk, "example.org")
    version = desk.policy.version()
    rules.move(desk, "example.org", third.id, 3)
    assert (version, "domain") == (desk.policy.version(), rules.origin(desk, "example.org"))
    with pytest.raises(NotFound):
        rules.move(desk, "example.org", "00000000", 1)


def test_rules_of_all_domains_stay_in_force(desk: Desk) -> None:
    """A domain that gets its first rule keeps those of all domains before it."""
    rules.add(desk, None, [BAR])
    assert ["|"] == patterns(desk, "example.org")
    rules.add(desk, "example.org", [DIGITS])
    assert ["|", "[0-9]$"] == patterns(desk, "example.org")
    rules.remove(desk, None, "|")
    assert [] == patterns(desk, None)
    assert ["|", "[0-9]$"] == patterns(desk, "example.org")


def test_a_change_like_any_other(desk: Desk) -> None:
    """Who added a rule is written down, and the change can be rolled back."""
    rules.add(desk, "example.org", [DIGITS])
    change = changes.listing(desk, "example.org")[0]
    assert "ann" == change.by
    changes.roll_back(desk, change.id)
    assert [] == patterns(desk, "example.org")


def test_hits(desk: Desk) -> None:
    """What the workers counted is shown beside each rule."""
    rules.add(desk, "example.org", [DIGITS, BAR])

    async def hit() -> None:
        state = desk.state_of("localpart_rules", "example.org")
        for window in (DAY, MONTH):
            await state.add(f"hits {DIGITS.id}", 3, window)
        await state.put(f"last {DIGITS.id}", b"1795000000", 60)

    asyncio.run(hit())
    shown = [(one.day, one.month, one.last) for one in rules.listing(desk, "example.org")]
    assert [(3, 3, 1_795_000_000.0), (0, 0, None)] == shown


def test_tester(desk: Desk) -> None:
    """The tester says which rule decides, without any mail, also of a draft; and the switch."""
    rules.add(desk, "example.org", [DIGITS])
    ann, ann7 = rules.test(desk, "example.org", ["ann", "ann7@example.org"])
    assert (None, False) == (ann.rule, ann.refused)
    assert (DIGITS, True) == (ann7.rule, ann7.refused)
    (draft,) = rules.test(desk, "example.org", ["ann"], (Rule(pattern="nn"),))
    assert "nn" == draft.rule.pattern if draft.rule else None
    domains.set_values(desk, "example.org", {"localpart_rules.mode": "watch"})
    assert rules.test(desk, "example.org", ["ann7"])[0].refused is False
    for bad in ("a b@example.org", "ann@example.net"):
        with pytest.raises(DeskError, match=r"ann@example\.net|a b"):
            rules.test(desk, "example.org", [bad])


def test_listed_recipients_that_a_rule_catches_are_named(desk: Desk) -> None:
    """A pattern easily catches too much: whoever is listed and refused is named at once."""
    recipients.add(desk, "example.org", ["ann", "sales2", "*"])
    done = rules.add(desk, "example.org", [DIGITS])
    assert (["sales2"], 1) == (done.caught, done.caught_count)


def test_a_pattern_that_waits_for_an_at(desk: Desk) -> None:
    """`[0-9]@` held against the local part alone never matches; that is said when it is added."""
    done = rules.add(desk, "example.org", [rules.make(pattern="[0-9]@", how="regex"), BAR])
    assert ["[0-9]@: only the local part is looked at, which has no @"] == done.remarks
    whole = rules.make(pattern="[0-9]@", how="regex", on="address")
    assert [] == rules.add(desk, "example.org", [whole]).remarks


def test_import(desk: Desk) -> None:
    """A file is taken over but for its bad lines; the six old rules by one word."""
    done = rules.import_file(desk, "example.org", b"/[0-9]@/ DENY no\n/(/ DENY no\n")
    assert (1, 1) == (len(done.added), len(done.bad))
    assert 5 == len(rules.import_six(desk, "example.org").added)
    with pytest.raises(DeskError, match="no rule could be read"):
        rules.import_file(desk, "example.org", b"/(/ DENY no\n")


def test_bad_rules(desk: Desk) -> None:
    """A rule that cannot be is answered with the pattern and why."""
    with pytest.raises(DeskError, match=r"pattern '\(': missing"):
        rules.make(pattern="(", how="regex")
    with pytest.raises(NotFound, match="not hosted"):
        rules.add(desk, "example.net", [BAR])
