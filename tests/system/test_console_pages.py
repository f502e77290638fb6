"""Every page in a real browser, on a phone and on a desktop: usable by all, and it asks nobody else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.addresses import addresses
from tests.console.chromium import Window
from tests.console.house import House
from tests.console.seed import now, sow
from tests.console.served import Served

LARGEST = 100_000
"""Bytes of a first load, nothing kept before."""
HEAD = 60
"""Pixels of the head of a page on a phone, its menu folded."""
ABOVE = 140
"""Pixels above a page's own content on a phone, a domain's menu folded too."""


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Served]]:
    """Give a console with two weeks of mail on a port."""
    house = House(Path(tmp_path_factory.mktemp("seeded")) / "data", clock=now)
    sow(house)
    with Served(house.app) as served:
        yield house, served


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_page(chromium: Browser, seeded: tuple[House, Served], size: str, dark: bool) -> None:
    """WCAG 2.2 AA by axe-core, no wider than the window, no fault of a script, no foreign request."""
    house, served = seeded
    wrong: list[str] = []
    with Window(chromium, served.url, size, dark=dark) as window:
        for path in addresses(house):
            assert "{" not in path, f"say in tests/console/addresses.py what stands in {path}"
            if path != "/login":
                window.be("token-root")
            answer = window.page.goto(path)
            assert answer is not None
            wrong += [f"{path}: {answer.status}"] if answer.status != 200 else []
            wrong += [f"{path}: {one}" for one in window.axe()]
            wrong += [f"{path}: {window.overflow()} px too wide"] if window.overflow() > 0 else []
            wrong += [f"{path}: {one}" for one in (*window.faults, *window.foreign)]
            window.faults.clear()
            window.foreign.clear()
    assert [] == house.faults
    assert not wrong, "\n".join(wrong)


def test_first_load_is_small(chromium: Browser, seeded: tuple[House, Served]) -> None:
    """Each page with all that it loads is under 100 kB for a browser that has nothing yet."""
    house, served = seeded
    sizes: dict[str, int] = {}
    for path in addresses(house):
        with Window(chromium, served.url) as window:
            window.be("token-root")
            session = window.context.new_cdp_session(window.page)
            session.send("Network.enable")
            taken: list[int] = []
            session.on(
                "Network.loadingFinished", lambda event, into=taken: into.append(event["encodedDataLength"])
            )
            window.page.goto(path, wait_until="load")
            sizes[path] = int(sum(taken))
    assert {} == {path: size for path, size in sizes.items() if not 1_000 < size < LARGEST}


@pytest.mark.parametrize("start", ["/login", "/why/", "/digest/"])
def test_a_language_without_scripts(chromium: Browser, seeded: tuple[House, Served], start: str) -> None:
    """Who is not signed in chooses a language on a phone without JavaScript and stays on the page."""
    house, served = seeded
    path = next(one for one in addresses(house) if one.startswith(start))
    with Window(chromium, served.url, "phone", scripts=False) as window:
        page = window.page
        page.goto(path)
        assert "en" == page.locator("html").get_attribute("lang")
        page.get_by_role("button", name="Deutsch").click()
        assert served.url + path == page.url
        assert "de" == page.locator("html").get_attribute("lang")
        assert 0 == window.overflow()


def speak(house: House, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """Have the house's people read a language."""
    for name, person in house.people.known.items():
        monkeypatch.setitem(house.people.known, name, replace(person, language=language))


@pytest.mark.parametrize("who", ["root", "ann"])
@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_the_head_on_a_phone(
    chromium: Browser, seeded: tuple[House, Served], monkeypatch: pytest.MonkeyPatch, locale: str, who: str
) -> None:
    """In both languages the menus are folded, so that a page begins at its top; nothing scrolls sideways."""
    house, served = seeded
    speak(house, monkeypatch, locale[:2])
    wrong: list[str] = []
    with Window(chromium, served.url, "handset", locale=locale, scripts=False) as window:
        for path in [*addresses(house), "/nothing"]:
            if path != "/login":
                window.be(f"token-{who}")
            window.page.goto(path)
            assert locale[:2] == window.page.locator("html").get_attribute("lang")
            head = window.page.locator("header.top").bounding_box()
            folded = window.page.locator("nav.tabs")
            last = folded.bounding_box() if folded.count() else head
            assert head is not None
            assert last is not None
            wrong += [f"{path}: {window.overflow()} px too wide"] if window.overflow() > 0 else []
            wrong += [f"{path}: the head takes {head['height']} px"] if head["height"] > HEAD else []
            wrong += [f"{path}: begins at {last}"] if last["y"] + last["height"] > ABOVE else []
    assert not wrong, "\n".join(wrong)


def test_the_menus_unfold(chromium: Browser, seeded: tuple[House, Served]) -> None:
    """Without JavaScript a press shows the menu, and the domain's; a wide window shows both at once."""
    _, served = seeded
    with Window(chromium, served.url, "handset", scripts=False) as window:
        window.be("token-ann")
        page = window.page
        page.goto("/domains/ann.example/settings")
        for link, what in (("Archive", "Menu"), ("Lists and rules", "ann.example · Settings")):
            assert not page.get_by_role("link", name=link).first.is_visible()
            page.locator("summary", has_text=what).click()
            assert page.get_by_role("link", name=link).first.is_visible()
        assert page.get_by_role("button", name="Sign out").is_visible()
        assert 0 == window.overflow()
    with Window(chromium, served.url, "desktop", scripts=False) as window:
        window.be("token-ann")
        window.page.goto("/domains/ann.example/settings")
        assert window.page.get_by_role("link", name="Archive").first.is_visible()
        assert window.page.get_by_role("link", name="Lists and rules").is_visible()
        assert not window.page.locator("summary", has_text="Menu").is_visible()
