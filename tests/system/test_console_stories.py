"""Stories 1, 2 and 5 of the console, by a browser on a desktop and a phone, with and without JavaScript.

A gateway with two workers, its console, a resolver with a block list, a back end; mail over SMTP in between.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from gatepost.config import load
from gatepost.config.desks import desk_from
from gatepost.desk import users
from tests.console.chromium import Window
from tests.system.dns import Rbldnsd, Unbound
from tests.system.gateway import Gateway
from tests.system.process import free_port, wait_until
from tests.system.sink import Sink
from tests.system.test_console_process import answers

LISTED, CLEAN = "127.0.0.9", "127.0.0.1"
WAYS = [("desktop", True), ("phone", True), ("desktop", False), ("phone", False)]
LETTER = b"Subject: hello\r\n\r\nIt works.\r\n"


PASSWORD = "correct horse"


@dataclass
class Place:
    """What the stories happen at."""

    gateway: Gateway
    url: str
    sink: Sink

    def add_user(self, name: str, role: str, *domains: str) -> None:
        """Add somebody whose password is PASSWORD."""
        with desk_from(load(str(self.gateway.config), {}), "test") as desk:
            users.add(desk, name, PASSWORD, role, domains)


@pytest.fixture
def place(make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink) -> Place:
    """Give a gateway of two workers without domains, and its console with one administrator."""
    port = free_port()
    console = {"listen": f"127.0.0.1:{port}"}
    gateway = make_gateway(dns={"servers": [unbound.server]}, smtp={"workers": 2}, console=console)
    made = Place(gateway, f"http://127.0.0.1:{port}", sink)
    made.add_user("root", "admin")
    wait_until(lambda: answers(port), "the console")
    return made


def axe(window: Window, scripts: bool) -> None:
    """Look at the page with axe-core (which is a script)."""
    if scripts:
        assert [] == window.axe()


@pytest.mark.parametrize(("size", "scripts"), WAYS)
def test_story_1(chromium: Browser, place: Place, size: str, scripts: bool) -> None:
    """Sign in, add a domain in one form that tries its route, and its mail flows at once, on every worker."""
    gateway, route = place.gateway, f"smtp://127.0.0.1:{place.sink.port}"
    with Window(chromium, place.url, size, scripts=scripts) as window:
        page = window.page
        window.sign_in("root", PASSWORD)
        page.get_by_role("link", name="Add the first one").click()
        page.get_by_label("Domain", exact=True).fill("story.example")
        page.get_by_label("Where its mail goes").fill("smtp://127.0.0.1:1")
        page.get_by_label("Recipients", exact=True).fill("ann\nbob@story.example")
        page.get_by_role("button", name="Only try the route").click()
        expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
        page.get_by_label("Where its mail goes").fill(route)
        page.get_by_role("button", name="Only try the route").click()
        expect(page.get_by_text("The server answers.")).to_be_visible()
        expect(page.get_by_text("It knows the recipient.")).to_be_visible()
        expect(
            page.get_by_text("asking it is worthless")
        ).to_be_visible()  # this server says yes to everybody
        expect(page.get_by_text("It takes mail for any domain")).to_be_visible()
        expect(page.get_by_text("10 mx.gatepost.test.", exact=True)).to_be_visible()
        axe(window, scripts)
        page.get_by_role("button", name="Add the domain").click()
        expect(page.get_by_text("story.example is hosted here now")).to_be_visible()
        gateway.until_accepted("bob@story.example")
        wait_until(
            lambda: all(gateway.rcpt("bob@story.example")[0] == 250 for _ in range(12)), "both workers"
        )
        assert 250 == gateway.send(["ann@story.example"], LETTER)[0]
        assert 550 == gateway.rcpt("nobody@story.example")[0]
        wait_until(lambda: len(place.sink.messages()) == 1, "the mail at the back end")
        page.goto("/")
        if scripts:
            expect(page.locator(".chart canvas")).to_be_visible()
        else:
            expect(page.locator("#days-table")).to_be_visible()
        wait_until(
            lambda: bool(page.reload()) and page.get_by_text("ann@story.example").count() > 0, "the mail"
        )
        axe(window, scripts)
        assert ([], []) == (window.faults, window.foreign)


@pytest.mark.parametrize(("size", "scripts"), WAYS)
def test_story_2(chromium: Browser, place: Place, rbldnsd: Rbldnsd, size: str, scripts: bool) -> None:
    """An owner sees one domain, has dnsbl watch, reads what it would do, turns it on, lets one past."""
    gateway = place.gateway
    for domain in ("owned.example", "other.example"):
        gateway.cli("domain", "add", domain, "--route", f"smtp://127.0.0.1:{place.sink.port}")
        gateway.cli("recipient", "add", domain, "ann")
    gateway.until_accepted("ann@owned.example")
    place.add_user("olga", "owner", "owned.example")
    rbldnsd.list(LISTED)
    with Window(chromium, place.url, size, scripts=scripts) as window:
        page = window.page
        window.sign_in("olga", PASSWORD)
        if size == "phone":
            page.locator("summary", has_text="Menu").click()
        page.get_by_role("link", name="Domains").click()
        expect(page.get_by_role("link", name="owned.example")).to_be_visible()
        expect(page.get_by_text("other.example")).to_have_count(0)
        assert 404 == getattr(page.goto("/domains/other.example"), "status", 0)
        page.goto("/domains/owned.example/checks/dnsbl")
        page.get_by_label("zones").fill("bl.test")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.get_by_role("button", name="watch", exact=True).click()
        expect(page.get_by_text("dnsbl watches")).to_be_visible()
        axe(window, scripts)

        def would_refuse() -> bool:
            assert 250 == gateway.send(["ann@owned.example"], LETTER, source=LISTED)[0]
            page.reload()
            return page.get_by_text("would have refused").count() > 0

        wait_until(would_refuse, "what it would have refused")
        expect(page.get_by_text("got in")).to_be_visible()
        page.get_by_role("button", name="on", exact=True).click()
        expect(page.get_by_text("dnsbl is on.")).to_be_visible()

        def code(sender: str) -> int:
            return gateway.send(["ann@owned.example"], LETTER, source=LISTED, sender=sender)[0]

        wait_until(lambda: code("mia@partner.example") == 550, "refused")
        page.get_by_label("Let past").fill("mia@partner.example")
        page.get_by_label("Until", exact=True).fill("30d")
        page.get_by_label("Note").fill("our printer's supplier")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_text("it counts from now on")).to_be_visible()
        expect(page.get_by_text("our printer's supplier")).to_be_visible()
        axe(window, scripts)
        wait_until(lambda: code("mia@partner.example") == 250, "let past")
        assert 550 == code("eve@partner.example")
        assert ([], []) == (window.faults, window.foreign)


@pytest.mark.parametrize(("size", "scripts"), WAYS)
def test_story_5(chromium: Browser, place: Place, size: str, scripts: bool) -> None:
    """The administrator adds an owner, sees versions in force and who changed what, and rolls one back."""
    gateway = place.gateway
    for domain in ("owned.example", "other.example"):
        gateway.cli("domain", "add", domain, "--route", f"smtp://127.0.0.1:{place.sink.port}")
    with Window(chromium, place.url, size, scripts=scripts) as window:
        page = window.page
        page.on("dialog", lambda dialog: dialog.accept())
        window.sign_in("root", PASSWORD)
        page.goto("/users")
        page.get_by_label("Name").fill("olga")
        page.get_by_label("Domains").fill("owned.example")
        axe(window, scripts)
        page.get_by_role("button", name="Add").click()
        password = page.locator("#made").inner_text()
        axe(window, scripts)
        with Window(chromium, place.url, size, scripts=scripts) as owner:
            owner.sign_in("olga", password)
            owner.page.goto("/domains/owned.example/checks/helo_name")
            owner.page.get_by_role("button", name="watch", exact=True).click()
            expect(owner.page.get_by_text("helo_name watches")).to_be_visible()
            owner.page.goto("/changes")
            expect(owner.page.get_by_text("helo_name, switch: not set → watch")).to_be_visible()
            expect(owner.page.get_by_text("other.example")).to_have_count(0)
            assert 404 == getattr(owner.page.goto("/health"), "status", 0)
        page.goto("/domains")
        expect(page.get_by_role("link", name="other.example")).to_be_visible()
        page.goto("/health")
        wait_until(
            lambda: bool(page.reload()) and page.get_by_text("in force in 3 of 3 processes").count() > 0,
            "the change in two workers and the keeper",
        )
        axe(window, scripts)
        page.goto("/changes")
        row = page.get_by_role("row").filter(has_text="helo_name, switch: not set → watch")
        expect(row).to_contain_text("olga")
        expect(row).to_contain_text("owned.example")
        axe(window, scripts)
        row.get_by_role("button").click()
        expect(page.get_by_text("Rolled back: helo_name, switch: not set → watch")).to_be_visible()
        (value,) = gateway.json("domain", "get", "owned.example", "helo_name.mode")
        assert "default" == value["origin"]
        row = page.get_by_role("row").filter(has_text="This rolled back change")
        expect(row).to_contain_text("root")
        assert ([], []) == (window.faults, window.foreign)
