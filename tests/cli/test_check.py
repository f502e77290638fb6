"""`gatepost check FILE`: what would happen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_check(hosted: Run, as_json: Run, tmp_path: Path) -> None:
    """Each recipient with what every check would say."""
    mail = tmp_path / "mail"
    mail.write_bytes(b"Subject: x\n\nhello\n")
    words = (
        "check",
        str(mail),
        "--from",
        "bob@example.net",
        "--to",
        "ann@example.org",
        "--to",
        "no@example.org",
    )
    good, bad = as_json(*words)
    assert (good["outcome"], bad["outcome"], bad["reply"], bad["at"]) == (
        "accepted",
        "rejected",
        "550 5.1.1",
        "RCPT",
    )
    assert "recipients" in {c["check"] for c in good["checks"]}
    text = hosted(*words).stdout
    assert "that of the domain's server" in text
    assert "rejected by recipients" in text
    assert hosted("check", "-", "--from", "<>", "--to", "ann@example.org", input=b"Subject: x\n\n").stdout


def test_bad_words(hosted: Run, tmp_path: Path) -> None:
    """An address that is none."""
    mail = tmp_path / "mail"
    mail.write_bytes(b"Subject: x\n\n")
    words = ("check", str(mail), "--from", "bob@example.net", "--to", "ann@example.org")
    assert "not an IP address" in hosted(*words, "--ip", "300.1.1.1", status=2).stderr
    assert hosted("check", str(mail), "--from", "bob", "--to", "ann@example.org", status=1).stderr


def test_list_entry(hosted: Run, as_json: Run, tmp_path: Path) -> None:
    """The entry that decided is named with its number, its level and its note."""
    path = tmp_path / "mail.eml"
    path.write_bytes(b"From: bob@example.net\nSubject: x\n\nhello\n")
    hosted("list", "add", "--all", "deny", "192.0.2.0/24", "--note", "since May")
    words = ("check", str(path), "--from", "bob@example.net", "--to", "ann@example.org")
    said = " ".join(hosted(*words).stdout.split())
    assert "list entry #1: deny 192.0.2.0/24 (all domains), since May" in said
    hosted("list", "add", "example.org", "allow", "192.0.2.1")
    said = " ".join(hosted(*words).stdout.split())
    assert "list entry #2: allow 192.0.2.1 (domain)" in said


def test_the_input_ends_too_early(hosted: Run) -> None:
    """A script that answers too few questions is told, and not left with a bare status."""
    for given in ("", "192.0.2.1\n\n"):
        assert "the input ended before the last answer" in hosted("check", "-i", input=given, status=1).stderr


def test_interactive(hosted: Run, tmp_path: Path) -> None:
    """What is not said in words is asked for, and the whole decision is explained."""
    lines = "192.0.2.7\n\nbob@example.net\nann@example.org, no@example.org\n\nSubject: x\n\nhello\n.\nrest\n"
    done = hosted("check", "--interactive", input=lines)
    assert "that of the domain's server" in done.stdout
    assert "rejected by recipients" in done.stdout
    assert "From (<>: a bounce): " in done.stderr
    assert not (tmp_path / "mail").exists()
    found = json.loads(
        hosted("check", "-i", "--ip", "192.0.2.1", "--json", input=lines.split("\n", 1)[1]).stdout
    )
    assert ["accepted", "rejected"] == [one["outcome"] for one in found]


def test_what_is_missing(hosted: Run) -> None:
    """Without --interactive all three are needed, and are named; the null sender may be written empty."""
    assert "FILE, --from, --to (or --interactive)" in hosted("check", status=2).stderr
    assert "both want stdin" in hosted("check", "-", "-i", status=2).stderr
    words = ("check", "-", "--from", "", "--to", "ann@example.org")
    assert "that of the domain's server" in hosted(*words, input=b"Subject: x\n\n").stdout
