"""`gatepost batv`: the words that a person types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def test_words(hosted: Run, as_json: Run) -> None:
    """Add, show, tag, check, a new key, drop the old one, remove."""
    assert "example.org: signed from now on: ann\n" == hosted("batv", "add", "example.org", "ann").stdout
    tagged = hosted("batv", "tag", "ann@example.org").stdout.strip()
    assert tagged.startswith("prvs=0")
    assert "good: made with key 0, good for 7 days more\n" == hosted("batv", "check", tagged).stdout
    assert "key 1 signs" in hosted("batv", "key", "example.org").stdout
    found = as_json("batv", "show", "example.org")
    assert ([0, 1], 1, [{"local": "ann", "since": None}]) == (
        found["keys"],
        found["signs_with"],
        found["addresses"],
    )
    assert "no signed mail was seen yet" in hosted("batv", "show", "example.org").stdout
    assert "key 0 is forgotten" in hosted("batv", "key", "example.org", "--drop", "0").stdout
    assert "bad: no key 0\n" == hosted("batv", "check", tagged, status=1).stdout
    assert "not signed any more: ann" in hosted("batv", "remove", "example.org", "ann").stdout
    assert "not signed" in hosted("batv", "tag", "ann@example.org", status=1).stderr


def test_secrets(hosted: Run, as_json: Run) -> None:
    """`domain get` and `changes` hide the key; `--secrets` shows it."""
    hosted("batv", "key", "example.org")
    (shown,) = as_json("domain", "get", "example.org", "bounce.batv_keys", "--secrets")
    (secret,) = shown["value"]
    assert "0:" == secret[:2]
    for words in (("domain", "get", "example.org"), ("changes",), ("changes", "--json")):
        out = hosted(*words).stdout
        assert secret[2:] not in out
        assert "(hidden)" in out
