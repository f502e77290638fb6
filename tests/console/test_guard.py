"""What another site makes a browser send changes nothing; every answer has the headers that keep it safe."""

import pytest
from fastapi import Request

from gatepost.console import guard
from tests.console.house import House


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 303),
        ({"origin": "http://testserver", "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_other_sites(house: House, headers: dict[str, str], expected: int) -> None:
    """A form is taken from our own page only, also where somebody knows its secret."""
    assert expected == house.browser("ann").post("/logout", headers=headers).status_code


def test_the_secret(house: House) -> None:
    """Without the form's secret nothing is done, and another person's secret is none."""
    ann, eve = house.browser("ann"), house.browser("eve")

    assert 403 == ann.client.post("/logout").status_code
    assert 403 == ann.client.post("/logout", data={"csrf": eve.secret()}).status_code
    assert 200 == ann.get("/").status_code
    assert 303 == ann.client.post("/logout", headers={"x-csrf-token": ann.secret()}).status_code
    assert 303 == ann.get("/").status_code


def test_public_name(house: House) -> None:
    """Behind a proxy the browser's origin is the public address."""
    browser = House(house.data.parent / "second", public_url="https://mail.example").browser()
    browser.client.base_url = browser.client.base_url.copy_with(scheme="https")
    values = {"name": "ann", "password": "secret", "csrf": browser.secret("/login")}

    for origin, expected in (("https://mail.example", 303), ("https://evil.example", 403)):
        answer = browser.client.post("/login", data=values, headers={"origin": origin})
        assert expected == answer.status_code
        browser.client.cookies.delete("__Host-gatepost")


@pytest.mark.parametrize("path", ["/login", "/", "/no-such-page", "/static/console.css", "/api/openapi.json"])
def test_headers(house: House, path: str) -> None:
    """Each answer forbids foreign scripts, frames and guessed types."""
    headers = house.browser().get(path).headers

    assert "unsafe" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "nosniff" == headers["x-content-type-options"]
    assert "DENY" == headers["x-frame-options"]


def test_our_faults(house: House) -> None:
    """A fault of ours is a page with the same headers; what it was is told to the log alone."""

    def broken(request: Request) -> None:
        raise RuntimeError("the secret cause")

    house.app.add_api_route("/broken", broken)
    answer = house.browser().get("/broken")

    assert 500 == answer.status_code
    assert "secret cause" not in answer.text
    assert "content-security-policy" in answer.headers
    assert ["console_fault /broken RuntimeError('the secret cause')"] == house.faults


def test_too_large(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body beyond the bound is refused while it comes."""
    monkeypatch.setattr(guard, "STRANGER", 500)
    monkeypatch.setattr(guard, "MAX_BODY", 1000)

    assert 413 == house.browser("ann").post("/logout", {"x": "y" * 2000}).status_code


@pytest.mark.parametrize(
    "path", ["/login", "/why/0DQ3N7V5K2F8T.1-X", "/digest/x.y", "/domains/ann.example/lists"]
)
def test_strangers_send_little(house: House, path: str) -> None:
    """What comes is read before it is known who asks: a stranger is cut off, with a made-up cookie too."""
    body = {"x": "y" * (guard.STRANGER + 1)}
    browser = house.browser()
    for cookie in ("", "token-made-up"):
        browser.client.cookies.set("gatepost", cookie)
        assert 413 == browser.client.post(path, data=body).status_code
        answer = browser.client.post("/api/v1/domains/ann.example/lists", json=body)
        assert 413 == answer.status_code
        answer = browser.client.post(
            "/api/v1/domains/ann.example/lists", json=body, headers={"authorization": "Bearer made-up"}
        )
        assert 413 == answer.status_code


def test_who_is_signed_in_sends_much(house: House) -> None:
    """An import of recipients by a person, and by a program."""
    lines = "\n".join(f"person{n}" for n in range(30_000))
    path = "/api/v1/domains/ann.example/recipients/import"
    ann = house.browser("ann")
    asked = {"content-type": "text/plain", "x-csrf-token": ann.secret()}
    assert len(lines) > guard.STRANGER
    assert 200 == ann.client.post(path, content=lines, headers=asked).status_code
    asked = {"content-type": "text/plain", "authorization": "Bearer program-ann"}
    assert 200 == house.browser().client.post(path, content=lines, headers=asked).status_code


def test_an_authorization_is_for_programs(house: House) -> None:
    """A page asks for the form's secret whatever is sent along: `https://x:y@host` sends such a header."""
    for headers in ({"authorization": "Basic eDp5"}, {"authorization": "Bearer program-ann"}):
        assert 403 == house.browser().client.post("/login", data={"name": "ann"}, headers=headers).status_code
