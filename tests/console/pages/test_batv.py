"""The page of BATV: keys without secrets, addresses with their grace, refusing, a try; the owner's alone."""

import pytest

from gatepost.desk import batv, domains
from tests.console.house import House
from tests.console.seed import proofs

PAGE = "/domains/ann.example/batv"


@pytest.fixture(autouse=True)
def signed(house: House) -> None:
    """Sign addresses of ann's domain."""
    proofs(house)


def state(house: House) -> batv.Status:
    """Return the state of ann's domain."""
    with house.desk() as desk:
        return batv.show(desk, "ann.example")


def test_shown(house: House) -> None:
    """Who is refused now, who is in grace, who was never seen; no secret."""
    page = house.browser("rob").page(PAGE)
    for said in ("is refused", "passes; refused", "no signed mail was seen yet", "Key 0", "Key 1"):
        assert said in page
    with house.desk() as desk:
        secrets = [key[2:] for key in domains.own_values(desk, "ann.example")[batv.KEYS]]
    assert [] == [one for one in secrets if one in page]
    assert "Make a new key" not in page
    assert "No address is signed" in house.browser("eve").page("/domains/eve.example/batv")


def test_keys(house: House) -> None:
    """A new one signs; an old one is forgotten; the one that signs is not."""
    ann = house.browser("ann")
    assert 303 == ann.post(f"{PAGE}/keys").status_code
    assert (0, 1, 2) == state(house).numbers
    assert 303 == ann.post(f"{PAGE}/keys/0/drop").status_code
    assert (1, 2) == state(house).numbers
    assert 400 == ann.post(f"{PAGE}/keys/2/drop").status_code
    assert 404 == ann.post(f"{PAGE}/keys/7/drop").status_code


def test_addresses(house: House) -> None:
    """Several at once, and one no longer; one of another domain is told."""
    ann = house.browser("ann")
    assert 303 == ann.post(f"{PAGE}/addresses", {"names": "mia, tom@ann.example"}).status_code
    assert 303 == ann.post(f"{PAGE}/addresses/remove", {"name": "you"}).status_code
    assert ["postmaster", "news", "mia", "tom"] == [one.local for one in state(house).addresses]
    answer = ann.post(f"{PAGE}/addresses", {"names": "x@eve.example"})
    assert (422, True) == (answer.status_code, 'value="x@eve.example"' in answer.text)


def test_refuse(house: House) -> None:
    """On and off; that the check is off too is said."""
    ann = house.browser("ann")
    ann.post(f"{PAGE}/refuse")
    assert "not asked for" in ann.page(PAGE)
    ann.post(f"{PAGE}/refuse", {"on": "on"})
    assert state(house).checks
    ann.post("/domains/ann.example/checks/bounce/mode", {"mode": "off", "back": "batv"})
    assert "the check is not on" in ann.page(PAGE)


def test_try(house: House) -> None:
    """An owner sees today's tag, which is good; a reader only learns whether one is."""
    with house.desk() as desk:
        tagged = batv.tag(desk, "you@ann.example")
    ann, rob = house.browser("ann"), house.browser("rob")
    assert tagged in ann.page(f"{PAGE}?address=you")
    assert "The tag is good" in rob.page(f"{PAGE}?address={tagged}")
    assert tagged not in rob.page(f"{PAGE}?address=you")
    assert "The tag is not good" in ann.page(f"{PAGE}?address=prvs=0000abcdef=you")
    assert "is not signed" in ann.page(f"{PAGE}?address=mia")
    assert "is no address of" in ann.page(f"{PAGE}?address=x@eve.example")


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner change nothing."""
    before, browser = state(house), house.browser(name)
    for path in ("refuse", "keys", "keys/0/drop", "addresses", "addresses/remove"):
        assert 404 == browser.post(f"{PAGE}/{path}", {"names": "x", "name": "you"}).status_code
    assert before == state(house)
