"""What cannot be answered is said to people as a page, to programs as problem+json."""

import pytest
from fastapi import Request

from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.store.base import StoreError
from tests.console.house import House

RAISED = {
    "conflict": (Conflict("ann was faster"), 409, 409),
    "wrong": (DeskError("no such word"), 400, 422),
    "missing": (NotFound("did you mean secret.example?"), 404, 404),
    "store": (StoreError("disk I/O error"), 503, 503),
}


def test_errors(house: House) -> None:
    """The table of errors; what could name a foreign thing is not told."""

    def fails(request: Request, kind: str) -> None:
        raise RAISED[kind][0]

    house.app.add_api_route("/fails/{kind}", fails)
    house.app.add_api_route("/api/v1/fails/{kind}", fails)
    browser = house.browser("ann")
    for kind, (error, for_people, for_programs) in RAISED.items():
        page, problem = browser.get(f"/fails/{kind}"), browser.get(f"/api/v1/fails/{kind}")
        told = kind in ("conflict", "wrong")

        assert for_people == page.status_code, kind
        assert (str(error) in page.text) == told
        assert for_programs == problem.status_code, kind
        assert "application/problem+json" == problem.headers["content-type"]
        assert for_programs == problem.json()["status"]
        assert (problem.json().get("detail") == str(error)) == told


def test_unknown_page(house: House) -> None:
    """An unknown page is 404 in the form of who asked."""
    assert "There is nothing at this address" in house.browser("ann").get("/nothing").text
    assert 404 == house.browser("ann").get("/api/v1/nothing").json()["status"]


def test_words_of_the_reader(house: House) -> None:
    """The page of an error speaks the reader's language."""
    answer = house.browser(**{"accept-language": "de-AT,en;q=0.5"}).get("/nothing")

    assert '<html lang="de">' in answer.text


def test_the_menu_stays(house: House) -> None:
    """Who is signed in finds back from what is not his; a stranger sees no menu."""
    page = house.browser("ann").get("/users").text
    assert "There is nothing at this address" in page
    assert 'href="/journal"' in page
    assert 'action="/logout"' in page
    assert 'href="/users"' not in page
    assert "/journal" not in house.browser().get("/nothing").text


def test_the_frame_of_every_fault(house: House) -> None:
    """An unknown address, a forged form, a wrong method and our own fault have the menu."""

    def fails() -> None:
        raise RuntimeError("ours")

    house.app.add_api_route("/fails", fails)
    ann = house.browser("ann")
    ann.client.headers["referer"] = "http://testserver/archive?domain=ann.example"
    asked = {
        404: ann.get("/nothing"),
        403: ann.client.post("/logout", data={"csrf": "forged"}),
        405: ann.client.put("/account", headers={"x-csrf-token": ann.secret("/account")}),
        500: ann.get("/fails"),
    }
    for status, page in asked.items():
        assert status == page.status_code
        assert 'href="/journal"' in page.text, status
        assert 'action="/logout"' in page.text, status
        assert '<a href="/archive?domain=ann.example">' in page.text, status
    strangers = house.browser().get("/nothing").text
    assert "/journal" not in strangers
    assert "/logout" not in strangers


def test_a_fault_when_nobody_can_be_asked(house: House) -> None:
    """A store of people that does not answer makes the page poorer, and no second fault."""

    def broken(*_: object) -> None:
        raise StoreError("disk I/O error")

    house.people.who = broken  # type: ignore[method-assign, assignment]
    page = house.browser("ann").get("/nothing")
    assert 404 == page.status_code
    assert "There is nothing at this address" in page.text


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (
            "/lists",
            b'{"kind":"dny","entry":"a.example"}',
            "kind: 'dny' is not one of its values; allowed: allow, deny",
        ),
        ("/lists", b'{"kind":"deny"}', "entry: is missing"),
        ("/lists", b'{"kind":"deny","entry":"a.example","colour":1}', "colour: there is no such field"),
        ("/lists", b"{", "body: no JSON: Expecting"),
        ("/rules", b'{"rules":"x"}', "rules: 'x' is not a list; write [\"x\"]"),
    ],
)
def test_a_wrong_body_is_answered_in_words(house: House, path: str, body: bytes, said: str) -> None:
    """Which field, what is wrong with it, and what would do; never a programmer's sentence."""
    browser = house.browser("ann")
    headers = {"content-type": "application/json", "x-csrf-token": browser.secret("/account")}
    told = browser.client.post(f"/api/v1/domains/ann.example{path}", content=body, headers=headers)
    assert 422 == told.status_code
    assert told.json()["detail"].startswith(said)
    assert {"field", "reason"} == told.json()["errors"][0].keys()
