"""The settings of all domains, by administrators alone."""

from gatepost.desk import domains
from tests.console.house import House
from tests.console.pages.test_domain_settings import SETTINGS


def own(house: House) -> dict[str, object]:
    """Return what is set for all domains."""
    with house.desk() as desk:
        return domains.own_values(desk, None)


def test_save(house: House) -> None:
    """What differs is kept for all domains; a domain that sets nothing has it."""
    root = house.browser("root")
    assert "default" in root.page("/settings")
    assert 303 == root.post("/settings", SETTINGS).status_code
    assert {"recipients", "keep_days", "subjects", "score.quarantine_at", "score.reject_at"} == own(
        house
    ).keys()
    with house.desk() as desk:
        assert 14 == domains.one_of(domains.get_values(desk, "ann.example")[0], "keep_days").value
    assert "set here" in root.page("/settings")


def test_faults(house: House) -> None:
    """What is wrong is told beside its field, and nothing is kept."""
    answer = house.browser("root").post("/settings", {**SETTINGS, "set.keep_days": "0"})

    assert (422, 1) == (answer.status_code, answer.text.count('class="fault"'))
    assert {} == own(house)


def test_bypass(house: House) -> None:
    """The filter goes out of the way of all domains and comes back."""
    root = house.browser("root")
    root.post("/settings/bypass", {"on": "on"})
    assert "nothing is refused" in root.page("/settings")
    root.post("/settings/bypass", {"on": "off"})
    assert {} == own(house)


def test_not_theirs(house: House) -> None:
    """For owners there is no such page."""
    ann = house.browser("ann")

    assert [404, 404, 404] == [
        ann.get("/settings").status_code,
        ann.post("/settings", SETTINGS).status_code,
        ann.post("/settings/bypass", {"on": "on"}).status_code,
    ]


def test_what_differs_is_marked(house: House) -> None:
    """What is set for all domains is marked, and what the default was is said."""
    root = house.browser("root")
    assert "Otherwise" not in root.page("/settings")
    with house.desk() as desk:
        domains.set_values(desk, None, {"keep_days": 60})
    page = root.page("/settings")
    assert "Otherwise: 30." in page
    assert 1 == page.count('<span class="mark">set here</span>')
