"""`gatepost list`: the words of the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def test_words(hosted: Run, as_json: Run) -> None:
    """DOMAIN or --all, allow or deny, an entry, and what is to be said of it."""
    said = hosted(
        "list", "add", "example.org", "allow", "ann@example.net", "--plugin", "dnsbl",
        "--expires", "30d", "--note", "our partner", "--verified", "--lock",
    ).stdout  # fmt: skip
    assert said.startswith("#1: allow ann@example.net (domain) until ")
    hosted("list", "add", "--all", "deny", ".ru")
    (entry,) = as_json("list", "show", "example.org")
    assert (entry["plugin"], entry["note"], entry["verified"], entry["locked"], entry["uses"]) == (
        "dnsbl",
        "our partner",
        True,
        True,
        0,
    )
    text = hosted("list", "show", "example.org").stdout
    assert "only dnsbl" in text
    assert "our partner" in text
    assert ".ru" in hosted("list", "show", "--all").stdout
    assert "removed" in hosted("list", "remove", "example.org", "1").stdout
    assert "removed" in hosted("list", "remove", "--all", "tld:ru").stdout
    assert hosted("list", "show", "--all").stderr == "The lists are empty.\n"


def test_a_deny_entry_for_one_check_is_explained(hosted: Run) -> None:
    """Whoever thinks that it makes the check refuse is told what it does."""
    words = ("list", "add", "example.org", "deny", "192.0.2.1")
    assert "" == hosted(*words).stderr
    assert "takes back a wider allow entry for dnsbl" in hosted(*words, "--plugin", "dnsbl").stderr


def test_senders_and_clients_of_a_top_level_domain(hosted: Run) -> None:
    """`ru` is the sender's, `.ru` the client's: who means the other is told."""
    assert "clients whose name ends so are .ru" in hosted("list", "add", "--all", "deny", "ru").stderr
    assert "" == hosted("list", "add", "--all", "deny", ".ru").stderr


def test_errors(hosted: Run) -> None:
    """What is no entry, no kind, no check, no time."""
    for words, said in (
        (("deny", "10.0.0.1/8"), "did you mean 10.0.0.0/8"),
        (("maybe", "192.0.2.1"), "neither allow nor deny"),
        (("deny", "192.0.2.1", "--plugin", "dnsb"), "did you mean 'dnsbl'"),
        (("deny", "192.0.2.1", "--expires", "soon"), "write a span"),
    ):
        assert said in hosted("list", "add", "example.org", *words, status=1).stderr
