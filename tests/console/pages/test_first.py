"""The first screen: today against last week, what refused it, what comes now; of one's own domains alone."""

import re

import pytest

from tests.console.house import House
from tests.console.seed import journal


@pytest.fixture
def busy(house: House) -> House:
    """Return a house with two weeks of mail."""
    journal(house, house.clock())
    return house


def totals(page: str) -> list[int]:
    """Return the sums of the chart's table, fate by fate."""
    found = re.findall(r'data-n="(\d+)"', page)
    assert 4 * 14 == len(found)
    return [sum(int(found[n]) for n in range(fate, len(found), 4)) for fate in range(4)]


def test_each_sees_their_own(busy: House) -> None:
    """The administrator's numbers are the owners' together; a reader sees the owner's."""
    root, ann, eve = (busy.browser(name).page("/") for name in ("root", "ann", "eve"))

    assert totals(root) == [a + b for a, b in zip(totals(ann), totals(eve), strict=True)]
    assert min(totals(ann)) > 0
    assert totals(ann) == totals(busy.browser("rob").page("/"))
    assert totals(ann) == totals(busy.browser("root").page("/?domain=ann.example"))
    assert "you@eve.example" not in ann
    assert "eve.example" not in ann
    assert [0, 0, 0, 0] == totals(busy.browser("nobody").page("/"))


def test_what_refused(busy: House) -> None:
    """Checks that refused stand there with their share; the newest mail with its reason."""
    page = busy.browser("ann").page("/?domain=ann.example")

    assert "/domains/ann.example/checks/dnsbl" in page
    assert "<meter" in page
    assert "you@ann.example" in page


def test_foreign_domain(busy: House) -> None:
    """Another's domain cannot be chosen."""
    assert 404 == busy.browser("ann").get("/?domain=eve.example").status_code
    assert 404 == busy.browser("ann").get("/?domain=no%20name").status_code


def test_nothing_yet(house: House) -> None:
    """Without mail and without domains each table says so."""
    page = house.browser("ann").page("/")
    assert "Nothing was refused" in page
    assert "No mail has come yet" in page
    assert "No domain was given" in house.browser("nobody").page("/")


def test_machine(house: House) -> None:
    """Administrators see in how many processes the policy is in force."""
    assert "1 of 2 processes" in house.browser("root").page("/")
    assert "processes" not in house.browser("ann").page("/")
