"""Stories 3 and 4 of the console, by a browser on a desktop and a phone, with and without JavaScript.

Mail over SMTP through a gateway of two workers, a real block list, a back end; what a browser does is real.
"""

import re
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.chromium import Window
from tests.system.dns import Rbldnsd
from tests.system.process import wait_until
from tests.system.test_console_stories import LETTER, LISTED, PASSWORD, WAYS, Place, axe, place

__all__ = ["place"]

ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{13}\b")


def owned(place: Place, *settings: str) -> None:
    """Give an owner a domain; what is refused is refused behind the data, so that it is kept."""
    gateway = place.gateway
    for domain in ("owned.example", "other.example"):
        gateway.cli("domain", "add", domain, "--route", f"smtp://127.0.0.1:{place.sink.port}")
        gateway.cli("recipient", "add", domain, "ann")
        gateway.cli("domain", "set", domain, *settings)
    gateway.until_accepted("ann@owned.example")
    place.add_user("olga", "owner", "owned.example")


@pytest.mark.parametrize(("size", "scripts"), WAYS)
def test_story_3(chromium: Browser, place: Place, rbldnsd: Rbldnsd, size: str, scripts: bool) -> None:
    """The id of a refusal leads to why, to what would have let it in, and to the mail."""
    gateway = place.gateway
    owned(place, "dnsbl.mode=on", 'dnsbl.zones=["bl.test"]', "refuse_at=data")
    rbldnsd.list(LISTED)

    def send() -> tuple[int, str]:
        return gateway.send(["ann@owned.example"], LETTER, source=LISTED, sender="mia@partner.example")

    wait_until(lambda: send()[0] == 550, "refused")
    code, text = send()
    told = ID.search(text)
    assert (550, True) == (code, told is not None), text
    assert told
    with Window(chromium, place.url, size, scripts=scripts) as window:
        page = window.page
        page.on("dialog", lambda dialog: dialog.accept())
        window.sign_in("olga", PASSWORD)
        page.goto("/journal")
        page.locator("main input[name=q]").fill(told[0].lower())
        page.locator("main form.filters button").click()
        expect(page.get_by_role("heading", name=f"Mail {told[0]}")).to_be_visible()
        expect(page.get_by_text("The check dnsbl decided")).to_be_visible()
        expect(page.locator("table.checks")).to_contain_text("refuses it")
        axe(window, scripts)
        page.get_by_role("link", name="Try it").first.click()
        expect(page.locator("#tried")).to_contain_text("With your allow entry mia@partner.example: accepted")
        axe(window, scripts)
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_role("heading", name="hello")).to_be_visible()
        expect(page.locator("pre.mail").first).to_contain_text("It works.")
        axe(window, scripts)
        before = len(place.sink.messages())
        page.get_by_role("button", name="Release", exact=True).click()
        expect(page.get_by_text("on its way").first).to_be_visible()
        wait_until(lambda: len(place.sink.messages()) == before + 1, "the released mail")
        page.goto(f"/journal/{told[0]}")
        page.get_by_role("button", name="Add the entry").first.click()
        expect(page.get_by_text("mia@partner.example is let in from now on.")).to_be_visible()
        wait_until(lambda: send()[0] == 250, "let in")
        page.goto("/journal?sender=mia%40partner.example&fate=rejected")
        expect(page.locator("#live tr")).not_to_have_count(0)
        page.goto(f"/journal/{told[0]}")
        page.get_by_role("button", name="Always refuse this sender").first.click()
        expect(page.get_by_text("mia@partner.example is refused now.")).to_be_visible()
        assert ([], []) == (window.faults, window.foreign)


def came(page: Page, text: str) -> bool:
    """Load the page anew; return whether a text stands there now."""
    page.reload()
    return page.get_by_text(text).count() > 0


@pytest.mark.parametrize(("size", "scripts"), WAYS)
def test_story_4(chromium: Browser, place: Place, size: str, scripts: bool) -> None:
    """The first screen and the journal show what comes: by themselves, or when loaded anew."""
    gateway = place.gateway
    owned(place, "dnsbl.mode=off")
    with Window(chromium, place.url, size, scripts=scripts) as window:
        page = window.page
        window.sign_in("olga", PASSWORD)
        for path in ("/", "/journal"):
            page.goto(path)
            if scripts:
                page.wait_for_timeout(1_500)  # the stream begins with what comes from now on
            to = "nobody@owned.example" if path == "/" else "nobody-either@owned.example"
            assert 550 == gateway.rcpt(to)[0]
            assert 550 == gateway.rcpt(to.replace("owned", "other"))[0]
            if scripts:
                expect(page.locator("#live").get_by_text(to).first).to_be_visible(timeout=10_000)
            else:
                wait_until(partial(came, page, to), "the refusal")
            expect(page.get_by_text("other.example")).to_have_count(0)
            axe(window, scripts)
        page.locator("#live a").first.click()
        expect(page.get_by_text("The check recipients decided")).to_be_visible()
        assert ([], []) == (window.faults, window.foreign)
    assert 0 == gateway.stop(), "open streams hold nothing up"
