"""`gatepost bypass`: the filter is taken out for one domain or all, and put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def bypassed(as_json: Run, word: str) -> object:
    """Return what is in force."""
    (found,) = as_json("domain", "get", word, "bypass")
    return found["value"]


def test_row_7_6_inundated_revert(hosted: Run, as_json: Run) -> None:
    """Without a domain for all of them."""
    assert "all domains: the filter is out\n" == hosted("bypass", "on").stdout
    assert bypassed(as_json, "example.org") is True
    assert "all domains: the filter is back in\n" == hosted("bypass", "off").stdout
    assert bypassed(as_json, "example.org") is False


def test_one_domain(hosted: Run, as_json: Run, tmp_path: object) -> None:
    """With a domain for that one alone."""
    hosted("domain", "add", "example.net", "--route", "smtp://192.0.2.5")
    assert "example.org: the filter is out\n" == hosted("bypass", "on", "example.org").stdout
    assert (True, False) == (bypassed(as_json, "example.org"), bypassed(as_json, "example.net"))


def test_wrong_words(hosted: Run) -> None:
    """Neither on nor off is a usage error; a domain that is not here is named."""
    assert "'maybe' is not one of" in hosted("bypass", "maybe", status=2).stderr
    assert "nowhere.example" in hosted("bypass", "on", "nowhere.example", status=1).stderr
