"""Where the published suites lie: beside the clone, in ../shared/conformance; read in place, never copied."""

from __future__ import annotations

from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SUITES = TOP.parent / "shared" / "conformance"


def suite(*parts: str) -> Path:
    """Return a file or folder of a suite; where it is missing the test fails and says what is wanted."""
    path = SUITES.joinpath(*parts)
    if not path.exists():
        pytest.fail(
            f"The published suite {'/'.join(parts)} is missing: {path} does not exist. "
            "Put the suites beside the clone, in ../shared/conformance.",
            pytrace=False,
        )
    return path
