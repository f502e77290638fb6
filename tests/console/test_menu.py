"""The menu shows what is there and open to the reader."""

from gatepost.console.menu import Item, shown


def test_shown() -> None:
    """A page that does not exist, or only for administrators, is left out."""
    items = (Item("/", "a"), Item("/gone", "b"), Item("/users", "c", admin=True))

    assert ["a"] == [one.text for one in shown(items, frozenset({"/", "/users"}), False)]
    assert ["a", "c"] == [one.text for one in shown(items, frozenset({"/", "/users"}), True)]
