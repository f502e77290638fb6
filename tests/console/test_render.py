"""Pages escape what they show, and say a sentence once."""

from gatepost.console.auth import SignedIn
from gatepost.console.render import go, show
from tests.console.house import House

HOSTILE = "<script>alert(1)</script>\"'&"


def test_values_are_escaped(house: House) -> None:
    """What a value holds is text, wherever it stands."""

    def hostile(here: SignedIn) -> object:
        return show(here, "error.html", code=HOSTILE, sentence="", detail=HOSTILE)

    house.app.add_api_route("/hostile", hostile, response_model=None)
    page = house.browser("ann").page("/hostile")

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;" in page


def test_said_once(house: House) -> None:
    """What a form did is said on the next page, and not on the one after."""

    def done(here: SignedIn) -> object:
        return go(here, "/", "Größe geändert; 100 %")

    house.app.add_api_route("/done", done, response_model=None)
    browser = house.browser("ann")

    assert "/" == browser.get("/done").headers["location"]
    assert "Größe geändert; 100 %" in browser.page("/")
    assert "Größe" not in browser.page("/")


def test_reader_has_a_language(house: House) -> None:
    """The account's language comes before the browser's."""
    assert '<html lang="en">' in house.browser("ann", **{"accept-language": "de"}).page("/")
