"""`gatepost user`: people added, listed, changed, removed; a password is shown once or read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatepost.desk import sessions
from gatepost.desk.desk import Desk

Run = Callable[..., Any]


def signs_in(desk: Desk, name: str, password: str) -> bool:
    """Return whether that is the password."""
    try:
        return bool(sessions.sign_in(desk, name, password, "", "127.0.0.1"))
    except sessions.SignInError:
        return False


def test_add(hosted: Run, desk: Desk, as_json: Run) -> None:
    """The password that was made opens; it is shown once."""
    said = hosted("user", "add", "Ann", "--domain", "example.org", "--zone", "Europe/Berlin").stdout
    first, second = said.splitlines()
    assert "ann: owner, domains: example.org" == first
    assert signs_in(desk, "ann", second.removeprefix("password: "))
    (row,) = as_json("user", "list")
    assert ("ann", "owner", ["example.org"], "Europe/Berlin", False) == (
        row["name"], row["role"], row["domains"], row["zone"], row["totp"],
    )  # fmt: skip
    assert "example.org" in hosted("user", "list").stdout
    assert "already" in hosted("user", "add", "ann", status=1).stderr


def test_password(hosted: Run, desk: Desk) -> None:
    """From stdin, not shown; another one is shown when it is made."""
    said = hosted("user", "add", "root", "--role", "admin", "--stdin", input="correct horse\n").stdout
    assert "root: admin, domains: all\n" == said
    assert signs_in(desk, "root", "correct horse")
    assert len(sessions.sessions_of(desk, "root")) == 1
    new = hosted("user", "passwd", "root").stdout.splitlines()[1].removeprefix("password: ")
    assert [] == sessions.sessions_of(desk, "root")
    assert (False, True) == (signs_in(desk, "root", "correct horse"), signs_in(desk, "root", new))
    assert "at least" in hosted("user", "password", "root", "--stdin", input="short\n", status=1).stderr


def test_set_and_remove(hosted: Run, as_json: Run) -> None:
    """Another role, other domains, off and on; an administrator is always left; each in the changes."""
    hosted("user", "add", "root", "--role", "admin")
    hosted("user", "add", "ann", "--domain", "example.org")
    assert "ann: reader (off), domains: none\n" == (
        hosted("user", "set", "ann", "--role", "reader", "--no-domains", "--disable").stdout
    )
    assert "last administrator" in hosted("user", "remove", "root", status=1).stderr
    hosted("user", "remove", "ann")
    assert ["root"] == [row["name"] for row in as_json("user", "list")]
    newest, before, *_ = as_json("changes")
    assert ("user", "all", None) == (newest["what"], newest["scope"], newest["after"])
    assert {"name": "ann", "role": "reader", "domains": [], "disabled": True} == before["after"]
    told = hosted("changes").stdout
    assert "user ann removed" in told
    assert "cannot be rolled back" in hosted("changes", "--roll-back", str(newest["id"]), status=1).stderr
