"""The refused sender's page: what the reply told, and nothing else; whatever is none is any other 404."""

from __future__ import annotations

import re

import pytest

from gatepost.console.pages import why
from gatepost.desk import domains
from tests.console.house import House
from tests.desk.refused import PRIVATE, SENTENCE, SESSION, refuse

ROUTE = "/why/"


@pytest.fixture
def token(house: House) -> str:
    """What the sender of a refused mail was told; the other domain shows no such pages."""
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"why.page": True})
        refuse(desk, "you@eve.example")
        return refuse(desk, "you@ann.example")


def test_it_says_why(house: House, token: str) -> None:
    """In general words, in the browser's language, without a session; nothing that is the owner's."""
    page = house.browser().page(ROUTE + token)
    assert "stands on a public list of servers that send spam" in page
    assert "how to leave them" in page
    assert SENTENCE in page
    assert SESSION in page
    german = house.browser(**{"accept-language": "de-CH,de"}).page(ROUTE + token)
    assert "Warum wurde meine Mail abgewiesen?" in german
    assert "auf einer öffentlichen Liste" in german
    private = (
        PRIVATE,
        "A secret",
        "dnsbl",
        "192.0.2.9",
        "you@",
        "mia@",
        "ann.example",
        "eve.example",
        "Sign out",
    )
    for text in (page, german):
        assert [] == [one for one in private if one in text]


def test_what_is_none(house: House, token: str) -> None:
    """Made up, another domain's, switched off: one answer, that of an address that there is not."""
    with house.desk() as desk:
        eves = refuse(desk, "you@eve.example", session="3479ACDEFH340")
    browser = house.browser()
    browser.page(ROUTE + token)
    tried = [ROUTE + "x", ROUTE + token[:-1], ROUTE + eves, ROUTE + "%00", ROUTE + "0" * 900, "/nothing"]
    answers = [browser.get(path) for path in tried]
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"why.page": False})
    answers.append(browser.get(ROUTE + token))
    assert {404} == {one.status_code for one in answers}
    assert 1 == len({one.text for one in answers})
    assert 1 == len({str(sorted(one.headers.items())) for one in answers})


def test_nobody_tries_for_long(house: House, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for what is not there has to wait, also with a good token; so has who asks too often."""
    monkeypatch.setattr(why, "WRONG", 3)
    browser = house.browser()
    assert [404, 404, 404, 429] == [browser.get(f"{ROUTE}{n}").status_code for n in range(4)]
    answer = browser.get(ROUTE + token)
    assert (429, True) == (answer.status_code, int(answer.headers["retry-after"]) > 0)


def test_often(house: House, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is asked for again and again."""
    monkeypatch.setattr(why, "REQUESTS", 3)
    browser = house.browser()
    assert [200, 200, 200, 429] == [browser.get(ROUTE + token).status_code for _ in range(4)]


def test_a_hostile_sentence(house: House, token: str) -> None:
    """What a third party's check said is text."""
    with house.desk() as desk:
        trace = '[["reply","","told",0,"<script>alert(1)</script>"]]'
        bad = refuse(desk, "you@ann.example", session="3479ACDEFH343", plugin="<b>", trace=trace)
    page = house.browser().page(ROUTE + bad)
    assert "&lt;script&gt;alert(1)" in page
    assert "The rules of the recipient" in page
    assert not re.search(r"<script>|<b>", page)
