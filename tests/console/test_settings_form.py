"""One form for a domain's settings and for those of all: what is shown, kept and said is alike."""

import re

import pytest

from gatepost.desk import domains
from tests.console.house import House
from tests.console.pages.test_domain_settings import SETTINGS

PLACES = [("/domains/ann.example/settings", "ann.example"), ("/settings", None)]


@pytest.mark.parametrize(("page", "domain"), PLACES)
def test_somebody_was_faster(house: House, page: str, domain: str | None) -> None:
    """A form that was opened before another's change keeps nothing, says so, and has what was typed."""
    root = house.browser("root")
    (version,) = re.findall(r'name="version" value="(\d+)"', root.page(page))
    with house.desk() as desk:
        domains.set_values(desk, domain, {"keep_days": 3})

    answer = root.post(page, {**SETTINGS, "set.keep_days": "21", "version": version})
    assert 422 == answer.status_code
    assert 'value="21"' in answer.text
    with house.desk() as desk:
        assert 3 == domains.one_of(domains.get_values(desk, domain)[0], "keep_days").value


@pytest.mark.parametrize(("page", "domain"), PLACES)
def test_nothing_changed(house: House, page: str, domain: str | None) -> None:
    """What is saved as it was makes no change."""
    root = house.browser("root")
    assert 303 == root.post(page, SETTINGS).status_code
    with house.desk() as desk:
        before = desk.policy.version()
    assert 303 == root.post(page, SETTINGS).status_code
    with house.desk() as desk:
        assert before == desk.policy.version()


@pytest.mark.parametrize(("page", "domain"), PLACES)
def test_what_was_typed_stays(house: House, page: str, domain: str | None) -> None:
    """Where one field is wrong, the others have what was typed, and each fault stands at its own."""
    answer = house.browser("root").post(
        page, {**SETTINGS, "set.keep_days": "0", "set.digest.zone": "Mars/Base"}
    )
    assert (422, 2) == (answer.status_code, answer.text.count('class="fault"'))
    assert 'value="Mars/Base"' in answer.text
