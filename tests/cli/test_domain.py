"""`gatepost domain`, as in the issue: a domain is added, set and shown with where each value comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.desk.desk import Desk

Run = Callable[..., Any]


def test_add_list_show(run: Run, as_json: Run) -> None:
    """A new domain needs a route, and is listed with it; who has a list is told that it is empty."""
    result = run("domain", "add", "Example.org", "--route", "smtp://127.0.0.1:2600", "--set", "keep_days=7")
    assert "recipient add" in result.stderr
    run("domain", "add", "b.example", "--route", "smtp://192.0.2.5", "--recipients", "any")
    assert as_json("domain", "list") == [
        {"domain": "b.example", "routes": ["smtp://192.0.2.5"], "recipients": "any", "listed": 0},
        {"domain": "example.org", "routes": ["smtp://127.0.0.1:2600"], "recipients": "list", "listed": 0},
    ]
    assert as_json("domain", "show", "example.org")["settings"]["keep_days"] == 7
    text = run("domain", "show", "example.org").stdout
    assert "route              smtp://127.0.0.1:2600" in text
    assert "DOMAIN" in run("domain", "list").stdout


def test_nothing_hosted(run: Run) -> None:
    """An empty installation says what to do next."""
    assert "gatepost domain add" in run("domain", "list").stderr


def test_route_to_ourselves(run: Run) -> None:
    """The configured listener is no route."""
    error = run("domain", "add", "x.example", "--route", "smtp://127.0.0.1:2525", status=1).stderr
    assert "our own address" in error


def test_issue_example(hosted: Run, as_json: Run) -> None:
    """The very words of the issue."""
    hosted("domain", "set", "example.org", "dnsbl.mode=on", """dnsbl.zones=["bl.test"]""")
    (mode,) = as_json("domain", "get", "example.org", "dnsbl.mode")
    assert mode == {"key": "dnsbl.mode", "value": "on", "origin": "domain"}
    (zones,) = as_json("domain", "get", "example.org", "dnsbl.zones")
    assert "bl.test" in str(zones["value"])


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (
            "dnsbl.zoness=[]",
            "gatepost: dnsbl.zoness: dnsbl has no such setting; did you mean 'dnsbl.zones'?\n",
        ),
        ("refuse_att=data", "gatepost: refuse_att: there is no such setting; did you mean 'refuse_at'?\n"),
    ],
)
def test_wrong_key(hosted: Run, pair: str, said: str) -> None:
    """The error names the key and the one that was meant."""
    assert hosted("domain", "set", "example.org", pair, status=1).stderr == said


def test_levels(hosted: Run, as_json: Run) -> None:
    """All domains, a domain, a mailbox; what is unset falls back."""
    hosted("domain", "set", "--all", "refuse_at=rcpt")
    hosted("domain", "set", "ann@example.org", "refuse_at=data")

    def origin(word: str) -> tuple[str, str]:
        (found,) = as_json("domain", "get", word, "refuse_at")
        return found["value"], found["origin"]

    assert origin("example.org") == ("rcpt", "all")
    assert origin("ann@example.org") == ("data", "mailbox")
    hosted("domain", "unset", "ann@example.org", "refuse_at")
    hosted("domain", "unset", "--all", "refuse_at")
    assert origin("ann@example.org") == ("data", "default")
    (value,) = as_json("domain", "get", "--all", "refuse_at")
    assert value["origin"] == "default"


def test_get(hosted: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that fits; only what somebody set; a stored value that cannot be used is told."""
    monkeypatch.setenv("COLUMNS", "80")
    text = hosted("domain", "get", "example.org").stdout
    assert max(len(line) for line in text.splitlines()) <= 80
    changed = hosted("domain", "get", "example.org", "--changed").stdout.splitlines()
    assert [line.split()[0] for line in changed if line[0] != " "] == ["KEY", "route"]
    desk.policy.put("domain:example.org", {"refuse_at": "never"}, by="hand")
    assert "ignored: domain:example.org: refuse_at" in hosted("domain", "get", "example.org").stderr
    assert "did you mean 'refuse_at'" in hosted("domain", "get", "example.org", "refuse_a", status=1).stderr


def test_expect(hosted: Run) -> None:
    """A change on top of something that was not seen is refused."""
    hosted("domain", "set", "example.org", "keep_days=7", "--expect", "2")
    error = hosted("domain", "set", "example.org", "keep_days=9", "--expect", "2", status=1).stderr
    assert "changed" in error


def test_remove(hosted: Run, run: Run) -> None:
    """Asked before it is done, unless told."""
    assert hosted("domain", "remove", "example.org", status=130, input="n\n").stdout == ""
    hosted("domain", "remove", "example.org", "--yes")
    assert hosted("domain", "list").stdout == ""


def test_presets(run: Run, as_json: Run) -> None:
    """The table of the contract."""
    assert [p["name"] for p in as_json("domain", "presets")] == ["careful", "usual", "strict"]
    assert "careful" in run("domain", "presets").stdout


def test_bypass(hosted: Run, as_json: Run) -> None:
    """Out and back in, for one and for all."""

    def out() -> bool:
        (found,) = as_json("domain", "get", "example.org", "bypass")
        return bool(found["value"])

    hosted("bypass", "on", "example.org")
    assert out()
    hosted("bypass", "off", "example.org")
    assert not out()
    hosted("bypass", "on")
    assert out()
    hosted("bypass", "off")
    assert not out()


def test_changes(hosted: Run, as_json: Run, tmp_path: Path) -> None:
    """Who, when, what; and back."""
    hosted("domain", "set", "example.org", "keep_days=7")
    newest = as_json("changes", "example.org")[0]
    assert newest["after"] == {"keep_days": 7}
    assert "keep_days=7" in hosted("changes").stdout
    said = hosted("changes", "--roll-back", str(newest["id"])).stdout
    assert said == f"change {newest['id']} undone: domain:example.org: keep_days=7\n"
    assert "keep_days" not in as_json("domain", "show", "example.org")["settings"]


def test_an_old_name(hosted: Run) -> None:
    """`remove` says how it comes back; `add` wants to know whether it is the same domain."""
    said = hosted("domain", "remove", "example.org", "--yes").stderr
    words = said.rpartition("gatepost ")[2].split()
    route = ("--route", "smtp://192.0.2.5")
    refused = hosted("domain", "add", "example.org", *route, status=1).stderr
    assert "--anew" in refused
    assert " ".join(words) in refused
    hosted(*words)
    assert "ann" in hosted("recipient", "list", "example.org").stdout
    hosted("domain", "remove", "example.org", "--yes")
    hosted("domain", "add", "example.org", *route, "--again")
    hosted("domain", "remove", "example.org", "--yes")
    hosted("domain", "add", "example.org", *route, "--anew")
    assert "ann" not in hosted("recipient", "list", "example.org").stdout
