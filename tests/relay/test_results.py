"""A next hop's reply becomes what the sender may be told."""

from __future__ import annotations

import pytest

from gatepost.relay.results import from_reply


@pytest.mark.parametrize(
    ("code", "enhanced", "expected"),
    [
        (250, "2.0.0", ("delivered", 250, "2.0.0")),
        (251, "", ("delivered", 251, "2.0.0")),
        (550, "5.1.1", ("refused", 550, "5.1.1")),
        (550, "", ("refused", 550, "5.0.0")),
        (554, "4.0.0", ("refused", 554, "5.0.0")),
        (450, "4.2.1", ("deferred", 450, "4.2.1")),
        (452, "5.0.0", ("deferred", 452, "4.0.0")),
        (421, "4.3.2", ("deferred", 451, "4.3.2")),
        (500, "5.5.2", ("deferred", 451, "4.3.0")),
        (503, "", ("deferred", 451, "4.3.0")),
        (535, "5.7.8", ("deferred", 451, "4.3.0")),
        (354, "", ("deferred", 451, "4.3.0")),
        (199, "", ("deferred", 451, "4.3.0")),
        (999, "", ("deferred", 451, "4.3.0")),
    ],
)
def test_table(code: int, enhanced: str, expected: tuple[str, int, str]) -> None:
    """2xx, 4xx and 5xx keep their class; what speaks of us is never the sender's 5xx."""
    result = from_reply(code, enhanced, "words", "there", True)
    assert expected == (result.kind, result.code, result.enhanced)
    assert ("words", "there") == (result.text, result.where)
    assert result.dsn == result.delivered
