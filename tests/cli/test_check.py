"""`gatepost check FILE`: what would happen."""

from __future__ import annotations

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
