"""The bill of greylisting as a page: sums, a chart over a table, an empty one with a word."""

from tests.console.house import House
from tests.console.seed import proofs


def test_bill(house: House) -> None:
    """The oldest day first, the sum below; as many days as are asked for."""
    proofs(house)
    page = house.browser("rob").page("/domains/ann.example/greylist?days=14")
    assert 'data-chart="bill-table"' in page
    assert page.index("Sat 2 Jan") < page.index("Fri 15 Jan")
    assert 14 == page.count('<th scope="row" class="when">')
    assert "on average" in page
    assert 7 >= house.browser("rob").page("/domains/ann.example/greylist?days=7").count("Jan</th>") - 1
    assert 422 == house.browser("rob").get("/domains/ann.example/greylist?days=99").status_code


def test_nothing(house: House) -> None:
    """No empty table."""
    page = house.browser("eve").page("/domains/eve.example/greylist")
    assert ("No stranger was put off" in page, "<table" in page) == (True, False)
    assert 404 == house.browser("eve").get("/domains/ann.example/greylist").status_code
