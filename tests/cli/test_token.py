"""`gatepost token`: made and shown once, listed without what opens, revoked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatepost.desk import tokens
from gatepost.desk.desk import Desk

Run = Callable[..., Any]


def test_token(hosted: Run, desk: Desk, as_json: Run) -> None:
    """The bearer alone is on stdout, so that a script can keep it; a list never shows it again."""
    hosted("user", "add", "ann", "--domain", "example.org")
    said = hosted("token", "add", "ann", "monitoring", "--rights", "change", "--expires", "30d")
    bearer = said.stdout.strip()
    found = tokens.who_bears(desk, bearer)
    assert found is not None
    assert ("ann", ("example.org",)) == (found.user.name, found.user.domains)
    (row,) = as_json("token", "list", "--user", "ann")
    assert ("monitoring", "change", []) == (row["label"], row["rights"], row["domains"])
    assert bearer not in hosted("token", "list").stdout
    hosted("token", "revoke", str(row["id"]))
    assert tokens.who_bears(desk, bearer) is None
    assert "There is no token yet.\n" == hosted("token", "list").stderr
    assert "no token 77" in hosted("token", "revoke", "77", status=1).stderr
