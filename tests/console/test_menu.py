"""The menu and a domain's groups show what is there and open to the reader, and where he is."""

import re

import pytest

from gatepost.console.app import make_app, page_paths
from gatepost.console.menu import GROUPS, Item, Tab, shown, tabs
from tests.console.house import House

PAGE = "/domains/ann.example"


def test_shown() -> None:
    """A page that does not exist, or only for administrators, is left out."""
    items = (Item("/", "a"), Item("/gone", "b"), Item("/users", "c", admin=True), Item("/?domain=x", "d"))

    assert ["a", "d"] == [one.text for one in shown(items, frozenset({"/", "/users"}), False)]
    assert ["a", "c", "d"] == [one.text for one in shown(items, frozenset({"/", "/users"}), True)]


def at(house: House, path: str) -> list[tuple[str, str, str]]:
    """Return what is marked at a page: (group, its mark, the page marked below it)."""
    found = tabs(page_paths(make_app(house.site)), False, "ann.example", path)
    return [
        (
            one.text,
            one.current,
            " ".join(f"{below.text}:{below.current}" for below in one.below if below.current),
        )
        for one in found
        if one.current
    ]


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        (PAGE, ("Overview", "true", "Overview:page")),
        ("/", ("Overview", "true", "Statistics:page")),
        (f"{PAGE}/checks", ("Checks", "true", "All checks:page")),
        (f"{PAGE}/checks/dnsbl", ("Checks", "true", "All checks:true")),
        (f"{PAGE}/greylist", ("Checks", "true", "Greylisting:page")),
        (f"{PAGE}/lists/2", ("Lists and rules", "true", "Lists:true")),
        (f"{PAGE}/mailboxes/you/checks", ("Recipients", "true", "Recipients:true")),
        ("/journal", ("Mail", "true", "Journal:page")),
        ("/archive/2026-11-29/ann.example/1.eml", ("Mail", "true", "Archive:true")),
        (f"{PAGE}/training", ("Training", "page", "")),
        ("/changes", ("Settings", "true", "Changes:page")),
    ],
)
def test_where_one_is(house: House, path: str, marked: tuple[str, str, str]) -> None:
    """One group is marked, and the page in it; what lies below a page belongs to it."""
    assert [marked] == at(house, path)


def test_an_empty_group() -> None:
    """A group none of whose pages is there is not there; one with a single page is that page."""
    found = tabs(frozenset({"/domains/{domain}", "/domains/{domain}/digest"}), False, "a.example", "/x")

    assert [
        Tab("Overview", "/domains/a.example"),
        Tab("Mail", "/domains/a.example/digest"),
    ] == found


def test_every_page_of_a_domain_is_in_a_group(house: House) -> None:
    """Whoever adds a page of a domain adds it to a group; else nobody finds it."""
    mounted = page_paths(make_app(house.site))
    own = {path for path in mounted if re.fullmatch(r"/domains/{domain}(/[a-z]+)?", path)}

    assert own == own & {one.path for group in GROUPS for one in group.items}


@pytest.mark.parametrize("name", ["ann", "rob", "root"])
def test_each_link_is_answered(house: House, name: str) -> None:
    """Groups and pages as they are shown lead somewhere, for each role, and keep the domain's tabs."""
    browser = house.browser(name)
    for group in tabs(page_paths(house.app), name == "root", "ann.example", PAGE):
        for one in (group, *group.below):
            page = browser.page(one.address)
            assert '<nav class="tabs" aria-label="ann.example">' in page, one.address
            assert page.count("aria-current") >= 1, one.address


def test_the_domain_stays_itself(house: House) -> None:
    """Another's domain in an address is 404, and without one there are no tabs."""
    ann = house.browser("ann")
    for path in ("/", "/journal", "/archive", "/queue", "/changes"):
        assert 404 == ann.get(f"{path}?domain=eve.example").status_code, path
        assert '<nav class="tabs"' not in ann.page(path), path
