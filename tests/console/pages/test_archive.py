"""Kept mail in the console: own domains alone, each look written down, many at once after being asked."""

import itertools
import re
from pathlib import Path

import pytest

from gatepost.console.pages import archive as pages
from gatepost.desk import changes, malice
from gatepost.desk.deeds import deeds_of
from gatepost.desk.malice import Doubt
from tests.console.house import NOW, House
from tests.console.seed import LETTER, keep


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a console whose clock goes on: what is done is written down by the moment."""
    moments = itertools.count(NOW, 0.001)
    return House(tmp_path / "data", clock=lambda: next(moments))


@pytest.fixture(autouse=True)
def refs(house: House) -> list[str]:
    """Keep two mails of ann's and one of eve's."""
    return keep(house)


def deeds(house: House, domain: str = "ann.example") -> list[tuple[str, str]]:
    """Return who did what."""
    with house.desk() as desk:
        return [(one.by, one.what) for one in deeds_of(desk, domain)]


@pytest.mark.parametrize(
    ("who", "expected"), [("root", 3), ("ann", 2), ("rob", 2), ("eve", 1), ("nobody", 0)]
)
def test_own_mail(house: House, who: str, expected: int) -> None:
    """Each sees what is kept for their own domains."""
    assert expected == house.browser(who).page("/archive").count('<td class="when">')


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=offer", 2),
        ("q=nothing-like-it", 0),
        ("fate=quarantined", 1),
        ("domain=ann.example", 2),
    ],
)
def test_search(house: House, query: str, expected: int) -> None:
    """By text, outcome and domain."""
    assert expected == house.browser("ann").page(f"/archive?{query}").count('<td class="when">')


def test_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older mail is behind a link; the last page has none."""
    monkeypatch.setattr(pages, "PAGE", 1)
    ann = house.browser("ann")
    first = ann.page("/archive")
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found
    second = ann.page("/archive" + found[1].replace("&amp;", "&"))
    assert "348.1" in first
    assert "347.1" in second
    assert 'rel="next"' not in second


