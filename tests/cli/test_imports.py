"""`gatepost import qpsmtpd`: what was taken over and what was not, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_qpsmtpd(hosted: Run, as_json: Run, tmp_path: Path) -> None:
    """A dry run changes nothing; then each line is told with what it has become."""
    top = tmp_path / "config"
    top.mkdir()
    (top / "plugins").write_text("dnsbl reject 0\nqueue/postfix-queue\n")
    (top / "rcpthosts").write_text("new.example\n")
    words = ("import", "qpsmtpd", str(top), "--route", "smtp://127.0.0.1:26", "--recipients", "any")
    said = hosted(*words, "--dry-run").stdout
    assert "would be taken over:" in said
    assert ["example.org"] == [row["domain"] for row in as_json("domain", "list")]
    said = json.loads(hosted(*words, "--json").stdout)
    assert ["new.example"] == said["hosted"]
    assert ["plugins", "rcpthosts"] == sorted(row["file"] for row in said["taken"])
    assert ["queue/postfix-queue"] == [row["text"] for row in said["left"]]
    assert "plugins:1: dnsbl reject 0 -> dnsbl.mode=watch" in hosted(*words).stdout
    assert "any" == as_json("domain", "get", "new.example", "recipients")[0]["value"]
