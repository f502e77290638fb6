"""A domain's settings and its removal; each by who may."""

import re

import pytest

from gatepost.desk import domains
from tests.console.house import House

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
    """Each value with where it comes from; a reader has no button, an owner no removal."""
    page = house.browser("ann").page(f"{PAGE}/settings")

    assert 'name="set.keep_days"' in page
    assert ">Save</button>" in page
    assert "Remove this domain" not in page
    assert ">Save</button>" not in house.browser("rob").page(f"{PAGE}/settings")


def test_save(house: House) -> None:
    """Only what was changed is kept; the rest stays a default."""
    assert 303 == house.browser("ann").post(f"{PAGE}/settings", SETTINGS).status_code
    assert {
        "route": ["smtp://mail.ann.example"], "recipients": "callout", "keep_days": 14, "subjects": False,
        "score.quarantine_at": 8.0, "score.reject_at": "off",
    } == own(house)  # fmt: skip
    house.browser("ann").post(f"{PAGE}/reset")
    assert {"route"} == own(house).keys()


def test_faults(house: House) -> None:
    """All that is wrong is told at once, each beside its field, and nothing is kept."""
    answer = house.browser("ann").post(
        f"{PAGE}/settings", {**SETTINGS, "set.keep_days": "0", "set.score.tag_at": "much"}
    )

    assert 422 == answer.status_code
    assert 2 == answer.text.count('class="fault"')
    assert 'value="much"' in answer.text
    assert {"route"} == own(house).keys()


def test_remove(house: House) -> None:
    """Only an administrator removes a domain, and only by its name."""
    ann, root = house.browser("ann"), house.browser("root")
    assert 404 == ann.post(f"{PAGE}/remove", {"name": "ann.example"}).status_code
    assert 422 == root.post(f"{PAGE}/remove", {"name": "eve.example"}).status_code
    assert 303 == root.post(f"{PAGE}/remove", {"name": "Ann.example"}).status_code
    assert 404 == root.get(PAGE).status_code


@pytest.mark.parametrize("path", ["/settings", "/reset", "/remove"])
@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str, path: str) -> None:
    """A reader and a foreign owner change nothing."""
    assert 404 == house.browser(name).post(PAGE + path, {"name": "ann.example"}).status_code


def opened(page: str) -> list[str]:
    """Return the headings of the groups that are not folded."""
    return re.findall(r'<details class="group" open>\s*<summary><h2>([^<]+)</h2>', page)


def test_what_differs_is_marked(house: House) -> None:
    """What is set here, or for all domains, is marked, seen at once, and says what would hold otherwise."""
    ann = house.browser("ann")
    assert ["Recipients and delivery"] == opened(ann.page(f"{PAGE}/settings"))
    with house.desk() as desk:
        domains.set_values(desk, None, {"keep_days": 60, "digest": "weekly"})
        domains.set_values(desk, "ann.example", {"keep_days": 7, "recipients": "any", "score.tag_at": 3})
    page = ann.page(f"{PAGE}/settings")
    assert ["Recipients and delivery", "Refusing", "Keeping", "Digest"] == opened(page)
    assert "Otherwise: 60." in page
    assert "Otherwise: those on the list." in page
    assert "Otherwise: 5." in page
    assert 3 == page.count('<span class="mark">set here</span>')
    assert 1 == page.count('<span class="mark">from all domains</span>')
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"preset": "strict"})
    # The preset of the domain would give other points than those of all domains.
    assert "Otherwise: 5." not in ann.page(f"{PAGE}/settings")


def test_what_is_wrong_is_seen(house: House) -> None:
    """A group in which something is wrong is not folded."""
    answer = house.browser("ann").post(f"{PAGE}/settings", {**SETTINGS, "set.digest.zone": "Mars"})
    assert "Digest" in opened(answer.text)


def test_the_way_to_the_checks(house: House) -> None:
    """The checks that are at work, or have settings here, are linked from the settings."""
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"dnsbl.zones": ["zen.test"]})
    page = house.browser("ann").page(f"{PAGE}/settings")
    assert 'checks/dnsbl#settings">dnsbl</a> <span class="mode off">off</span>' in page
    assert "1 setting set here" in page
    assert "checks/recipients#settings" in page
    assert "checks/uribl" not in page
