"""What was typed of a list entry is read in the reader's zone; the filters stand in the address."""

from typing import Any, cast

from starlette.requests import Request

from gatepost.console.auth import Here
from gatepost.console.entry_form import Filters, Question, read
from gatepost.desk.lists import Wanted
from tests.console.house import House, Somebody


def here(house: House, role: str = "owner") -> Here:
    """Return a request of somebody in Berlin."""
    request = Request({"type": "http", "headers": [], "app": house.app, "method": "GET", "path": "/"})
    return Here(request, house.site, cast("Any", None), Somebody("ann", role), "")


def test_read(house: House) -> None:
    """A date is the reader's, a span goes on as it is, nothing is for good; only administrators lock."""
    form = {"expires": "2026-12-31 01:00", "note": " x ", "verified": "on", "locked": "on"}
    expected = {"expires": 1_798_675_200.0, "note": "x", "verified": True, "locked": False}
    assert expected == read(here(house), form)
    assert expected | {"locked": True} == read(here(house, "admin"), form)
    assert "30d" == read(here(house), {"expires": " 30d "})["expires"]
    assert read(here(house), {})["expires"] is None


def test_filters() -> None:
    """What is not asked for is not in the address."""
    asked = Filters(" a&b ", "", "-")
    assert ("?q=a%26b&check=-&after=7", True) == (asked.address(7), asked.any)
    assert Wanted("a&b", "", "-", 7) == asked.wanted(7)
    assert not Filters().any


def test_question() -> None:
    """A tick is a proof."""
    assert Question(client="1.2.3.4", proven="on").asked.proven
    assert not Question(mailbox="you").asked.any