def test_a_look_is_written_down(house: House, refs: list[str]) -> None:
    """The page shows the mail in a frame in which nothing runs; who looked stands below and in the list."""
    page = house.browser("rob").page(f"/archive/{refs[0]}")
    assert 'sandbox=""' in page
    assert "Jürgen" in page
    assert "offer.pdf" in page
    assert "rob" in page.partition("Who did what with it")[2]
    assert "/release" not in page, "a reader only looks"
    answer = house.browser("ann").get(f"/archive/{refs[0]}/raw")
    assert LETTER == answer.content
    assert "attachment" in answer.headers["content-disposition"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert [("rob", "opened"), ("ann", "opened")] == deeds(house)


def test_one(house: House, refs: list[str]) -> None:
    """Release, then delete: the first waits in the queue, so it cannot be deleted yet; the other can."""
    ann = house.browser("ann")
    assert 303 == ann.post(f"/archive/{refs[0]}/release").status_code
    assert "on its way" in ann.page(f"/archive/{refs[0]}")
    assert 400 == ann.post(f"/archive/{refs[0]}/delete").status_code
    assert 303 == ann.post(f"/archive/{refs[1]}/delete").status_code
    assert 404 == ann.get(f"/archive/{refs[1]}").status_code
    assert {("ann", "released"), ("ann", "opened"), ("ann", "deleted")} == set(deeds(house))


def test_many(house: House, refs: list[str]) -> None:
    """What was chosen is named first; only who is sure deletes it."""
    ann = house.browser("ann")
    asked = ann.post("/archive", {"do": "delete", "ref": refs[:2]})
    assert "Delete 2 mails for good?" in asked.text
    assert 2 == ann.page("/archive").count('<td class="when">')
    ann.post("/archive", {"do": "release", "ref": refs[:1], "sure": "yes"})
    ann.post("/archive", {"do": "delete", "ref": refs[:2], "sure": "yes"})
    assert 1 == ann.page("/archive").count('<td class="when">'), "the one that is being released stays"
    assert "/archive" == ann.post("/archive", {"do": "delete"}).headers["location"]


@pytest.mark.parametrize("who", ["ann", "rob", "nobody"])
def test_not_theirs(house: House, refs: list[str], who: str) -> None:
    """A foreign mail is answered as one that never was, also among many; a reader changes nothing."""
    browser = house.browser(who)
    foreign, unknown = (browser.get(f"/archive/{ref}") for ref in (refs[2], "2026-11-25/eve.example/x"))
    assert (404, unknown.text) == (foreign.status_code, foreign.text)
    assert 404 == browser.post("/archive", {"do": "delete", "ref": refs[2], "sure": "yes"}).status_code
    foreign, unknown = (browser.get(f"/archive?domain={name}.example&q=offer") for name in ("eve", "not"))
    assert (404, unknown.text) == (foreign.status_code, foreign.text)
    assert "349.1" not in browser.page("/archive?q=offer&after=2026-11-26/x/y&fate=quarantined")
    if who == "rob":
        assert 404 == browser.post("/archive", {"do": "delete", "ref": refs[0], "sure": "yes"}).status_code
        assert 404 == browser.post(f"/archive/{refs[0]}/release").status_code
    assert [] == deeds(house, "eve.example")
    for odd in ("..", "%2e%2e", "..%2f..%2fx", "x%00y"):
        assert browser.get(f"/archive/2026-11-25/ann.example/{odd}").status_code in (404, 307)


def test_train(house: House, refs: list[str]) -> None:
    """The classifier learns from it, for this domain."""
    from gatepost.desk import training

    ann = house.browser("ann")
    assert 303 == ann.post(f"/archive/{refs[0]}/train", {"what": "spam"}).status_code
    with house.desk() as desk:
        assert (1, 0) == training.counts(desk, "ann.example")


def test_release_and_train_in_one(house: House, refs: list[str]) -> None:
    """On its way, and learnt as wanted; without a word it is only released."""
    from gatepost.desk import training

    ann = house.browser("ann")
    ann.post(f"/archive/{refs[1]}/release")
    assert "Release, it is no spam" in ann.page(f"/archive/{refs[0]}")
    ann.post(f"/archive/{refs[0]}/release", {"what": "ham"})
    assert "on its way to the domain's own server. Learnt: no spam." in ann.page(
        f"/archive/{refs[0]}"
    ).replace("&#39;", "'")
    with house.desk() as desk:
        assert (0, 1) == training.counts(desk, "ann.example")
        assert 2 == len(desk.queue)


@pytest.mark.parametrize(
    ("answered", "said", "button"),
    [
        (True, "virus check refuses this mail: clamav: &lt;b&gt;", "Release it all the same, infected"),
        (False, "nobody knows what is in it: clamav: &lt;b&gt;", "Release it all the same, unscanned"),
    ],
)
def test_what_the_virus_check_is_against(
    house: House, refs: list[str], monkeypatch: pytest.MonkeyPatch, answered: bool, said: str, button: str
) -> None:
    """It says so and releases nothing; the second button does, with what was asked for. Many: not at all."""
    monkeypatch.setattr(malice, "found", lambda *_: Doubt("clamav: <b>", answered))
    ann = house.browser("ann")
    answer = ann.post(f"/archive/{refs[0]}/release", {"what": "ham"})
    assert 409 == answer.status_code
    assert said in answer.text.replace("&#39;", "'")
    assert button in answer.text
    assert 'name="what" value="ham"' in answer.text
    ann.post("/archive", {"do": "release", "ref": refs[:2], "sure": "yes"})
    assert 2 == ann.page("/archive").count("is not released, the virus check")
    with house.desk() as desk:
        assert 0 == len(desk.queue)
    done = ann.post(f"/archive/{refs[0]}/release", {"what": "ham", "all_the_same": "yes"})
    assert 303 == done.status_code
    with house.desk() as desk:
        assert 1 == len(desk.queue)
    assert "Learnt: no spam." in ann.page(f"/archive/{refs[0]}")


def test_each_way_is_in_the_list_of_changes(house: House, refs: list[str]) -> None:
    """The preview, the raw bytes, a release and a deletion, alone and with others; told to the owner."""
    ann = house.browser("ann")
    ann.page(f"/archive/{refs[0]}")
    assert 200 == ann.get(f"/archive/{refs[0]}/raw").status_code
    ann.post(f"/archive/{refs[0]}/release", {})
    ann.post("/archive", {"do": "delete", "ref": refs[1], "sure": "yes"})
    with house.desk() as desk:
        listed = [(one.by, one.what) for one in changes.listing(desk, "ann.example", limit=4)]
    assert [("ann", what) for what in ("deleted", "released", "opened", "opened")] == listed
    page = ann.page("/changes")
    assert "for you@ann.example: deleted" in page
    assert "for you@ann.example: opened" in page
    assert "Kept mail" not in house.browser("eve").page("/changes")
