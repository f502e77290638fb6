"""A place is a domain or all of them, and who asks may change it or not."""

from gatepost.console.auth import Looking, SignedIn
from gatepost.console.place import PAGES, Place, at_work, page_about
from gatepost.console.render import show
from gatepost.store.base import OutcomeRow
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


def test_page_about(house: House) -> None:
    """The page that answers for a refusal is asked about this very mail; every page of the table exists."""

    def about(plugin: str) -> tuple[str, str] | None:
        row = OutcomeRow(
            1, "X.1", 0.0, "ann.example", "a&b@ann.example", "mia@x.example", "192.0.2.7", "rejected", plugin,
            "", 550, 0.0, 0, "", "", None, 0.0,
        )  # fmt: skip
        return page_about(row)

    assert ("/domains/ann.example/rules?try=a%26b%40ann.example#try", "Name rules") == about(
        "localpart_rules"
    )
    assert ("/domains/ann.example/storms", "Bounce storms") == about("bounce_storm")
    found = about("deny_list")
    assert found is not None
    assert "client=192.0.2.7&sender=mia%40x.example&mailbox=a%26b#decides" in found[0]
    assert about("dnsbl") is None
    for name in PAGES:
        assert f"/domains/{{domain}}/{PAGES[name][0]}" in house.app.state.paths
        house.browser("ann").page(f"/domains/ann.example/checks/{name}")
