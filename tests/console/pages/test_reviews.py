"""From the refused sender's form to the owner's decision; nobody else's page shows it."""

from __future__ import annotations

import re

import httpx
import pytest

from gatepost.console.pages import why as why_page
from gatepost.desk import domains, lists, malice, reviews
from gatepost.desk.malice import Doubt
from gatepost.spool.index import Kept
from tests.console.house import Browser, House
from tests.desk.refused import SESSION, refuse

PAGE = "/domains/ann.example/reviews"
TEXT = "It was the <b>offer</b>\nthat you asked for"


def refused(house: House, domain: str = "ann.example", session: str = SESSION, kept: bool = True) -> str:
    """Refuse a mail to a domain that shows why; returns the path of the page."""
    with house.desk() as desk:
        domains.set_values(desk, domain, {"why.page": True})
        token = refuse(desk, f"you@{domain}", session=session)
        if kept:
            copy = Kept(
                f"{session}.1", desk.clock(), "mia@partner.example", f"you@{domain}", domain, "192.0.2.9", "",
                "", "r", "dnsbl", "rejected", False, 0.0, "s", "<1@x>", 5,
            )  # fmt: skip
            desk.archive.keep(copy, [b"x: y\r\n\r\nhi\r\n"])
    return f"/why/{token}"


def ask(browser: Browser, path: str, **values: str) -> httpx.Response:
    """Send the form of a refused sender's page."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.page(path))
    assert found
    return browser.client.post(path, data={"csrf": found[1], "text": TEXT, **values})  # type: ignore[no-any-return]


def number(house: House) -> int:
    """Return the number of the newest request."""
    with house.desk() as desk:
        return reviews.listing(desk, None)[0].id


def decide(house: House, name: str, decision: str, domain: str = "ann.example") -> httpx.Response:
    """Decide as somebody."""
    return house.browser(name).post(
        f"/domains/{domain}/reviews", {"number": number(house), "decision": decision}
    )


# -- the sender -------------------------------------------------------------------------------


def test_ask(house: House) -> None:
    """He is thanked; the page says afterwards, to whoever has its address, that a review was asked for."""
    path, browser = refused(house), house.browser()
    page = browser.page(path)
    assert "Ask for a review" in page
    assert 'name="contact" type="email"' in page
    done = ask(browser, path, contact="mia@partner.example")
    assert (200, True) == (done.status_code, "Thank you" in done.text)
    again = house.browser().page(path)
    assert "A review of this message was asked for" in again
    assert 'name="contact"' not in again
    assert "mia@" not in again
    with house.desk() as desk:
        (one,) = reviews.listing(desk, ["ann.example"])
        assert ("mia@partner.example", TEXT) == (one.contact, one.text)


def test_ask_twice(house: House) -> None:
    """Two forms that were open at once are one request."""
    path, browser, other = refused(house), house.browser(), house.browser()
    secret = other.secret(path)
    ask(browser, path)
    second = other.client.post(path, data={"csrf": secret, "text": "me too"})
    assert (200, True) == (second.status_code, "was asked for" in second.text)
    with house.desk() as desk:
        assert [TEXT] == [one.text for one in reviews.listing(desk, None)]


def test_a_bad_contact(house: House) -> None:
    """It is said beside its field, and what was written is there still, as text."""
    answer = ask(house.browser(), refused(house), contact='"><script>x@y')
    assert 422 == answer.status_code
    assert "That is not an address" in answer.text
    assert 'aria-describedby="contact-fault"' in answer.text
    assert "It was the &lt;b&gt;offer" in answer.text
    assert "<script>x" not in answer.text
    with house.desk() as desk:
        assert 0 == reviews.waiting(desk, None)


def test_not_from_elsewhere(house: House) -> None:
    """A form without its secret, or of another site, asks for nothing; nor does opening the page."""
    path, browser = refused(house), house.browser()
    secret = browser.secret(path)
    sent = {"csrf": secret, "text": "x"}
    refusals = [
        browser.client.post(path, data={"text": "x"}),
        browser.client.post(path, data=sent, headers={"origin": "https://evil.example"}),
        browser.client.post(path, data=sent, headers={"sec-fetch-site": "cross-site"}),
        house.browser().client.post(path, data=sent),
    ]
    assert [403] * 4 == [one.status_code for one in refusals]
    with house.desk() as desk:
        assert 0 == reviews.waiting(desk, None)


def test_what_is_none(house: House) -> None:
    """A form for what is no refusal is answered as the page is."""
    path, browser = refused(house), house.browser()
    secret = browser.secret(path)
    made_up = [path[:-1], f"{path}0", "/why/x"]
    answers = [browser.client.post(one, data={"csrf": secret}) for one in made_up]
    assert {404} == {one.status_code for one in answers}
    assert {browser.get("/nothing").text} == {one.text for one in answers}


def test_enough(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One network asks for few reviews a day, and is told so."""
    monkeypatch.setattr(reviews, "PER_NETWORK", 1)
    first, second = refused(house), refused(house, session="3479ACDEFH340")
    assert 200 == ask(house.browser(), first).status_code
    answer = ask(house.browser(), second)
    assert (429, True) == (answer.status_code, "Too many reviews" in answer.text)


