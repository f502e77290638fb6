"""The pages of single checks in a browser: what an owner does there works with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.chromium import Window
from tests.console.house import House
from tests.console.seed import counted, name_rules, now, proofs, storm
from tests.console.served import Served
from tests.system.test_console_hostile import HOOKED, PAYLOADS

WAYS = [("desktop", True), ("phone", True), ("phone", False)]
ANN = "/domains/ann.example"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Give a console whose domain has something in each of these pages."""
    house = House(tmp_path / "data", clock=now)
    counted(house)
    name_rules(house)
    proofs(house)
    storm(house, now())
    with Served(house.app) as made:
        yield made
    assert [] == house.faults


@pytest.fixture(params=WAYS, ids=["desktop", "phone", "phone without scripts"])
def window(request: pytest.FixtureRequest, chromium: Browser, served: Served) -> Iterator[Window]:
    """Give a window of the owner, who says yes to each question."""
    size, scripts = request.param
    with Window(chromium, served.url, size, scripts=scripts) as made:
        made.be("token-ann")
        made.page.on("dialog", lambda dialog: dialog.accept())
        yield made
        assert ([], []) == (made.faults, made.foreign)


def press(page: Page, name: str) -> None:
    """Press the first button of that name."""
    page.get_by_role("button", name=name, exact=True).first.click()


def test_lists(window: Window) -> None:
    """An entry of one check with expiry and note: added, found, decided by, changed, removed."""
    page = window.page
    page.goto(f"{ANN}/lists")
    form = page.locator("form:has([name=entry])")
    form.locator("[name=check]").select_option("dnsbl")
    form.locator("[name=entry]").fill("mia@partner.example")
    form.locator("[name=expires]").fill("30d")
    form.locator("[name=note]").fill("asked on the phone")
    press(page, "Add")
    expect(page.get_by_text("it counts from now on")).to_be_visible()
    page.locator("[name=q]").fill("phone")
    press(page, "Search")
    expect(page.get_by_text("1 entry")).to_be_visible()
    page.locator("[name=sender]").fill("mia@partner.example")
    press(page, "Ask")
    expect(page.locator("[role=status]").get_by_text("dnsbl alone:")).to_be_visible()
    page.get_by_role("button", name="Change mia@partner.example").click()
    page.locator("[name=note]").fill("for good")
    page.locator("[name=expires]").fill("")
    press(page, "Save")
    expect(page.get_by_role("cell", name="for good").first).to_be_visible()
    page.get_by_role("button", name="Remove mia@partner.example").click()
    expect(page.get_by_text("Nobody is on the lists.")).to_be_visible()


def test_rules(window: Window) -> None:
    """A name is tried, a rule is moved before another, and the answer is another one."""
    page = window.page
    page.goto(f"{ANN}/rules")
    for expected in ("[0-9]$", "9"):
        page.locator("[name=try]").fill("ann9")
        press(page, "Try")
        tried = page.locator("[role=status] td code")
        expect(tried).to_have_text([expected])
        if expected == "9":
            break
        page.locator("[name=pattern]").fill("9")
        page.locator("[name=first]").check()
        press(page, "Add")
    page.get_by_role("button", name="Move 9 down").click()
    expect(page.locator("tbody tr").first).to_contain_text("route66")


def test_storms(window: Window) -> None:
    """The hours are a chart over a table, or the table alone; an address is opened, another never closed."""
    page = window.page
    page.goto(f"{ANN}/storms")
    scripts = page.locator(".chart canvas").count() > 0 or page.locator(".chart").is_visible()
    if scripts:
        expect(page.locator(".chart canvas").first).to_be_visible()
        expect(page.locator("#hours-table")).to_be_hidden()
    else:
        expect(page.locator("#hours-table")).to_be_visible()
        expect(page.locator(".chart")).to_be_hidden()
    page.get_by_role("button", name="Open you@ann.example now").click()
    expect(page.get_by_text("No address is closed.")).to_be_visible()
    page.locator("form:has(:not([type=hidden])[name=address]) input[name=address]").last.fill("lists")
    page.locator("form[action$='never#never'] button").click()
    expect(page.get_by_text("lists is never closed.")).to_be_visible()


