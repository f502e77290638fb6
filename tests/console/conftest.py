"""A console for each test."""

from pathlib import Path

import pytest

from tests.console.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a console with two domains and five people."""
    return House(tmp_path / "data")
