"""The page of counted addresses: found, explained, reset, closed before and after their first mail."""

from __future__ import annotations

import pytest

from gatepost.desk import aliases, domains
from gatepost.desk.errors import NotFound
from tests.console.house import House
from tests.console.seed import counted

PAGE = "/domains/ann.example/aliases"


@pytest.fixture(autouse=True)
def used(house: House) -> None:
    """Use some addresses of ann's domain."""
    counted(house)


def over(house: House, word: str) -> str:
    """Return why an address takes no mail, "" where it does."""
    with house.desk() as desk:
        return aliases.show(desk, f"{word}.you@ann.example").over


def test_listed(house: House) -> None:
    """Word, user, used and left, state; nothing to press for a reader."""
    page = house.browser("rob").page(PAGE)
    for said in ("4 addresses", "shop.3.you@ann.example", "used up", "not counted", "@bank.example"):
        assert said in page
    assert "Let it take" not in page
    assert ">Close<" not in page
    assert "Nobody has used" in house.browser("eve").page("/domains/eve.example/aliases")


def test_search_and_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a text or a user, page after page."""
    monkeypatch.setattr("gatepost.console.pages.aliases.PAGE", 2)
    ann = house.browser("ann")
    assert "club.5.you" in ann.page(f"{PAGE}?q=news@club")
    assert "club.5.you" not in ann.page(f"{PAGE}?q=offers")
    assert "No address is like that" in ann.page(f"{PAGE}?user=nobody")
    first = ann.page(f"{PAGE}?user=you")
    assert "after=at+you+club" in first
    assert "mailboxes/you/checks/counted_address" in first
    rest = ann.page(f"{PAGE}?user=you&after=at+you+club")
    assert ("fair.2026" in rest, "club.5" in rest) == (True, False)


def test_one(house: House) -> None:
    """By any spelling; one that is not there, or of another domain, is said."""
    ann = house.browser("ann")
    page = ann.page(f"{PAGE}?address=you.9.shop")
    assert "offers@shop.example" in page
    assert "3 mails" in page
    assert "No mail has come for it yet" in ann.page(f"{PAGE}?address=new.5.you")
    assert "look like" in ann.page(f"{PAGE}?address=you")
    assert "offers@shop.example" not in house.browser("eve").page(
        "/domains/eve.example/aliases?address=shop.3.you@ann.example"
    )


def test_reset_close_open(house: House) -> None:
    """All its mails again, with another count; closed and opened; before the first mail too."""
    ann = house.browser("ann")
    shop = {"address": "shop.3.you@ann.example"}
    assert 303 == ann.post(PAGE, {"do": "reset", **shop}).status_code
    assert "" == over(house, "shop")
    ann.post(PAGE, {"do": "reset", "count": "9", **shop})
    assert "<dd>9</dd>" in ann.page(f"{PAGE}?address=shop.you")
    ann.post(PAGE, {"do": "close", **shop})
    assert "closed by its owner" == over(house, "shop")
    ann.post(PAGE, {"do": "open", **shop})
    assert "" == over(house, "shop")
    assert 303 == ann.post(PAGE, {"do": "close", "address": "zoo.5.you"}).status_code
    assert "closed by its owner" == over(house, "zoo")
    ann.post(PAGE, {"do": "open", "address": "zoo.5.you"})
    with pytest.raises(NotFound):
        over(house, "zoo")


@pytest.mark.parametrize(
    "values",
    [
        {"do": "reset", "address": "shop.you", "count": "x"},
        {"do": "reset", "address": "shop.you", "count": "5000"},
        {"do": "close", "address": "you"},
        {"do": "close", "address": "zoo.5.nobody"},
        {"do": "close", "address": "zoo.5.you@eve.example"},
    ],
)
def test_faults(house: House, values: dict[str, str]) -> None:
    """What cannot be is said."""
    answer = house.browser("ann").post(PAGE, values)
    assert (422, True) == (answer.status_code, 'role="alert"' in answer.text)


def test_settings_of_a_user(house: House) -> None:
    """One user's own, before the domain's; a reader sees them, a foreign owner does not."""
    path = "/domains/ann.example/mailboxes/you/checks/counted_address"
    ann = house.browser("ann")
    shown = {"separators": ".", "default_count": 3, "most": 20, "longest_days": 28, "new_seconds": 180}
    shown |= {"most_an_hour": 100, "pause_hours": 8, "header": "on", "prefix": "my"}
    settings = {f"set.{name}": value for name, value in shown.items()}
    assert 'value="my"' not in ann.page(path)
    assert 303 == ann.post(path, settings).status_code
    with house.desk() as desk:
        own = domains.own_values(desk, "you@ann.example")
        assert "my" == own["counted_address.prefix"]
        assert "counted_address.prefix" not in domains.own_values(desk, "ann.example")
    assert "set here" in house.browser("rob").page(path)
    assert 404 == house.browser("eve").get(path).status_code


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner change nothing."""
    browser = house.browser(name)
    values = {"do": "reset", "address": "shop.3.you@ann.example"}
    assert 404 == browser.post(PAGE, values).status_code
    assert browser.post("/domains/eve.example/aliases", values).status_code in (404, 422)
    assert "used up" == over(house, "shop")