def test_large_and_odd_forms(house: House) -> None:
    """What no browser sends: too long for a field, no text at all, bytes that are none."""
    path, browser = refused(house), house.browser()
    assert 422 == ask(browser, path, text="x" * (why_page.LONGEST + 1)).status_code
    assert 200 == ask(browser, path, text="x" * why_page.LONGEST).status_code
    with house.desk() as desk:
        assert ["x" * reviews.MAX_TEXT] == [one.text for one in reviews.listing(desk, None)]


# -- the owner --------------------------------------------------------------------------------


def test_it_reaches_the_owner(house: House) -> None:
    """On the first screen, in the menu and on a page: as text, with its mail and what can be done."""
    ask(house.browser(), refused(house), contact="mia@partner.example")
    ann = house.browser("ann")
    first = ann.page("/")
    assert "1 refused sender asks for a review." in first
    assert '<span class="count">1<span class="hidden"> waiting</span></span>' in first
    for path in (PAGE, "/reviews"):
        page = ann.page(path)
        assert "It was the &lt;b&gt;offer&lt;/b&gt;" in page
        assert "zen.test knows the client" in page
        assert "mia@partner.example" in page
        assert f'href="/journal/{SESSION}.1"' in page
        assert 3 == page.count('name="decision"')
    assert "Nobody waits for a review." not in page
    german = house.browser("ann", **{"accept-language": "de"})
    house.people.known["ann"] = house.people.known["ann"].__class__("ann", "owner", ("ann.example",), "de")
    assert "1 abgewiesener Absender bittet um eine Prüfung." in german.page("/")
    assert "Ablehnen" in german.page(PAGE)


def test_nobody_elses(house: House) -> None:
    """Another domain's owner sees no count, no request, and decides nothing; a reader looks."""
    ask(house.browser(), refused(house))
    eve = house.browser("eve")
    assert "asks for a review" not in eve.page("/")
    assert "Nobody waits for a review." in eve.page("/reviews")
    assert 404 == eve.get(PAGE).status_code
    assert [404, 404] == [
        decide(house, "eve", "release", one).status_code for one in ("ann.example", "eve.example")
    ]
    rob = house.browser("rob").page(PAGE)
    assert ("mia@partner.example" in rob, 'name="decision"' in rob) == (True, False)
    assert 404 == decide(house, "rob", "decline").status_code
    assert "1 refused sender" in house.browser("root").page("/")
    with house.desk() as desk:
        assert (1, []) == (reviews.waiting(desk, None), list(desk.queue.list()))


