"""The page of rules: in order, added with a warning, moved, removed, tried, imported; the owner's alone."""

from __future__ import annotations

import pytest

from gatepost.desk import rules
from tests.console.house import House
from tests.console.seed import name_rules

PAGE = "/domains/ann.example/rules"


def patterns(house: House, word: str | None = "ann.example") -> list[str]:
    """Return the rules in force."""
    with house.desk() as desk:
        return [rule.pattern for rule in rules.in_force(desk, word)]


def id_of(house: House, pattern: str) -> str:
    """Return the id of a rule."""
    with house.desk() as desk:
        return next(rule.id for rule in rules.in_force(desk, "ann.example") if rule.pattern == pattern)


def test_shown(house: House) -> None:
    """Order, what happens, hits and notes; nothing to press for a reader."""
    name_rules(house)
    page = house.browser("rob").page(PAGE)
    assert page.index("route66") < page.index("[0-9]$")
    assert "No mailbox here has a digit" in page
    assert ">648<" in page
    assert "storm of June" in page
    assert "Add a rule" not in page
    assert "There are no rules" in house.browser("eve").page("/domains/eve.example/rules")


def test_add_move_remove(house: House) -> None:
    """Behind or before the others; a rule that would refuse somebody on the list is told."""
    ann = house.browser("ann")
    assert 303 == ann.post(PAGE, {"pattern": "|"}).status_code
    answer = ann.post(
        PAGE, {"pattern": "^you$", "how": "regex", "then": "refuse", "first": "on", "note": "n"}
    )
    assert (200, True) == (answer.status_code, "1 recipient of your list is refused now" in answer.text)
    assert ["^you$", "|"] == patterns(house)
    ann.post(PAGE, {"pattern": "|"})
    assert "there already" in ann.page(PAGE)
    assert 303 == ann.post(f"{PAGE}/{id_of(house, '|')}/move", {"place": "1"}).status_code
    assert ["|", "^you$"] == patterns(house)
    assert 303 == ann.post(f"{PAGE}/{id_of(house, '^you$')}/remove").status_code
    assert ["|"] == patterns(house)
    assert 404 == ann.post(f"{PAGE}/00000000/remove").status_code


def test_faults(house: House) -> None:
    """What is no pattern is told beside it, and stays typed."""
    answer = house.browser("ann").post(PAGE, {"pattern": "(x", "how": "regex"})
    assert (422, True, []) == (answer.status_code, 'value="(x"' in answer.text, patterns(house))
    assert 422 == house.browser("ann").post(PAGE, {"pattern": "x", "then": "explode"}).status_code


def test_the_tester(house: House) -> None:
    """Which rule fires for a name, also a draft; a reader may try, and nothing is changed."""
    name_rules(house)
    rob = house.browser("rob")
    page = rob.page(f"{PAGE}?try=ann7+route66+ann")
    tried = page[page.index("Which rule decides") :]
    assert (1, 1, 1) == (tried.count("[0-9]$"), tried.count("<code>route66"), tried.count("goes on"))
    draft = rob.page(f"{PAGE}?try=ann7&draft=^a&how=regex")
    assert "<code>^a</code>" in draft[draft.index("Which rule decides") :]
    assert "is not of ann.example" in rob.page(f"{PAGE}?try=x@eve.example")
    assert 'role="alert"' in rob.page(f"{PAGE}?try=x&draft=(&how=regex")
    assert 3 == len(patterns(house))


def test_import(house: House) -> None:
    """Pasted, from a file, or the six of 2009; what is not taken over is named."""
    ann = house.browser("ann")
    answer = ann.post(f"{PAGE}/import", {"lines": "[0-9]$ DENY No digits\nnonsense\n"})
    assert "1 rule added" in answer.text
    assert "line 2" in answer.text
    ann.post(f"{PAGE}/import", {"kind": "rcpt_regexp"}, files={"file": ("r", b"/^x/ DENY no\n")})
    assert ["[0-9]$", "^x"] == patterns(house)
    ann.post(f"{PAGE}/import", {"six": "on"})
    assert 8 == len(patterns(house))
    assert 422 == ann.post(f"{PAGE}/import", {"lines": "nonsense"}).status_code


def test_those_of_all_domains(house: House) -> None:
    """What comes from elsewhere is said."""
    with house.desk() as desk:
        rules.add(desk, None, [rules.make(pattern="everywhere")])
    assert "rules for all domains" in house.browser("ann").page(PAGE)


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner change nothing, also by way of their own domain."""
    name_rules(house)
    before, number = patterns(house), id_of(house, "|")
    browser = house.browser(name)
    for path in ("", "/import", f"/{number}/move", f"/{number}/remove"):
        assert 404 == browser.post(PAGE + path, {"pattern": "x", "lines": "x DENY", "place": "1"}).status_code
    assert 404 == browser.post(f"/domains/eve.example/rules/{number}/remove").status_code
    assert before == patterns(house)


def test_for_all_domains(house: House) -> None:
    """An administrator's page, which says whose they are; for others it does not exist."""
    root, ann = house.browser("root"), house.browser("ann")
    assert 303 == root.post("/rules", {"pattern": "first"}).status_code
    assert "1 rule added" in root.post("/rules/import", {"lines": "[0-9]$ DENY No digits"}).text
    page = root.page("/rules")
    assert ("own; its first one takes" in page, "Try names" in page) == (True, False)
    with house.desk() as desk:
        first, digits = rules.in_force(desk, None)
    assert 303 == root.post(f"/rules/{digits.id}/move", {"place": "1"}).status_code
    assert ["[0-9]$", "first"] == patterns(house, None) == patterns(house)
    assert 303 == root.post(f"/rules/{first.id}/remove").status_code
    assert ["[0-9]$"] == patterns(house, None)
    assert 404 == ann.get("/rules").status_code
    for path in ("/rules", "/rules/import", f"/rules/{digits.id}/move", f"/rules/{digits.id}/remove"):
        assert 404 == ann.post(path, {"pattern": "x", "lines": "x DENY", "place": "1"}).status_code