def test_counted_addresses(window: Window) -> None:
    """One that is used up takes its mails again; one that nobody used yet is closed."""
    page = window.page
    page.goto(f"{ANN}/aliases")
    page.get_by_role("link", name="shop.3.you@ann.example").click()
    page.locator("[name=count]").fill("7")
    press(page, "Let it take its mails again")
    expect(page.get_by_text("takes its mails again").first).to_be_visible()
    expect(page.locator("article dd", has_text="7").first).to_be_visible()
    page.locator("form:has(button[value=close]) input[name=address]:visible").last.fill("zoo.5.you")
    page.locator("form:has(input[name=address]:visible) button[value=close]").last.click()
    expect(page.get_by_role("heading", name="zoo.5.you@ann.example")).to_be_visible()
    expect(page.locator("article").get_by_text("closed by its owner")).to_be_visible()


ASKED = (
    "lists?q={bad}&kind={bad}&check={bad}",
    "lists?client={bad}&sender={bad}&host={bad}&helo={bad}&mailbox={bad}",
    "rules?try={bad}&draft={bad}&how={bad}",
    "aliases?q={bad}&user={bad}&address={bad}",
    "batv?address={bad}",
)


def test_what_is_asked_is_text(chromium: Browser, served: Served) -> None:
    """A question that somebody laid into a link runs nothing and reaches nobody."""
    with Window(chromium, served.url) as window:
        window.be("token-ann")
        for path in ASKED:
            for bad in PAYLOADS:
                text = quote(bad.replace("\x00", "")[:300], safe="")
                window.page.goto(f"{ANN}/{path.format(bad=text)}")
                assert "owned" != window.page.title(), path
                assert ([], []) == (window.faults, window.foreign), path
                assert 0 == window.page.evaluate(HOOKED), path


def test_proofs(window: Window) -> None:
    """A forwarder is trusted with one click; a new key signs; the switch leads back to its page."""
    page = window.page
    page.goto(f"{ANN}/forwarders")
    page.get_by_role("button", name="Trust forward.isp.example").click()
    expect(page.get_by_text("forward.isp.example is trusted to forward.")).to_be_visible()
    page.goto(f"{ANN}/batv")
    press(page, "Make a new key")
    expect(page.get_by_text("Key 2 signs from now on.")).to_be_visible()
    page.goto(f"{ANN}/greylist")
    press(page, "watch")
    expect(page.get_by_role("heading", name="What greylisting costs")).to_be_visible()
    expect(page.get_by_text("greylist watches")).to_be_visible()


def test_settings_in_groups(window: Window) -> None:
    """A folded group is opened and changed; what stands in the others is kept as it was."""
    page = window.page
    page.goto(f"{ANN}/settings")
    field = page.locator("[name='set.keep_days']")
    assert not field.is_visible()
    page.locator("summary", has_text="Keeping").click()
    field.fill("12")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(field).to_have_value("12")
    assert field.is_visible()
    assert page.locator("[name='set.subjects']").is_checked()
    expect(page.get_by_text("1 differs from the default")).to_be_visible()


def test_filter_of_the_checks(window: Window) -> None:
    """With scripts a box leaves the checks that hold a word; without them there is none."""
    page = window.page
    page.goto(f"{ANN}/checks")
    box = page.get_by_label("Filter")
    if not box.is_visible():
        assert page.get_by_role("link", name="spf", exact=True).is_visible()
        assert not page.evaluate("matchMedia('(scripting: enabled)').matches")
        return
    box.fill("RFC 7208")
    assert page.get_by_role("link", name="spf", exact=True).is_visible()
    assert not page.get_by_role("link", name="dnsbl", exact=True).is_visible()
    assert not page.get_by_role("heading", name="Switched on").is_visible()
    box.fill("")
    assert page.get_by_role("heading", name="Switched on").is_visible()
