"""The list of domains, and a new one in one form."""

import pytest

from gatepost.desk import domains, recipients
from tests.console.house import House
from tests.console.seed import journal

NEW = {
    "name": "new.example",
    "route": "maildir:///srv/mail/%u",
    "recipients": "list",
    "locals": "ann\nbob@new.example",
}


def test_list(house: House) -> None:
    """Each sees the own domains with what came this week; a search keeps those that hold the word."""
    journal(house, house.clock(), days=1)
    root, ann = house.browser("root"), house.browser("ann")
    assert "eve.example" in root.page("/domains")
    assert "eve.example" not in root.page("/domains?q=ann")
    assert "ann.example" in root.page("/domains?q=ANN")
    assert "is called so" in root.page("/domains?q=zoe")
    page = ann.page("/domains")
    assert "eve.example" not in page
    assert "2 listed" in page
    assert "/domains/new" not in page
    assert "No domain was given" in house.browser("nobody").page("/domains")
    assert "is called so" in ann.page("/domains?q=eve")


def test_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list has pages, also for who sees only some."""
    monkeypatch.setattr("gatepost.console.pages.domains.PAGE", 1)
    first = house.browser("root").page("/domains")
    assert "ann.example" in first
    assert "eve.example" not in first
    assert "after=ann.example" in first
    assert "eve.example" in house.browser("root").page("/domains?after=ann.example")


def test_add(house: House) -> None:
    """Name, route and recipients in one form; the domain is there, by that person."""
    root = house.browser("root")
    assert "Add a domain" in root.page("/domains/new")
    answer = root.post("/domains/new", {**NEW, "do": "add", "preset": "careful"})

    assert (303, "/domains/new.example") == (answer.status_code, answer.headers["location"])
    assert "hosted here now" in root.page("/domains/new.example")
    with house.desk() as desk:
        assert {"ann", "bob"} == {one.local for one in recipients.listing(desk, "new.example")}
        assert "careful" == domains.own_values(desk, "new.example")["preset"]
        assert "root" == desk.policy.changes(limit=1)[0].by


def test_try_only(house: House) -> None:
    """Trying says what was found and which records to set, and adds nothing."""
    answer = house.browser("root").post("/domains/new", {**NEW, "do": "try"})

    assert "A Maildir on this machine" in answer.text
    assert "10 mx.gatepost.test." in answer.text
    assert "bob@new.example" in answer.text
    with house.desk() as desk:
        assert desk.policy.domain("new.example") is None


def test_a_route_that_does_not_work(house: House) -> None:
    """It is said, and the domain is added only by who insists."""
    root = house.browser("root")
    bad = {**NEW, "route": "smtp://127.0.0.1:1", "do": "add"}
    answer = root.post("/domains/new", bad)

    assert 422 == answer.status_code
    assert "cannot be reached" in answer.text
    assert 303 == root.post("/domains/new", {**bad, "anyway": "on"}).status_code


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "not a domain"}, "not a"),
        ({"route": "ftp://x.example"}, "a route begins with"),
        ({"route": ""}, "route"),
        ({"name": "ann.example"}, "ann.example"),
    ],
)
def test_faults(house: House, values: dict[str, str], said: str) -> None:
    """What is wrong is told, and what was typed stays."""
    answer = house.browser("root").post("/domains/new", {**NEW, "do": "add", **values})

    assert 422 == answer.status_code
    assert said in answer.text
    assert "bob@new.example" in answer.text


@pytest.mark.parametrize("name", ["ann", "rob"])
def test_only_administrators_add(house: House, name: str) -> None:
    """For everybody else there is no such page."""
    browser = house.browser(name)

    assert 404 == browser.get("/domains/new").status_code
    assert 404 == browser.post("/domains/new", {**NEW, "do": "add"}).status_code


def test_an_old_name(house: House) -> None:
    """Who adds a domain that was removed lately is asked which one it is, and nothing is done before."""
    root = house.browser("root")
    root.post("/domains/new", {**NEW, "do": "add"})
    with house.desk() as desk:
        domains.remove(desk, "new.example")
    answer = root.post("/domains/new", {**NEW, "do": "add"})
    assert answer.status_code == 422
    assert 2 == answer.text.count('name="anew"')
    assert "/changes?domain=new.example" in answer.text
    with house.desk() as desk:
        assert desk.policy.domain("new.example") is None
        assert desk.policy.removal("new.example") is not None
    answer = root.post("/domains/new", {**NEW, "do": "add", "anew": "new"})
    assert (303, "/domains/new.example") == (answer.status_code, answer.headers["location"])