@pytest.mark.parametrize(
    ("decision", "sentence", "state"),
    [
        ("release", "The mail is on its way to its recipient.", "released"),
        ("allow", "The sender is let in from now on", "sender allowed"),
        ("decline", "Declined.", "declined"),
    ],
)
def test_decide(house: House, decision: str, sentence: str, state: str) -> None:
    """It is done, said, written down, and stands among what was decided."""
    ask(house.browser(), refused(house))
    ann = house.browser("ann")
    done = ann.post(PAGE, {"number": number(house), "decision": decision})
    assert 303 == done.status_code
    page = ann.page(PAGE)
    assert sentence in page
    assert "Nobody waits for a review." in page
    decided = ann.page(f"{PAGE}?state=decided")
    assert f"<strong>{state}</strong>" in decided
    assert "by ann" in decided
    with house.desk() as desk:
        released = ["you@ann.example"] if decision != "decline" else []
        assert released == [one.recipients[0].address for one in desk.queue.list()]
        assert (decision == "allow") == bool(lists.show(desk, "ann.example"))
    assert f"Review of the mail {SESSION}.1" in ann.page("/changes?domain=ann.example")


@pytest.mark.parametrize("decision", ["release", "allow"])
def test_what_the_virus_check_is_against(
    house: House, monkeypatch: pytest.MonkeyPatch, decision: str
) -> None:
    """Nothing is done, not half of it; a second button says what it does."""
    monkeypatch.setattr(malice, "found", lambda *_: Doubt("clamav: Eicar", answered=True))
    ask(house.browser(), refused(house))
    ann = house.browser("ann")
    wanted = {"number": number(house), "decision": decision}
    answer = ann.post(PAGE, wanted)
    assert 409 == answer.status_code
    assert "refuses this mail: clamav: Eicar." in answer.text
    assert "Release it all the same, infected" in answer.text
    with house.desk() as desk:
        assert ([], [], 1) == (
            list(desk.queue.list()), lists.show(desk, "ann.example"), reviews.waiting(desk, None),
        )  # fmt: skip
    assert 303 == ann.post(PAGE, {**wanted, "all_the_same": "yes"}).status_code
    with house.desk() as desk:
        assert (1, decision == "allow") == (len(desk.queue), bool(lists.show(desk, "ann.example")))


def test_who_comes_second(house: House) -> None:
    """Is told so, and nothing happens."""
    ask(house.browser(), refused(house))
    one = number(house)
    assert 303 == decide(house, "root", "decline").status_code
    answer = house.browser("ann").post(PAGE, {"number": one, "decision": "release"})
    assert (409, True) == (answer.status_code, "decided this before you" in answer.text)
    with house.desk() as desk:
        assert [] == list(desk.queue.list())


def test_what_cannot_be_done(house: House) -> None:
    """Nothing was kept: no button for it, and who sends the form all the same is told."""
    ask(house.browser(), refused(house, kept=False))
    page = house.browser("ann").page(PAGE)
    assert "Nothing was kept of it" in page
    assert 'value="release"' not in page
    answer = decide(house, "ann", "release")
    assert (422, True) == (answer.status_code, "send again" in answer.text)
    assert 422 == decide(house, "ann", "explode").status_code


def test_older(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has so many; the rest is behind a link."""
    monkeypatch.setattr("gatepost.console.pages.reviews.PAGE", 2)
    for letter in "ACD":
        ask(house.browser(), refused(house, session=f"3479ACDEFH3{letter}3", kept=False))
    page = house.browser("ann").page(PAGE)
    assert 2 == page.count("<article")
    older = re.search(r'href="([^"]+before=\d+)"', page)
    assert older
    assert 1 == house.browser("ann").page(older[1].replace("&amp;", "&")).count("<article")


def test_empty_and_off(house: House) -> None:
    """Says where it is switched on; and that nobody is told where the console has no public address."""
    page = house.browser("ann").page(PAGE)
    assert "Nobody waits for a review." in page
    assert "are not told of such a page" in page
    refused(house)
    assert "has set no public address" in house.browser("ann").page(PAGE)
    assert "Nothing was decided yet." in house.browser("ann").page("/reviews?state=decided")
