"""The page of forwarders: candidates, trusted with one click, and no longer; the owner's alone."""

import pytest

from gatepost.desk import forwarders
from tests.console.house import House
from tests.console.seed import proofs

PAGE = "/domains/ann.example/forwarders"


@pytest.fixture(autouse=True)
def seen(house: House) -> None:
    """Let forwarders break DMARC."""
    proofs(house)


def trusted(house: House) -> tuple[str, ...]:
    """Return whom ann's domain trusts."""
    with house.desk() as desk:
        return forwarders.trusted(desk, "ann.example")


def test_trust(house: House) -> None:
    """One click; a network by its form; no longer."""
    ann = house.browser("ann")
    assert "forward.isp.example" in ann.page(PAGE)
    assert 303 == ann.post(PAGE, {"name": "forward.isp.example"}).status_code
    ann.post(PAGE, {"name": "192.0.2.0/24"})
    assert ("lists.club.example", "forward.isp.example", "192.0.2.0/24") == trusted(house)
    assert 303 == ann.post(f"{PAGE}/remove", {"name": "lists.club.example"}).status_code
    assert "lists.club.example" not in trusted(house)
    assert 404 == ann.post(f"{PAGE}/remove", {"name": "lists.club.example"}).status_code


def test_faults(house: House) -> None:
    """What is neither a name nor a network is told, and stays typed."""
    answer = house.browser("ann").post(PAGE, {"name": "10.0.0.1/8x"})
    assert (422, True) == (answer.status_code, 'value="10.0.0.1/8x"' in answer.text)


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner trust nobody."""
    browser = house.browser(name)
    for path in ("", "/remove"):
        assert 404 == browser.post(PAGE + path, {"name": "lists.club.example"}).status_code
    assert ("lists.club.example",) == trusted(house)
    assert ">Trust<" not in house.browser("rob").page(PAGE)
    assert "Nobody is trusted" in house.browser("eve").page("/domains/eve.example/forwarders")
