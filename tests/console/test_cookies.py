"""Cookies: scripts cannot read them, other sites cannot send them with a form."""

from tests.console.house import House


def test_what_a_browser_gets(house: House) -> None:
    """A visitor gets a cookie once; who signs in gets one for the session."""
    browser = house.browser()
    first = browser.get("/login").headers["set-cookie"]
    assert all(word in first for word in ("gatepost_visitor=", "HttpOnly", "SameSite=lax"))
    assert "set-cookie" not in browser.get("/login").headers


def test_over_tls(house: House) -> None:
    """With a public https address cookies are bound to the host and to TLS."""
    proxied = House(house.data.parent / "second", public_url="https://mail.example")
    said = proxied.browser().get("/login").headers["set-cookie"]

    assert said.startswith("__Host-gatepost_visitor=")
    assert "Secure" in said
    assert "max-age" in proxied.browser().get("/login").headers["strict-transport-security"]
