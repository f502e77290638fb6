"""`gatepost plugin`: list, show, new, try, as in ARCHITECTURE 4c."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]

MAIL = b"Subject: casino\n\nhello\n"


def test_list_and_show(run: Run, as_json: Run) -> None:
    """What there is, what each does and what can be set."""
    assert "dnsbl" in {p["name"] for p in as_json("plugin", "list")}
    assert "helo_name" in run("plugin", "list").stdout
    assert "dnsbl.zones" in {s["key"] for s in as_json("plugin", "show", "dnsbl")["settings"]}
    assert "dnsbl.zones" in run("plugin", "show", "dnsbl").stdout


def test_broken(run: Run, tmp_path: Path) -> None:
    """One that does not load is shown with its error, and the status says so."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "broken.py").write_text("1/0")
    result = run("plugin", "list", status=1)
    assert "did not load: ZeroDivisionError" in result.stdout
    assert "did not load" in result.stderr


def test_new_and_try(run: Run, as_json: Run, tmp_path: Path) -> None:
    """A new plugin is written and tried at once."""
    made = run("plugin", "new", "subject-words", "--folder", str(tmp_path / "own")).stdout.split()
    assert [Path(name).name for name in made] == ["subject_words.py", "test_subject_words.py"]
    mail = tmp_path / "mail.eml"
    mail.write_bytes(MAIL)
    said = run("plugin", "try", made[0], str(mail), "--set", 'words=["casino"]').stdout
    assert said.startswith("""Reject("subject has 'casino'")   took """)
    assert run("plugin", "try", made[0], str(mail)).stdout.startswith("no opinion")
    (step,) = as_json("plugin", "try", made[0], str(mail), "--set", 'words=["casino"]')
    assert (step["hook"], step["result"]) == ("headers", "reject")
    run("plugin", "new", "subject-words", "--folder", str(tmp_path / "own"), status=1)
    run("plugin", "new", "../x", status=1)
