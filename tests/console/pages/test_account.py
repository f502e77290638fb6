"""One's own account: what opens the door asks for the password again."""

import re

import pyotp
import pytest

from gatepost.desk import tokens, users
from tests.console.house import NOW, House
from tests.console.people import SECRET, real, signed_in


@pytest.fixture
def real_house(house: House) -> House:
    """Return a house with real accounts."""
    return real(house)


def test_reader(real_house: House) -> None:
    """Language and zone hold from the next page on; a zone that there is not is told."""
    ann = signed_in(real_house, "ann")
    ann.post("/account/reader", {"language": "de", "zone": "Asia/Tokyo"})
    assert "Mein Konto" in ann.page("/account")
    answer = ann.post("/account/reader", {"language": "de", "zone": "Mars/Base"})
    assert (422, True) == (answer.status_code, "Mars/Base" in answer.text)
    assert 404 == ann.post("/account/reader", {"language": "xx"}).status_code
    forgets = ann.post("/account/reader", {"language": ""}).headers["set-cookie"]
    assert "language=" in forgets, "the browser's language is the browser's, not one chosen before signing in"


def test_password(real_house: House) -> None:
    """The old one is asked for; other sessions end, this one stays."""
    ann, other = signed_in(real_house, "ann"), signed_in(real_house, "ann")
    new = {"new": "battery staple", "again": "battery staple"}
    for wrong in (
        {**new, "password": "no"}, {**new, "password": SECRET, "again": "other"},
        {"password": SECRET, "new": "short", "again": "short"},
    ):  # fmt: skip
        assert 422 == ann.post("/account/password", wrong).status_code
    assert 303 == ann.post("/account/password", {**new, "password": SECRET}).status_code
    assert 200 == ann.get("/account").status_code
    assert 303 == other.get("/account").status_code
    assert signed_in(real_house, "ann", "battery staple")


def test_guessing_is_limited(real_house: House) -> None:
    """Whoever has an open browser cannot try passwords without end."""
    ann = signed_in(real_house, "ann")
    for _ in range(10):
        ann.post("/account/codes/off", {"password": "no"})
    answer = ann.post("/account/codes/off", {"password": SECRET})
    assert (422, True) == (answer.status_code, "too many tries" in answer.text)


def test_codes(real_house: House) -> None:
    """Set up with a picture and a code; recovery codes are shown once; off again with the password."""
    ann = signed_in(real_house, "ann")
    page = ann.post("/account/codes").text
    found = re.search(r'<code id="secret">([A-Z2-7]+)</code>', page)
    assert found
    assert 'src="data:image/svg+xml' in page
    totp = pyotp.TOTP(found[1])
    wrong = ann.post("/account/codes/on", {"secret": found[1], "code": "000000", "password": SECRET})
    assert (422, True) == (wrong.status_code, found[1] in wrong.text)
    assert 404 == ann.post("/account/codes/on", {"secret": "AAAA", "password": SECRET}).status_code
    values = {"secret": found[1], "code": totp.at(int(NOW)), "password": SECRET}
    codes = re.findall(r"<li><code>(\w+)</code>", ann.post("/account/codes/on", values).text)
    assert 10 == len(codes)
    browser = real_house.browser()
    values = {"name": "ann", "password": SECRET, "csrf": browser.secret("/login")}
    assert 401 == browser.client.post("/login", data=values).status_code
    assert signed_in(real_house, "ann", code=totp.at(int(NOW) + 30))
    assert signed_in(real_house, "ann", code=codes[0])
    assert 422 == ann.post("/account/codes/off", {"password": "no"}).status_code
    assert 303 == ann.post("/account/codes/off", {"password": SECRET}).status_code
    assert signed_in(real_house, "ann")


def test_sessions(real_house: House) -> None:
    """Each is listed and can be ended; nobody ends another's."""
    ann, second, third = (signed_in(real_house, "ann") for _ in range(3))
    root = signed_in(real_house, "root")
    ids = re.findall(r'name="session" value="(\w+)"', ann.page("/account"))
    assert 2 == len(ids)
    root.post("/account/sessions/end", {"session": ids[0]})
    assert (200, 200) == (second.get("/account").status_code, third.get("/account").status_code)
    ann.post("/account/sessions/end", {"session": ids[0]})
    assert {200, 303} == {second.get("/account").status_code, third.get("/account").status_code}
    ann.post("/account/sessions/end")
    assert (200, 303) == (ann.get("/account").status_code, third.get("/account").status_code)


def test_tokens(real_house: House) -> None:
    """Made with the password, shown once, revoked; never wider than the person."""
    ann = signed_in(real_house, "ann")
    values = {"label": "my script", "rights": "change", "expires": "90d", "password": SECRET}
    assert 422 == ann.post("/account/tokens", {**values, "password": "no"}).status_code
    assert 422 == ann.post("/account/tokens", {**values, "rights": "admin"}).status_code
    assert 422 == ann.post("/account/tokens", {**values, "domains": "eve.example"}).status_code
    found = re.search(r'<code id="bearer">([^<]+)</code>', ann.post("/account/tokens", values).text)
    assert found
    page = ann.page("/account")
    assert ("my script" in page, found[1] in page) == (True, False)
    with real_house.desk() as desk:
        assert tokens.who_bears(desk, found[1]) is not None
        (number,) = [one.id for one in tokens.listing(desk)]
    root = signed_in(real_house, "root")
    assert 404 == root.post("/account/tokens/revoke", {"number": str(number)}).status_code
    ann.post("/account/tokens/revoke", {"number": str(number)})
    with real_house.desk() as desk:
        assert tokens.who_bears(desk, found[1]) is None
        assert users.get(desk, "ann").role == "owner"
