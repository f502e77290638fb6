"""Signing in and out."""

from pathlib import Path

import pytest

from tests.console.house import House


def test_sign_in(house: House) -> None:
    """The right password opens the page that was asked for; the cookie is for HTTP only."""
    browser = house.browser()
    secret = browser.secret("/login?next=/domains")
    values = {"name": "ann", "password": "secret", "next": "/domains"}
    answer = browser.client.post("/login", data={**values, "csrf": secret})

    assert (303, "/domains") == (answer.status_code, answer.headers["location"])
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "ann.example" in browser.page("/")


@pytest.mark.parametrize(
    "values", [{"name": "ann", "password": "no"}, {"name": "zoe", "password": "secret"}, {}]
)
def test_wrong(house: House, values: dict[str, str]) -> None:
    """Wrong is wrong, in the same words for name and password; the name stays in the form."""
    browser = house.browser()
    answer = browser.client.post("/login", data={**values, "csrf": browser.secret("/login")})

    assert 401 == answer.status_code
    assert "The name or the password is wrong." in answer.text
    assert 303 == browser.get("/").status_code


@pytest.mark.parametrize(
    "next_page", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_never_leads_out(house: House, next_page: str) -> None:
    """An address of another site is not gone to after signing in."""
    browser = house.browser()
    values = {"name": "ann", "password": "secret", "next": next_page, "csrf": browser.secret("/login")}

    assert "/" == browser.client.post("/login", data=values).headers["location"]


def test_sign_out(house: House) -> None:
    """The session ends in the store, not only in the browser."""
    browser = house.browser("ann")
    browser.post("/logout")

    assert {"ann"} == house.people.gone


def test_no_administrator_yet(tmp_path: Path) -> None:
    """What to type is said as long as there is none, after a wrong try too; there is no form for it."""
    told = ["gatepost user add admin --role admin"]
    house = House(tmp_path / "first", first_step=lambda: told[0])
    browser = house.browser()
    page = browser.page("/login")
    assert "There is no administrator yet." in page
    assert f"<code>{told[0]}</code>" in page
    wrong = browser.client.post("/login", data={"name": "x", "csrf": browser.secret("/login")})
    assert told[0] in wrong.text

    told[0] = ""
    assert "administrator" not in browser.page("/login")
