"""The first screen."""

from tests.console.house import House


def test_my_domains(house: House) -> None:
    """Who signs in sees their own domains; who has none is told so."""
    assert "ann.example" in house.browser("ann").page("/")
    assert "No domain yet" in house.browser("nobody").page("/")
