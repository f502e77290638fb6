"""A domain's settings and its removal; each by who may."""

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
