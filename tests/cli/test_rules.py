"""`gatepost rules`: the words of a person who has a storm of made-up addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_words(hosted: Run, as_json: Run) -> None:
    """Add, list, try, remove."""
    said = hosted(
        "rules", "add", "example.org", "[0-9]$", "--regex", "--text", "No digits", "--note", "storm"
    )
    assert "'[0-9]$' (regex) in the localpart: refused\n1 added\n" in said.stdout
    hosted("rules", "add", "example.org", "route66", "--whole", "--pass", "--first")
    passes, refuses = as_json("rules", "list", "example.org")
    assert ("route66", "whole", "pass") == (passes["pattern"], passes["how"], passes["then"])
    assert ("No digits", "storm", 0, None) == (
        refuses["text"], refuses["note"], refuses["hits_month"], refuses["last_hit"],
    )  # fmt: skip
    assert "No digits; storm" in hosted("rules", "list", "example.org").stdout
    tried = hosted("rules", "test", "example.org", "ann", "ann7", "route66").stdout.splitlines()
    assert "ann@example.org: no rule matches" == tried[0]
    assert f"ann7@example.org: refused by {refuses['id']}: '[0-9]$' (regex) in the localpart" == tried[1]
    assert tried[2].startswith("route66@example.org: let pass by ")
    (draft,) = as_json("rules", "test", "example.org", "ann", "--pattern", "an")
    assert (True, "an") == (draft["refused"], draft["pattern"])
    assert "removed" in hosted("rules", "remove", "example.org", refuses["id"]).stdout
    assert "There are no rules.\n" == hosted("rules", "list", "--all").stderr


def test_a_listed_recipient_is_named(hosted: Run) -> None:
    """The person is told at once when a rule hits somebody who exists."""
    assert "refuse listed recipients: ann" in hosted("rules", "add", "example.org", "nn").stderr


def test_import(hosted: Run, tmp_path: Path) -> None:
    """A file with a bad line is taken over but for it, and the status says so; the six rules need no file."""
    path = tmp_path / "rcpt_regexp"
    path.write_text("/^unused@/ DENY gone\n/(/ DENY x\n")
    done = hosted("rules", "import", "example.org", str(path), status=1)
    assert "1 added" in done.stdout
    assert "not taken over: line 2: pattern '(': missing )" in done.stderr
    assert "6 added" in hosted("rules", "import", "--all", "--six").stdout


def test_errors(hosted: Run) -> None:
    """What is wrong is said in a line."""
    said = hosted("rules", "add", "example.org", "(", "--regex", status=1).stderr
    assert "pattern '(': missing )" in said
    assert "exclude" in hosted("rules", "add", "example.org", "a", "--regex", "--whole", status=2).stderr
    assert "wanted: DOMAIN PATTERN" in hosted("rules", "add", "example.org", status=2).stderr
    assert "did you mean" in hosted("rules", "list", "example.ogr", status=1).stderr
