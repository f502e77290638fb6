"""Programs of an administrator, an owner and a reader."""

import pytest

from tests.console.api.program import Program
from tests.console.house import House


@pytest.fixture
def root(house: House) -> Program:
    """A program that may everything."""
    return Program(house, "root")


@pytest.fixture
def ann(house: House) -> Program:
    """A program of the owner of ann.example."""
    return Program(house, "ann")


@pytest.fixture
def rob(house: House) -> Program:
    """A program of a reader of ann.example."""
    return Program(house, "rob")
