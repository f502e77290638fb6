"""The page of trainings: how far the classifier is, who taught what, taken back; the owner's alone."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from gatepost.desk import domains, training
from gatepost.desk.training import Lesson
from tests.console.house import NOW, House
from tests.plugins.test_classifier import ham_mail, spam_mail

PAGE = "/domains/ann.example/training"
TODAY = time.strftime("%Y-%m-%d", time.gmtime(NOW))


def teach(house: House, count: int = 3, by: str = "ann", domain: str = "ann.example", first: int = 0) -> None:
    """Teach as many of each."""
    with house.desk(by) as desk:
        for number in range(first, first + count):
            training.train(desk, domain, [Lesson(spam_mail(number))], spam=True, how="console")
            training.train(desk, domain, [Lesson(ham_mail(number))], spam=False, how="console")


def counts(house: House, domain: str = "ann.example") -> tuple[int, int]:
    """Return what a domain has taught."""
    with house.desk() as desk:
        return training.counts(desk, domain)


def test_nothing_yet(house: House) -> None:
    """It says so, and where to begin."""
    page = house.browser("rob").page(PAGE)
    assert "Nobody has taught anything yet" in page
    assert "Nothing: it is off." in page
    assert "spam@train.ann.example" in page
    assert "Whose own addresses?" not in page, "a reader gets no secrets"


def test_shown(house: House) -> None:
    """Counts, what it may do, who and how; others' domains are not there."""
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"classifier.mode": "on", "classifier.least": 5})
    teach(house)
    teach(house, 1, "eve", "eve.example")
    page = house.browser("rob").page(PAGE)
    assert "Still needed: 2 spam, 2 wanted." in page
    assert 6 == page.count('<td data-name="Who:"><bdi>ann</bdi>')
    assert TODAY in page
    assert "<bdi>eve" not in page
    assert "Take back" not in page
    teach(house, 2, first=10)
    assert "It gives points, for and against." in house.browser("ann").page(PAGE)


def test_take_back(house: House) -> None:
    """One, then a person's day; each says what was done, and is exact."""
    teach(house)
    teach(house, 2, "mallory", first=10)
    ann = house.browser("ann")
    assert 303 == ann.post(f"{PAGE}/undo", {"number": "1"}).status_code
    assert "1 training taken back." in ann.page(PAGE)
    assert (4, 5) == counts(house)
    assert 303 == ann.post(f"{PAGE}/undo", {"by": "mallory", "day": TODAY}).status_code
    assert "4 trainings taken back." in ann.page(PAGE)
    assert (2, 3) == counts(house)
    assert "mallory" not in ann.page(PAGE).partition('id="log"')[0]
    for wrong in ({}, {"number": "99"}, {"by": "ann"}):
        assert 422 == ann.post(f"{PAGE}/undo", wrong).status_code
    assert (2, 3) == counts(house)


def test_a_file(house: House) -> None:
    """A mail that was saved is taught once."""
    ann = house.browser("ann")
    for said in ("Learnt.", "taught so before"):
        sent = ann.post(PAGE, {"what": "spam"}, files={"file": ("m.eml", spam_mail(1))})
        assert 303 == sent.status_code
        assert said in ann.page(PAGE)
    assert (1, 0) == counts(house)
    empty = ann.post(PAGE, {"what": "spam"}, files={"file": ("m.eml", b" ")})
    assert (422, True) == (empty.status_code, "Choose a file" in empty.text)


def test_own_addresses(house: House) -> None:
    """Shown when asked for, never in an address of the page; who is not known is told."""
    ann = house.browser("ann")
    shown = ann.post(f"{PAGE}/address", {"person": "You"})
    assert 200 == shown.status_code
    assert "spam+you=" in shown.text
    assert "spam+you=" not in ann.page(PAGE)
    wrong = ann.post(f"{PAGE}/address", {"person": "nobody"})
    assert (422, True) == (wrong.status_code, "no known recipient" in wrong.text)
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"training.mode": "off"})
    assert "Training by mail is off." in ann.page(PAGE)


def test_older_ones(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page."""
    monkeypatch.setattr("gatepost.console.pages.training.PAGE", 4)
    teach(house)
    ann = house.browser("ann")
    assert "?before=3#log" in ann.page(PAGE)
    older = ann.page(f"{PAGE}?before=3")
    assert 2 == older.count('<td data-name="Who:">')
    assert "?before=" not in older


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner teach nothing and take nothing back, also by way of their own domain."""
    teach(house, 1)
    browser = house.browser(name)
    if name == "eve":
        assert 404 == browser.get(PAGE).status_code
        browser.post("/domains/eve.example/training/undo", {"number": "1"})
    for path, values in (
        ("/undo", {"number": "1"}),
        ("/undo", {"by": "ann", "day": TODAY}),
        ("/address", {"person": "you"}),
        ("", {"what": "spam"}),
    ):
        assert 404 == browser.post(PAGE + path, values).status_code
    assert (1, 1) == counts(house)


def test_hostile_names(house: House) -> None:
    """Who trained is text, whatever he is called."""
    teach(house, 1, "<b>mallory</b>")
    assert "&lt;b&gt;mallory" in house.browser("ann").page(PAGE)


def test_without_numpy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says what is missing."""
    monkeypatch.setitem(sys.modules, "gatepost.store.models", None)
    answer: Any = house.browser("ann").get(PAGE)
    assert (200, True) == (answer.status_code, "the classifier needs numpy" in answer.text)


def test_other_filters(house: House) -> None:
    """What they have not learnt yet is shown with what went wrong; a training stays."""
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"spamassassin.mode": "on", "spamassassin.learn": True})
    teach(house, 1)
    assert "spamassassin has not learnt everything yet. 2 messages wait." in house.browser("rob").page(PAGE)
    with house.desk() as desk:
        for path in desk.errands.paths():
            errand, raw = desk.errands.read(path) or pytest.fail("gone")
            desk.errands.failed(path, errand, raw, "Connection <refused>")
    assert "<q>Connection &lt;refused&gt;</q>" in house.browser("rob").page(PAGE)
    assert (1, 1) == counts(house)
