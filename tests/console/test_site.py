"""A console is made of values."""

from gatepost.console.site import Site
from tests.console.house import House


def test_secure(house: House) -> None:
    """Cookies are bound to TLS where the public address is https."""
    assert not house.site.secure
    assert Site(house.desk, house.people, "mx.example", "https://mail.example").secure
    assert not Site(house.desk, house.people, "mx.example", "http://mail.example").secure
