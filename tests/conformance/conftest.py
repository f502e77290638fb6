"""Suites and corpora lie beside the clone; where real mail is missing its tests are not run, as is said."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.conformance.corpora import CORPORA


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs real mail where there is none."""
    here = Path(__file__).parent
    marked = [item for item in items if here in item.path.parents and item.get_closest_marker("corpus")]
    if marked and not CORPORA.exists():
        warnings.warn(f"not run: {len(marked)} tests, the real mail in {CORPORA} is missing", stacklevel=1)
        config.hook.pytest_deselected(items=marked)
        items[:] = [item for item in items if item not in marked]
