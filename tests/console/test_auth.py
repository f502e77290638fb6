"""Who is not signed in sees nothing; what is not theirs does not exist for them."""

import httpx
import pytest

from gatepost.console.auth import Changing, Looking
from gatepost.console.render import show
from tests.console.house import House


@pytest.fixture
def probed(house: House) -> House:
    """Return a house with a page of a domain that shows nothing but its name."""

    def probe(here: Looking) -> object:
        return show(here, "error.html", code=200, sentence="", detail=f"this is {here.domain}")

    house.app.add_api_route("/probe/{domain}", probe, response_model=None)
    return house


def test_nobody_is_sent_to_sign_in(probed: House) -> None:
    """A page asks to sign in and knows where to go on."""
    response = probed.browser().get("/probe/ann.example?x=1")

    assert (303, "/login?next=%2Fprobe%2Fann.example%3Fx%3D1") == (
        response.status_code,
        response.headers["location"],
    )


@pytest.mark.parametrize("name", ["root", "ann", "rob"])
def test_whose_domain_it_is_sees_it(probed: House, name: str) -> None:
    """The administrator, the owner and the reader look at the domain, however it is written."""
    assert "this is ann.example" in probed.browser(name).page("/probe/ANN.example")


@pytest.mark.parametrize("name", ["eve", "nobody"])
def test_foreign_is_unknown(probed: House, name: str) -> None:
    """A foreign domain is answered as an unknown one, to the byte."""
    browser = probed.browser(name)
    foreign, unknown = browser.get("/probe/ann.example"), browser.get("/probe/not.example")

    assert 404 == foreign.status_code
    assert foreign.text == unknown.text
    assert foreign.headers == unknown.headers


def test_a_session_that_ended_is_none(house: House) -> None:
    """A token that the store does not know is no session."""
    house.people.gone.add("ann")

    assert 303 == house.browser("ann").get("/").status_code


def test_names(probed: House) -> None:
    """Each sees the domains that are theirs."""
    assert "eve.example" in probed.browser("root").page("/")
    assert "eve.example" not in probed.browser("ann").page("/")


def test_a_programs_token(probed: House) -> None:
    """A token opens the API and no page; it needs no form's secret; a wrong one is 401 despite a cookie."""

    def probe(here: Changing) -> dict[str, str]:
        return {"name": here.user.name, "domain": here.domain}

    probed.app.add_api_route("/api/v1/probe/{domain}", probe, methods=["POST"])
    client = probed.browser("root").client

    def ask(token: str, path: str = "/api/v1/probe/ann.example", method: str = "POST") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return client.request(method, path, headers=headers)  # type: ignore[no-any-return]

    assert {"name": "ann", "domain": "ann.example"} == ask("program-ann").json()
    assert 404 == ask("program-eve").status_code
    assert (401, "Bearer") == (ask("token-root").status_code, ask("wrong").headers["www-authenticate"])
    assert 303 == ask("program-ann", "/probe/ann.example", "GET").status_code
    assert 403 == client.post("/api/v1/probe/ann.example").status_code
