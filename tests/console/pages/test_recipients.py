"""The recipients of a domain: found, added, removed, imported."""

import pytest

from gatepost.desk import recipients
from tests.console.house import House

PAGE = "/domains/ann.example/recipients"


def listed(house: House) -> dict[str, str]:
    """Return who is on the list."""
    with house.desk() as desk:
        return {one.local: one.kind for one in recipients.listing(desk, "ann.example")}


def test_add_and_remove(house: House) -> None:
    """Several at once, one that is never taken, one only from a network; some are removed again."""
    ann = house.browser("ann")
    assert 303 == ann.post(PAGE, {"names": "mia, tom@ann.example"}).status_code
    ann.post(PAGE, {"names": "old", "invalid": "on"})
    ann.post(PAGE, {"names": "staff", "acl": "192.0.2.0/24"})
    page = ann.page(PAGE)
    assert "192.0.2.0/24" in page
    assert "never" in page
    assert {"mia": "valid", "old": "invalid"}.items() <= listed(house).items()
    ann.post(f"{PAGE}/remove", {"local": ["mia", "tom"]})
    assert {"you", "postmaster", "old", "staff"} == listed(house).keys()


def test_faults(house: House) -> None:
    """A name of another domain, or a network that is none, is told."""
    ann = house.browser("ann")
    for values, said in (
        ({"names": "x@eve.example"}, "is not of"),
        ({"names": "x", "acl": "10.0.0.1/8"}, "network"),
    ):
        answer = ann.post(PAGE, values)
        assert (422, True) == (answer.status_code, said in answer.text)


def test_search_and_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who begins so, in pages."""
    with house.desk() as desk:
        recipients.add(desk, "ann.example", ["ab", "abc", "abd", "ac", "b"])
    ann = house.browser("ann")
    page = ann.page(f"{PAGE}?q=AB")
    assert ['"ab"', '"abc"', '"abd"'] == [
        one for one in ('"ab"', '"abc"', '"abd"', '"ac"', '"b"') if f"value={one}" in page
    ]
    assert "begins so" in ann.page(f"{PAGE}?q=zz")
    monkeypatch.setattr("gatepost.console.pages.recipients.PAGE", 2)
    assert "after=abc" in ann.page(f"{PAGE}?q=ab")
    assert 'value="abd"' in ann.page(f"{PAGE}?q=ab&after=abc")


def test_import(house: House) -> None:
    """A file or pasted lines; bad lines are named; the list can become just the file."""
    ann = house.browser("ann")
    assert 303 == ann.post(f"{PAGE}/import", {"lines": "mia\n# nobody\ntom\n"}).status_code
    answer = ann.post(f"{PAGE}/import", {}, files={"file": ("list.txt", b"ida\nx@eve.example\n")})
    assert "1 line could not be read" in answer.text
    assert "line 2" in answer.text
    assert {"mia", "tom", "ida"} <= listed(house).keys()
    ann.post(f"{PAGE}/import", {"lines": "only", "replace": "on"})
    assert {"only": "valid"} == listed(house)
    assert 422 == ann.post(f"{PAGE}/import", {"lines": ""}).status_code


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner change nothing."""
    browser = house.browser(name)
    for path in ("", "/remove", "/import"):
        assert 404 == browser.post(PAGE + path, {"names": "x", "local": "you", "lines": "x"}).status_code
    assert {"you", "postmaster"} == listed(house).keys()
