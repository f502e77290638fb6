"""Passkeys in Debian's Chromium with a device of its own (a virtual authenticator)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from tests.console.chromium import Window, running
from tests.console.house import House
from tests.console.people import SECRET, real, signed_in
from tests.console.seed import now
from tests.console.served import Served


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    with running() as browser:
        yield browser


def test_add_and_sign_in(house: House, chromium: Browser) -> None:
    """Added with the password, signs in without one, opens nothing once it is removed."""
    house.site = replace(real(house).site, clock=now)
    house.clock = now
    house.app.state.site = house.site
    with Served(house.app) as served:
        url = served.url.replace("127.0.0.1", "localhost")  # an address has no passkeys
        with Window(chromium, url) as window:
            page = window.page
            device = window.context.new_cdp_session(page)
            device.send("WebAuthn.enable")
            device.send(
                "WebAuthn.addVirtualAuthenticator",
                {
                    "options": {
                        "protocol": "ctap2",
                        "transport": "internal",
                        "hasResidentKey": True,
                        "hasUserVerification": True,
                        "isUserVerified": True,
                        "automaticPresenceSimulation": True,
                    }
                },
            )
            window.sign_in("ann", SECRET)
            page.goto("/account")
            form = page.locator("form[data-passkey]")
            form.get_by_label("Name of the device").fill("my phone")
            form.get_by_label("Your password").fill("wrong")
            form.get_by_role("button").click()
            expect(form.get_by_text("the password is wrong")).to_be_visible()
            form.get_by_label("Your password").fill(SECRET)
            form.get_by_role("button").click()
            expect(page.get_by_text("The passkey my phone opens your account.")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()
            page.get_by_role("button", name="Sign in with a passkey").click()
            page.wait_for_url(lambda at: "/login" not in at)
            expect(page.get_by_role("link", name="ann", exact=True)).to_be_visible()
            page.goto("/account")
            page.get_by_role("button", name="Remove my phone").click()
            page.get_by_role("button", name="Sign out").click()
            page.get_by_role("button", name="Sign in with a passkey").click()
            expect(page.get_by_text("That passkey opens nothing here.")).to_be_visible()
            assert [] == window.foreign


def test_without_a_session(house: House) -> None:
    """Nobody adds a passkey to an account that is not his; nonsense leads back to the form."""
    browser = real(house).browser()
    secret = browser.secret("/login")
    begun = browser.client.post("/account/passkeys/begin", data={"csrf": secret})
    assert (303, "/login") == (begun.status_code, begun.headers["location"])
    answer = browser.client.post("/login/passkey", data={"csrf": secret, "credential": "{}"})
    assert (303, "/login?passkey=no") == (answer.status_code, answer.headers["location"])
    assert 403 == browser.client.post("/login/passkey/begin").status_code
    ann = signed_in(house, "ann")
    assert 404 == ann.post("/account/passkeys/remove", {"id": "AAAA"}).status_code
