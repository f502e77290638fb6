"""The list of changes: who, when, from, to; rolled back by whose domain it is (story 5)."""

import re
from dataclasses import replace

from gatepost.desk import changes, domains
from tests.console.house import House


def last(house: House) -> int:
    """Return the number of the newest change."""
    with house.desk() as desk:
        return changes.listing(desk, limit=1)[0].id


def keep_days(house: House, name: str = "ann.example") -> object:
    """Return a setting of a domain."""
    with house.desk() as desk:
        return domains.own_values(desk, name).get("keep_days")


def change(house: House, by: str, days: int, name: str = "ann.example") -> int:
    """Set a setting; return the change's number."""
    with house.desk(by) as desk:
        domains.set_values(desk, name, {"keep_days": days})
    return last(house)


def test_each_sees_their_own(house: House) -> None:
    """An owner sees own domains' changes, an administrator all; a foreign domain is unknown."""
    change(house, "ann", 7)
    change(house, "eve", 9, "eve.example")
    ann, root = house.browser("ann"), house.browser("root")
    page = ann.page("/changes")
    assert "Kept for (days): not set → 7" in page
    assert "not set → 9" not in page
    assert {"not set → 7", "not set → 9"} <= set(re.findall(r"not set → \d", root.page("/changes")))
    assert "not set → 7" not in root.page("/changes?domain=eve.example")
    assert 404 == ann.get("/changes?domain=eve.example").status_code
    assert ann.get("/changes?domain=eve.example").text == ann.get("/changes?domain=no.example").text
    assert "Nothing was changed yet." in house.browser("nobody").page("/changes")


def test_roll_back(house: House) -> None:
    """By the owner and by the administrator; it is a change itself, in the name of who did it."""
    number = change(house, "ann", 7)
    answer = house.browser("root").post("/changes/undo", {"number": number})
    assert (303, "/changes") == (answer.status_code, answer.headers["location"])
    assert keep_days(house) is None
    with house.desk() as desk:
        assert ("root", number) == (changes.listing(desk)[0].by, changes.listing(desk)[0].undoes)
    again = last(house)
    assert 303 == house.browser("ann").post("/changes/undo", {"number": again}).status_code
    assert 7 == keep_days(house)


def test_who_may_not(house: House) -> None:
    """A foreign change is unknown, a reader undoes nothing, what was built on stays."""
    number = change(house, "ann", 7)
    for name in ("eve", "rob", "nobody"):
        assert 404 == house.browser(name).post("/changes/undo", {"number": number}).status_code
    change(house, "ann", 8)
    answer = house.browser("ann").post("/changes/undo", {"number": number, "domain": "ann.example"})
    assert 409 == answer.status_code
    assert "Somebody has built on that change" in answer.text
    assert 8 == keep_days(house)
    assert "Roll back</button>" not in house.browser("rob").page("/changes")


def test_older(house: House) -> None:
    """Fifty on a page, then a link to the older ones."""
    for days in range(1, 60):
        change(house, "ann", days)
    page = house.browser("ann").page("/changes?domain=ann.example")
    assert 50 == page.count("Roll back</button>")
    found = re.search(r'href="(\?domain=ann.example&amp;before=\d+)"', page)
    assert found
    assert "Domain added" in house.browser("ann").page("/changes" + found[1].replace("&amp;", "&"))


def test_an_owner_does_not_undo_his_domain(house: House) -> None:
    """That a domain was added is shown to its owner without a button, and a forged form removes nothing."""
    with house.desk() as desk:
        added = next(one for one in changes.listing(desk, "ann.example") if one.what == "domain")
    ann = house.browser("ann")
    assert f'name="number" value="{added.id}"' not in ann.page("/changes")
    assert 409 == ann.post("/changes/undo", {"number": added.id}).status_code
    assert 200 == ann.get("/domains/ann.example/lists").status_code


def test_by_day(house: House) -> None:
    """Each day has its heading, in the reader's zone and language, and a change its time."""
    change(house, "ann", 7)
    day = 86_400.0
    now, house.clock = house.clock(), lambda: now + day
    house.site = replace(house.site, clock=house.clock)
    change(house, "ann", 8)
    page = house.browser("ann").page("/changes?domain=ann.example")
    assert re.findall(r'scope="rowgroup">([^<]+)<', page) == [
        "Saturday, 16 January 2027",
        "Friday, 15 January 2027",
    ]
    assert page.index("Saturday") < page.index("7 → 8") < page.index("Friday") < page.index("not set → 7")
    assert ">09:00</time>" in page
