"""The language of who is not signed in: chosen on the page, kept in a cookie."""

import pytest

from tests.console.addresses import addresses
from tests.console.house import House
from tests.console.seed import now, sow


def test_chosen_at_the_sign_in(house: House) -> None:
    """The page comes back in the language, whatever the browser prefers; what was asked for is not lost."""
    browser = house.browser(**{"accept-language": "fr, en"})
    form = browser.page("/login?next=/domains")
    assert '<button class="link" name="language" value="de" lang="de">Deutsch</button>' in form
    assert 'value="en" lang="en" aria-current="true">English</button>' in form
    assert 2 <= form.count('name="next" value="/domains"')

    values = {"language": "de", "next": "/domains", "csrf": browser.secret("/login")}
    answer = browser.client.post("/language", data=values)
    assert (303, "/domains") == (answer.status_code, answer.headers["location"])
    assert all(word in answer.headers["set-cookie"] for word in ("language=de", "HttpOnly", "SameSite=lax"))
    assert "/login?next=%2Fdomains" == browser.get("/domains").headers["location"]
    german = browser.page("/login?next=/domains")
    assert '<html lang="de">' in german
    assert "Anmelden" in german


@pytest.mark.parametrize("start", ["/why/", "/digest/"])
def test_on_the_pages_of_strangers(house: House, start: str) -> None:
    """A refused sender and who follows a digest's link choose on their page and come back to it."""
    seeded = House(house.data.parent / "seeded", clock=now)
    sow(seeded)
    path = next(one for one in addresses(seeded) if one.startswith(start))
    browser = seeded.browser()
    values = {"language": "de", "csrf": browser.secret(path)}
    referer = {"referer": f"http://testserver{path}"}
    answer = browser.client.post("/language", data=values, headers=referer)
    assert path == answer.headers["location"]
    assert '<html lang="de">' in browser.page(path)


@pytest.mark.parametrize("language", ["", "xx", "../de", "de; Path=/x"])
def test_no_such_language(house: House, language: str) -> None:
    """What is not spoken is 404 and leaves no cookie."""
    browser = house.browser()
    answer = browser.client.post("/language", data={"language": language, "csrf": browser.secret("/login")})
    assert 404 == answer.status_code
    assert "language=" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/login?next=%2Fx", "/login?next=%2Fx"),
        ("", "/login"),
        ("https://evil.example//evil.example/x", "/login"),
        ("http://[", "/login"),
        ("nonsense", "/login"),
    ],
)
def test_back_to_the_page(house: House, referer: str, back: str) -> None:
    """The browser's word for where it was is taken as a path of ours, else it is the sign-in."""
    browser = house.browser()
    values = {"language": "de", "csrf": browser.secret("/login")}
    answer = browser.client.post("/language", data=values, headers={"referer": referer})
    assert back == answer.headers["location"]


def test_never_leads_out(house: House) -> None:
    """Another site is not gone to, and another site's form is refused."""
    browser = house.browser()
    values = {"language": "de", "next": "//evil.example", "csrf": browser.secret("/login")}
    assert "/login" == browser.client.post("/language", data=values).headers["location"]
    assert 403 == browser.client.post("/language", data={**values, "csrf": "x"}).status_code


def test_signed_in(house: House) -> None:
    """Who is signed in has the language of the account, and chooses it there."""
    ann = house.browser("ann")
    ann.client.cookies.set("language", "de")
    assert '<html lang="en">' in ann.page("/")
    assert 'action="/language"' not in ann.page("/")
