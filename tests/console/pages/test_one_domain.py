"""The page of one domain: its week, route and bypass; each by who may."""

import pytest

from gatepost.desk import domains
from tests.console.house import House
from tests.console.seed import journal

PAGE = "/domains/ann.example"


def own(house: House) -> dict[str, object]:
    """Return what is set for the domain."""
    with house.desk() as desk:
        return domains.own_values(desk, "ann.example")


def test_page(house: House) -> None:
    """What came this week, its route, which checks are at work."""
    journal(house, house.clock(), days=1)
    page = house.browser("ann").page(PAGE)

    assert "smtp://mail.ann.example</textarea>" in page
    assert '<dd class="big">' in page
    assert f"{PAGE}/checks/recipients" in page
    assert '<h2 id="settings">Settings</h2>' in page, "links of old led here"
    assert f"{PAGE}/settings" in page


def test_route(house: House) -> None:
    """An owner's route is tried, and may not lead to a private address."""
    ann, root = house.browser("ann"), house.browser("root")
    private = ann.post(f"{PAGE}/route", {"route": "smtp://10.0.0.1", "do": "save"})
    assert (422, True) == (private.status_code, "is private" in private.text)
    tried = root.post(f"{PAGE}/route", {"route": "smtp://127.0.0.1:1", "do": "try"})
    assert (200, True) == (tried.status_code, "cannot be reached" in tried.text)
    refused = root.post(f"{PAGE}/route", {"route": "smtp://127.0.0.1:1", "do": "save"})
    assert (422, True) == (refused.status_code, 'name="anyway"' in refused.text)
    assert ["smtp://mail.ann.example"] == own(house)["route"]
    kept = root.post(f"{PAGE}/route", {"route": "smtp://127.0.0.1:1", "do": "save", "anyway": "on"})
    assert (303, ["smtp://127.0.0.1:1"]) == (kept.status_code, own(house)["route"])
    assert 422 == root.post(f"{PAGE}/route", {"route": "", "do": "save"}).status_code


def test_bypass(house: House) -> None:
    """The filter goes out of the way and comes back."""
    ann = house.browser("ann")
    ann.post(f"{PAGE}/bypass", {"on": "on"})
    assert True is own(house)["bypass"]
    assert "nothing is refused" in ann.page(PAGE)
    ann.post(f"{PAGE}/bypass", {"on": "off"})
    assert "bypass" not in own(house)


@pytest.mark.parametrize("path", ["/route", "/bypass"])
@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str, path: str) -> None:
    """A reader and a foreign owner change nothing."""
    assert 404 == house.browser(name).post(PAGE + path, {"on": "on", "name": "ann.example"}).status_code
