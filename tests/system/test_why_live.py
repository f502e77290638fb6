"""A refused sender, from the reply to delivery: gateway, console, a browser without scripts, a back end."""

import re
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.console.chromium import Window
from tests.system.gateway import Gateway
from tests.system.process import free_port, wait_until
from tests.system.running import deny
from tests.system.sink import Sink
from tests.system.test_console_process import answers
from tests.system.test_console_stories import PASSWORD, Place

DENIED = "127.0.0.9"
SENDER = "mia@partner.example"
LETTER = b"Subject: The offer\r\n\r\nAs you asked for on Monday.\r\n"


@pytest.fixture
def place(make_gateway: Callable[..., Gateway], sink: Sink) -> Place:
    """Give two domains that refuse a client, one of which tells why; a console that people reach."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    gateway = make_gateway(smtp={"workers": 2}, console={"listen": f"127.0.0.1:{port}", "public_url": url})
    made = Place(gateway, url, sink)
    for domain in ("tells.example", "silent.example"):
        gateway.cli("domain", "add", domain, "--route", f"smtp://127.0.0.1:{sink.port}")
        gateway.cli("recipient", "add", domain, "ann", "bob")
    made.add_user("olga", "owner", "tells.example")
    made.add_user("otto", "owner", "silent.example")
    gateway.cli("domain", "set", "tells.example", "why.page=on")
    for domain in ("tells.example", "silent.example"):
        deny(gateway, domain, DENIED)
    refused = [550] * 8  # by both workers
    wait_until(lambda: [send(made, "ann@silent.example")[0] for _ in refused] == refused, "refused")
    wait_until(lambda: answers(port), "the console")
    return made


def send(place: Place, *recipients: str) -> tuple[int, str]:
    """Send from the client that is refused."""
    return place.gateway.send(list(recipients), LETTER, source=DENIED, sender=SENDER)


def status(url: str) -> int:
    """Return how a page answers."""
    try:
        with urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def told(place: Place, text: str) -> str:
    """Return the address in a reply, "" for none."""
    found = re.search(rf"{re.escape(place.url)}/why/[0-9A-Z.-]+$", text)
    assert (found is not None) == ("http" in text), text
    return found[0] if found else ""


def test_refused_and_delivered(chromium: Browser, place: Place) -> None:
    """The reply has the address, its page takes a request, the owner releases, the mail is there."""
    code, text = send(place, "ann@tells.example", "bob@tells.example")
    assert 550 == code
    page_of = told(place, text)
    assert page_of
    with Window(chromium, place.url, "phone", scripts=False) as window:
        page = window.page
        page.goto(page_of)
        expect(page.get_by_text("takes no mail from your address or your server")).to_be_visible()
        expect(page.get_by_text("Mail from you is not accepted here")).to_be_visible()
        assert "deny_list" not in page.content()
        assert "tells.example" not in page.content()
        page.get_by_label("What the message is about, and who you are").fill("Mia, about the offer")
        page.get_by_label("Your address").fill(SENDER)
        page.get_by_role("button", name="Ask for a review").click()
        expect(page.get_by_text("Thank you.")).to_be_visible()
        assert ([], []) == (window.faults, window.foreign)
    with Window(chromium, place.url) as window:
        page = window.page
        window.sign_in("olga", PASSWORD)
        page.get_by_role("link", name="1 refused sender asks for a review.").click()
        expect(page.get_by_text("Mia, about the offer")).to_be_visible()
        expect(page.get_by_text("127.0.0.9 is on the deny list")).to_be_visible()
        assert [] == window.axe()
        assert [] == place.sink.messages()
        page.get_by_role("button", name="Release it, for 1 other recipient too").click()
        expect(page.get_by_text("The mail is on its way")).to_be_visible()
        wait_until(lambda: len(place.sink.messages()) == 2, "both copies at the back end")
        page.goto("/changes")
        expect(page.get_by_text("review of the mail").first).to_be_visible()
        assert ([], []) == (window.faults, window.foreign)
    with Window(chromium, place.url) as window:
        window.sign_in("otto", PASSWORD)
        assert "Mia" not in window.page.content()
        assert 404 == getattr(window.page.goto("/domains/tells.example/reviews"), "status", 0)


def test_whose_domain_wants_none(place: Place) -> None:
    """A domain that has it off is never told of, alone or in the same mail; switched off, a page is gone."""
    assert "" == told(place, send(place, "ann@silent.example")[1])
    assert "" == told(place, send(place, "ann@silent.example", "ann@tells.example")[1])
    assert "" == told(place, send(place, "ann@tells.example", "ann@silent.example")[1])
    page = told(place, send(place, "ann@tells.example")[1])
    assert 200 == status(page)
    token = page.rpartition("-")
    assert 404 == status(f"{token[0]}-{'0' * len(token[2])}")
    place.gateway.cli("domain", "set", "tells.example", "why.page=off")
    assert 404 == status(page)
    wait_until(lambda: not told(place, send(place, "ann@tells.example")[1]), "no address any more")
