"""`gatepost recipient`: add, remove, list, import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_add_remove_list(hosted: Run, as_json: Run) -> None:
    """What is there already is told; a list is a table or JSON."""
    said = hosted("recipient", "add", "example.org", "ann", "bob", "--only-from", "10.0.0.0/8").stdout
    assert said.startswith("example.org: 2 added")
    assert "2 added" in hosted("recipient", "add", "example.org", "old", "old2", "--invalid").stdout
    assert "0 added, 1 there already" in hosted("recipient", "add", "example.org", "old", "--invalid").stdout
    rows = as_json("recipient", "list", "example.org")
    assert rows[0] == {"recipient": "ann", "kind": "valid", "only_from": ["10.0.0.0/8"]}
    assert hosted("recipient", "remove", "example.org", "bob").stdout == "example.org: 1 removed\n"
    assert "none of them" in hosted("recipient", "remove", "example.org", "bob", status=1).stderr
    assert len(as_json("recipient", "list", "example.org", "--limit", "1")) == 1
    assert "RECIPIENT" in hosted("recipient", "list", "example.org").stdout


def test_import(hosted: Run, as_json: Run, tmp_path: Path) -> None:
    """From a file or stdin; bad lines are told and end with status 1 though the rest is taken."""
    file = tmp_path / "people"
    file.write_text("bob\ncarl@example.org\n")
    assert "2 read, 2 new" in hosted("recipient", "import", "example.org", str(file)).stdout
    result = hosted("recipient", "import", "example.org", "-", input="dora\nx@example.com\n", status=1)
    assert "1 read, 1 new" in result.stdout
    assert "-: line 2: 'x@example.com' is not of example.org" in result.stderr
    hosted("recipient", "import", "example.org", str(file), "--replace")
    assert [r["recipient"] for r in as_json("recipient", "list", "example.org")] == ["bob", "carl"]
    assert "No such file" in hosted("recipient", "import", "example.org", "/no/such", status=1).stderr
