"""The page of one domain: settings, route, bypass, removal; each by who may."""

import pytest

from gatepost.desk import domains
from tests.console.house import House
from tests.console.seed import journal

PAGE = "/domains/ann.example"
SETTINGS = {
    "set.recipients": "callout", "set.on_backend_down": "defer", "set.mixed": "hold", "set.preset": "usual",
    "set.score.tag_at": "5", "set.score.quarantine_at": "8", "set.score.reject_at": "off",
    "set.refuse_at": "data", "set.refuse_at.unknown": "rcpt", "set.keep_days": "14", "set.digest": "off",
    "set.digest.to": "", "set.digest.hour": "7", "set.digest.language": "en", "set.digest.zone": "UTC",
    "set.poison": "quarantine",
}  # fmt: skip


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
    assert "Remove this domain" not in page


def test_save(house: House) -> None:
    """Only what was changed is kept; the rest stays a default."""
    assert 303 == house.browser("ann").post(PAGE, SETTINGS).status_code
    assert {
        "route": ["smtp://mail.ann.example"], "recipients": "callout", "keep_days": 14, "subjects": False,
        "score.quarantine_at": 8.0, "score.reject_at": "off",
    } == own(house)  # fmt: skip
    house.browser("ann").post(f"{PAGE}/reset")
    assert {"route"} == own(house).keys()


def test_faults(house: House) -> None:
    """All that is wrong is told at once, each beside its field, and nothing is kept."""
    answer = house.browser("ann").post(PAGE, {**SETTINGS, "set.keep_days": "0", "set.score.tag_at": "much"})

    assert 422 == answer.status_code
    assert 2 == answer.text.count('class="fault"')
    assert 'value="much"' in answer.text
    assert {"route"} == own(house).keys()


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


def test_remove(house: House) -> None:
    """Only an administrator removes a domain, and only by its name."""
    ann, root = house.browser("ann"), house.browser("root")
    assert 404 == ann.post(f"{PAGE}/remove", {"name": "ann.example"}).status_code
    assert 422 == root.post(f"{PAGE}/remove", {"name": "eve.example"}).status_code
    assert 303 == root.post(f"{PAGE}/remove", {"name": "Ann.example"}).status_code
    assert 404 == root.get(PAGE).status_code


@pytest.mark.parametrize("path", ["", "/route", "/bypass", "/reset", "/remove"])
@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str, path: str) -> None:
    """A reader and a foreign owner change nothing."""
    assert 404 == house.browser(name).post(PAGE + path, {"on": "on", "name": "ann.example"}).status_code
