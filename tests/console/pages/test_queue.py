"""What waits: own domains alone, tried now or thrown away."""

import pytest

from tests.console.house import NOW, House
from tests.console.seed import wait


@pytest.fixture(autouse=True)
def waiting(house: House) -> None:
    """Let one mail of ann's wait."""
    wait(house, NOW)


def names(house: House) -> list[str]:
    """Return what waits."""
    with house.desk() as desk:
        return [one.id for one in desk.queue.list()]


def test_own(house: House) -> None:
    """The owner sees what waits and why; others see nothing."""
    page = house.browser("ann").page("/queue")
    assert "mailbox is busy" in page
    assert "wanted it later" in page
    assert "Try now" in page
    assert "Try now" not in house.browser("rob").page("/queue")
    assert "Nothing waits" in house.browser("eve").page("/queue")
    assert "Nothing waits" in house.browser("eve").page("/queue?domain=eve.example")
    assert 404 == house.browser("eve").get("/queue?domain=ann.example").status_code


def test_retry_and_drop(house: House) -> None:
    """Due at once, then gone."""
    ann = house.browser("ann")
    assert 303 == ann.post("/queue", {"do": "retry", "id": "waiting-1"}).status_code
    with house.desk() as desk:
        assert [NOW] == [one.due for one in desk.queue.list()]
    ann.post("/queue", {"do": "drop", "id": "waiting-1"})
    assert [] == names(house)


@pytest.mark.parametrize("who", ["eve", "rob", "nobody"])
def test_not_theirs(house: House, who: str) -> None:
    """A foreign entry is as one that never was."""
    browser = house.browser(who)
    foreign, unknown = (browser.post("/queue", {"do": "drop", "id": name}) for name in ("waiting-1", "x"))
    assert (404, unknown.text) == (foreign.status_code, foreign.text)
    assert ["waiting-1"] == names(house)
