"""The demo: one domain that delivers to a Maildir, made once, and a line to paste that is right."""

import ast
import shlex
from pathlib import Path

from gatepost.app import demo
from gatepost.store.policy_db import PolicyStore


def domains(data: Path) -> list[str]:
    """Return the names of the domains of an installation."""
    store = PolicyStore(data / "policy.db")
    try:
        return [str(getattr(row, "name", row)) for row in store.domains()]
    finally:
        store.close()


def test_made_once(tmp_path: Path) -> None:
    """The first start makes the domain and the mail folder; a later one changes nothing."""
    demo.make(tmp_path)
    demo.make(tmp_path)

    assert [demo.DOMAIN] == domains(tmp_path)
    assert (tmp_path / "mail").is_dir()


def test_an_installation_in_use_is_left_alone(tmp_path: Path) -> None:
    """Who has a domain gets no demo."""
    store = PolicyStore(tmp_path / "policy.db")
    store.add_domain("example.org", ["smtp://127.0.0.1:2600"], by="test")
    store.close()

    demo.make(tmp_path)

    assert ["example.org"] == domains(tmp_path)


def test_the_line_to_paste(tmp_path: Path) -> None:
    """The line is one command of a shell, whose Python is right, to the address that is printed."""
    said = demo.text("0.0.0.0", 2525, tmp_path)

    (line,) = [line for line in said.splitlines() if "python3 -c" in line]
    words = shlex.split(line)
    assert ["python3", "-c"] == words[:2]
    assert "127.0.0.1', 2525" in words[2]
    assert "you@example.test" in words[2]
    ast.parse(words[2])
    assert str(tmp_path / "mail" / "you") in said


def test_who_may_sign_in(tmp_path: Path) -> None:
    """The console's address, and the password of the administrator that was just made."""
    said = demo.text("127.0.0.1", 25, tmp_path, "127.0.0.1:8025", ("admin", "s3cret"))
    assert "http://127.0.0.1:8025" in said
    assert "admin with the password s3cret" in said
    assert "password" not in demo.text("127.0.0.1", 25, tmp_path, "127.0.0.1:8025")
    assert "console" not in demo.text("127.0.0.1", 25, tmp_path)
