"""The page of storms: what is closed, how it came, opened by hand, exceptions; the owner's alone."""

from __future__ import annotations

import pytest

from gatepost.desk import storms
from gatepost.desk.deeds import at_once
from tests.console.house import NOW, House
from tests.console.seed import storm

PAGE = "/domains/ann.example/storms"


@pytest.fixture(autouse=True)
def stormy(house: House) -> None:
    """Let a storm come to ann's domain."""
    storm(house, NOW)


def closed(house: House) -> list[str]:
    """Return what is closed."""
    with house.desk() as desk:
        return [one.address for one in storms.listing(desk, "ann.example")]


def test_shown(house: House) -> None:
    """Closed addresses, those that were, the hours as a table, the exceptions."""
    page = house.browser("rob").page(PAGE)
    assert "you@ann.example" in page
    assert "postmaster@ann.example" in page
    assert "by ann" in page
    assert 'data-chart="hours-table"' in page
    assert 48 == page.count('<th scope="row"')
    assert "Fri 09:00" in page
    assert "<bdi>news</bdi>" in page
    assert "Open now" not in page
    empty = house.browser("eve").page("/domains/eve.example/storms")
    assert "No address is closed" in empty
    assert "None in the last two days" in empty


def test_open(house: House) -> None:
    """Opened at once; a second time it is open already."""
    ann = house.browser("ann")
    for said in ("takes bounces again", "open already"):
        assert 303 == ann.post(f"{PAGE}/open", {"address": "you@ann.example"}).status_code
        assert said in ann.page(PAGE)
    assert [] == closed(house)


def test_exceptions(house: House) -> None:
    """Never closed, and closed again; what is no address of the domain is told."""
    ann = house.browser("ann")
    assert 303 == ann.post(f"{PAGE}/never", {"address": "you@ann.example"}).status_code
    assert [] == closed(house)
    assert "<bdi>you</bdi>" in ann.page(PAGE)
    assert 303 == ann.post(f"{PAGE}/never/remove", {"address": "you"}).status_code
    assert "<bdi>you</bdi>" not in ann.page(PAGE)
    answer = ann.post(f"{PAGE}/never", {"address": "x@eve.example"})
    assert (422, True) == (answer.status_code, "is not of ann.example" in answer.text)


def test_the_switch(house: House) -> None:
    """The check is turned on from here, and the way leads back."""
    ann = house.browser("ann")
    answer = ann.post("/domains/ann.example/checks/bounce_storm/mode", {"mode": "watch", "back": "storms"})
    assert PAGE == answer.headers["location"]
    assert "The check is not on" in ann.page(PAGE)


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner open nothing, also by way of their own domain."""
    browser = house.browser(name)
    for path in ("open", "never", "never/remove"):
        assert 404 == browser.post(f"{PAGE}/{path}", {"address": "you@ann.example"}).status_code
    browser.post("/domains/eve.example/storms/open", {"address": "you@ann.example"})
    assert ["you@ann.example"] == closed(house)


def test_all_domains(house: House) -> None:
    """An administrator sees those of every domain at once, and opens one; nobody else does."""
    with house.desk() as desk:
        for name, until in (("eve.example", NOW + 600), ("gone.example", NOW + 600)):
            row = {"since": NOW - 60, "until": until, "bounces": 77}
            at_once(desk.records.put(name, "bounce_storm", "closed <i>", row))
    root = house.browser("root")
    assert 'href="/storms"' in root.page("/")
    page = root.page("/storms")
    assert 'href="/domains/ann.example/storms"' in page
    assert "you@ann.example" in page
    assert "&lt;i&gt;@eve.example" in page
    assert "gone.example" not in page
    assert "postmaster@ann.example" in page.partition("Open again")[2]
    assert 48 == page.count('<th scope="row"')
    assert "/never" not in page
    for said in ("takes bounces again", "open already"):
        assert 303 == root.post("/storms/open", {"address": "you@ann.example"}).status_code
        assert said in root.page("/storms")
    assert [] == closed(house)
    for name in ("ann", "rob", "eve"):
        browser = house.browser(name)
        assert 404 == browser.get("/storms").status_code
        assert 'href="/storms"' not in browser.page("/")
        assert 404 == browser.post("/storms/open", {"address": "x@ann.example"}).status_code


def test_a_bound(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Very many are counted and not all shown."""
    monkeypatch.setattr("gatepost.console.pages.storms.CLOSED", 1)
    with house.desk() as desk:
        for number in range(3):
            row = {"since": NOW - 60, "until": NOW + 600, "bounces": 77}
            at_once(desk.records.put("eve.example", "bounce_storm", f"closed n{number}", row))
    page = house.browser("root").page("/storms")
    assert "3 more are not shown" in page
    assert 1 == page.count("Open now")


def test_odd_records(house: House) -> None:
    """An address that a stranger made up is text."""
    with house.desk() as desk:
        row = {"since": NOW, "until": NOW + 60, "bounces": 1}
        at_once(desk.records.put("ann.example", "bounce_storm", "closed <b>x", row))
    assert "&lt;b&gt;x@ann.example" in house.browser("ann").page(PAGE)
