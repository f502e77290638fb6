"""Filters are read from the address and written into addresses again."""

from gatepost.console.journal_form import Filters


def test_address() -> None:
    """What is asked for stands in it, escaped; what is not stays out."""
    assert "/journal" == Filters().address("/journal")
    asked = Filters(q="a&b", sender=" x@y ")
    assert "/journal?q=a%26b&sender=x%40y&after=7" == asked.address("/journal", after=7)


def test_what_is_set() -> None:
    """The second row of the form is open where one of its filters is set."""
    assert (False, False) == (Filters().any, Filters().more)
    assert (True, False) == (Filters(fate="rejected").any, Filters(fate="rejected").more)
    assert (True, True) == (Filters(client="1").any, Filters(client="1").more)
