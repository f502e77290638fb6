"""A place is a domain or all of them, and who asks may change it or not."""

from gatepost.console.auth import Looking, SignedIn
from gatepost.console.place import Place, at_work
from gatepost.console.render import show
from tests.console.house import House


def test_place(house: House) -> None:
    """An owner changes the own domain, not all domains; a reader neither."""

    def probe(here: SignedIn) -> object:
        said = [Place(here, word, "").may_change for word in ("ann.example", "eve.example", None)]
        return show(
            here, "error.html", code=200, sentence="", detail=f"{said} {Place(here, None, '').words.language}"
        )

    house.app.add_api_route("/probe", probe, response_model=None)

    assert "[True, False, False] en" in house.browser("ann").page("/probe")
    assert "[False, False, False] en" in house.browser("rob").page("/probe")
    assert "[True, True, True] en" in house.browser("root").page("/probe")


def test_at_work(house: House) -> None:
    """The check behind a page has its switch as the domain has it, and knows the way back."""

    def probe(here: Looking) -> object:
        check = at_work(here, "bounce_storm", "storms")
        said = (check.name, check.mode, check.origin, check.back, check.place.base)
        return show(here, "error.html", code=200, sentence="", detail="|".join(said))

    house.app.add_api_route("/domains/{domain}/probe", probe, response_model=None)

    said = "bounce_storm|off|default|storms|/domains/ann.example/checks"
    assert said in house.browser("rob").page("/domains/ann.example/probe")
