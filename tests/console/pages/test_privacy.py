"""A domain's page of privacy: looked for in a form, handed out, erased when somebody is sure."""

import io
import zipfile

import pytest

from gatepost.spool.index import Kept
from tests.console.house import House

MIA = {"address": "mia@partner.example"}
PAGE = "/domains/ann.example/privacy"


@pytest.fixture(autouse=True)
def kept(house: House) -> None:
    """Keep a mail of mia's."""
    with house.desk() as desk:
        item = Kept("ABCDEFGHJK.1", desk.clock(), MIA["address"], "you@ann.example", "ann.example")
        desk.archive.keep(item, [b"Subject: hello\r\n\r\n"])


def test_find(house: House) -> None:
    """What there is is counted; who is nobody has nothing; what is no address is said beside its field."""
    ann = house.browser("ann")
    assert "Privacy" in ann.page(PAGE)
    found = ann.post(PAGE, MIA).text
    assert "Found of mia@partner.example" in found
    assert "kept mails" in found
    assert "Nothing." in ann.post(PAGE, {"address": "zoe@partner.example"}).text
    wrong = ann.post(PAGE, {"address": '"><script>'})
    assert 422 == wrong.status_code
    assert "is no address" in wrong.text
    assert "<script>" not in wrong.text.partition("<main")[2]


def test_export(house: House) -> None:
    """A zip that no browser opens."""
    answer = house.browser("ann").post(f"{PAGE}/export", MIA)
    assert 'attachment; filename="person.zip"' == answer.headers["content-disposition"]
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_erase(house: House) -> None:
    """Not without the tick; then it is gone, and stands in the list of changes."""
    ann = house.browser("ann")
    asked = ann.post(f"{PAGE}/erase", MIA)
    assert 422 == asked.status_code
    assert "Say that you are sure." in asked.text
    assert "kept mails" in asked.text
    ann.post(f"{PAGE}/erase", {**MIA, "sure": "yes"})
    assert "1 thing was erased." in ann.page(PAGE)
    assert "Nothing." in ann.post(PAGE, MIA).text
    page = ann.page("/changes")
    assert "data erased" in page
    assert "mia@partner.example" not in page


def test_left(house: House) -> None:
    """What is a setting is told."""
    from gatepost.desk import lists

    with house.desk() as desk:
        lists.add(desk, "ann.example", "allow", MIA["address"])
    ann = house.browser("ann")
    ann.post(f"{PAGE}/erase", {**MIA, "sure": "yes"})
    assert "Left as it is: 1 entries of lists." in ann.page(PAGE)


def test_who_may(house: House) -> None:
    """Whoever may change the domain; for others there is no such page."""
    rob = house.browser("rob")
    assert "Only who may change this domain" in rob.page(PAGE)
    assert 'name="address"' not in rob.page(PAGE)
    for path in (PAGE, f"{PAGE}/export", f"{PAGE}/erase"):
        assert 404 == rob.post(path, {**MIA, "sure": "yes"}).status_code
    assert 404 == house.browser("eve").get(PAGE).status_code
    assert 200 == house.browser("root").get(PAGE).status_code


def test_erase_a_colleague(house: House) -> None:
    """An owner's page says that deeds stay, and how many; the administrator's does not."""
    mark = "the name stays with the deed"
    with house.desk() as desk:
        desk.policy.put("domain:ann.example", {"keep_days": 9}, by="mia@partner.example")
    ann = house.browser("ann")
    assert mark in ann.post(PAGE, MIA).text
    assert mark not in house.browser("root").post(PAGE, MIA).text
    ann.post(f"{PAGE}/erase", {**MIA, "sure": "yes"})
    assert "Left as it is: 1 lines of the list of changes" in ann.page(PAGE)
    assert "mia@partner.example" in ann.page("/changes?domain=ann.example")
    house.browser("root").post(f"{PAGE}/erase", {**MIA, "sure": "yes"})
    assert "mia@partner.example" not in ann.page("/changes?domain=ann.example")
