"""A section is a frozen value, and its class is the table of its keys."""

import pytest

from gatepost.config.section import Section, key, section, walk
from gatepost.config.values import SIZE, count


class Inner(Section):
    """Inside."""

    size: int = key(SIZE, "1KiB", "How large.")


class Outer(Section):
    """Outside."""

    number: int = key(count(), 3, "How many.")
    inner: Inner = section(Inner)


def test_defaults_and_values() -> None:
    """Defaults are read as from the file; given values are taken as they are."""
    assert Outer().number == 3
    assert Outer().inner.size == 1024
    assert Outer(number=5, inner=Inner(size=1)).inner.size == 1
    assert Outer() == Outer()
    assert Outer() != Outer(number=4)
    assert repr(Outer()) == "Outer(number=3, inner=Inner(size=1024))"


def test_it_does_not_change() -> None:
    """Neither set nor deleted; a name that is not there is no argument."""
    outer = Outer()
    with pytest.raises(AttributeError, match="does not change"):
        outer.number = 4
    with pytest.raises(AttributeError, match="does not change"):
        del outer.number
    with pytest.raises(TypeError, match="Outer has no nmber"):
        Outer(nmber=4)


def test_all_keys_by_full_name() -> None:
    """In the order of the class."""
    assert [(name, one.sentence) for name, one in walk(Outer)] == [
        ("number", "How many."),
        ("inner.size", "How large."),
    ]
