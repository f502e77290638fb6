"""A house whose people are real ones: argon2 passwords, sessions, tokens, kept in accounts.db."""

from __future__ import annotations

from dataclasses import replace

from gatepost.desk import sessions, tokens, users
from tests.console.house import Browser, House

SECRET = "correct horse"


def real(house: House) -> House:
    """Give the house real accounts: root (administrator), ann and eve (owners)."""
    with house.desk("test") as desk:
        users.add(desk, "root", SECRET, "admin")
        users.add(desk, "ann", SECRET, "owner", ["ann.example"], "en", "Europe/Berlin")
        users.add(desk, "eve", SECRET, "owner", ["eve.example"])
    house.site = replace(house.site, accounts=sessions, bearer=tokens.who_bears)
    house.app.state.site = house.site
    return house


def signed_in(house: House, name: str, password: str = SECRET, code: str = "") -> Browser:
    """Return a browser in which somebody has signed in with the form."""
    browser = house.browser()
    values = {"name": name, "password": password, "code": code, "csrf": browser.secret("/login")}
    answer = browser.client.post("/login", data=values)
    assert 303 == answer.status_code, answer.text[:300]
    return browser
