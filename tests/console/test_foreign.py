"""Each page and each route, tried by who may not: 404, and no difference to what does not exist.

It goes through what is mounted, so a page that is added is tried without a line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gatepost.console.app import mounted
from tests.console.house import House

OPEN = {"/login", "/login/passkey", "/login/passkey/begin", "/logout", "/language", "/static/{name:path}"}
"""For everybody."""
OPEN_BELOW = ("/why/", "/digest/")
"""For a refused sender, and for who has a link of a digest."""


def routes(house: House) -> Iterator[tuple[str, str]]:
    """Yield (method, path) of everything that wants somebody."""
    for method, path in mounted(house.app):
        if path not in OPEN and not path.startswith(OPEN_BELOW):
            yield method, path


def filled(path: str, domain: str) -> str:
    """Return an address: the domain, and something for all other parts."""
    return re.sub(r"{(\w+)(?::\w+)?}", lambda part: domain if part[1] == "domain" else "dnsbl", path)


def test_nobody(house: House) -> None:
    """Without a session nothing is answered but the way to sign in."""
    browser = house.browser()
    secret = browser.secret("/login")
    wrong = {}
    for method, path in routes(house):
        answer = browser.client.request(method, filled(path, "ann.example"), headers={"x-csrf-token": secret})
        expected = 401 if path.startswith("/api/") else 303
        if answer.status_code != expected:
            wrong[method, path] = answer.status_code
    assert not wrong


@pytest.mark.parametrize("name", ["eve", "nobody"])
def test_foreign_is_unknown(house: House, name: str) -> None:
    """An owner of another domain gets for each what an unknown domain gets, to the byte."""
    browser = house.browser(name)
    secret = browser.secret()
    wrong = {}
    tried = 0
    for method, path in routes(house):
        if "{domain}" not in path:
            continue
        tried += 1
        foreign, unknown = (
            browser.client.request(method, filled(path, domain), headers={"x-csrf-token": secret})
            for domain in ("ann.example", "not.example")
        )
        same = foreign.text.replace("ann.example", "") == unknown.text.replace("not.example", "")
        if (foreign.status_code, same, dict(foreign.headers)) != (404, True, dict(unknown.headers)):
            wrong[method, path] = (foreign.status_code, unknown.status_code, same)
    assert tried > 10
    assert not wrong


def test_a_reader_changes_nothing(house: House) -> None:
    """Who only looks gets 404 for all that changes a domain."""
    browser = house.browser("rob")
    secret = browser.secret()
    wrong = {
        (method, path): answer.status_code
        for method, path in routes(house)
        if "{domain}" in path and method not in ("GET", "HEAD")
        and (
            answer := browser.client.request(
                method, filled(path, "ann.example"), headers={"x-csrf-token": secret}
            )
        ).status_code
        not in (404, 422)
    }  # fmt: skip
    assert not wrong
