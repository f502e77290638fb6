"""Tokens of programs: never more than their person may, at any time; ended, expired, gone with the person."""

from pathlib import Path
from typing import Any

import pytest

from gatepost.desk import changes, domains, tokens, users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.users import Role
from tests.desk.conftest import NOW, Clock

SECRET = "correct horse"


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Desk:
    """Return an administrator's desk: two domains, an administrator, an owner, a reader."""
    made = Desk(tmp_path, "root", clock=clock)
    for name in ("a.example", "b.example"):
        domains.add(made, name, ["smtp://192.0.2.1"])
    users.add(made, "root", SECRET, "admin")
    users.add(made, "ann", SECRET, "owner", ["a.example", "b.example"])
    users.add(made, "rob", SECRET, "reader", ["a.example"])
    return made


def opened(desk: Desk, bearer: str) -> tuple[str, tuple[str, ...]]:
    """Return the role and the domains that a token opens."""
    found = tokens.who_bears(desk, bearer)
    assert found is not None
    return str(found.user.role), found.user.domains


@pytest.mark.parametrize(
    ("name", "values", "opens"),
    [
        ("ann", {}, ("reader", ("a.example", "b.example"))),
        ("ann", {"rights": "change"}, ("owner", ("a.example", "b.example"))),
        ("ann", {"rights": "change", "domains": ["B.example"]}, ("owner", ("b.example",))),
        ("rob", {}, ("reader", ("a.example",))),
        ("root", {"rights": "admin"}, ("admin", ())),
        ("root", {"rights": "change", "domains": ["a.example"]}, ("owner", ("a.example",))),
        ("root", {"domains": ["a.example"]}, ("reader", ("a.example",))),
    ],
)
def test_what_it_opens(desk: Desk, name: str, values: dict[str, Any], opens: tuple[str, Any]) -> None:
    """Rights and domains narrow what the person may."""
    assert opens == opened(desk, tokens.add(desk, name, "script", **values)[1])


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("ann", {"rights": "admin"}, "may not give"),
        ("rob", {"rights": "change"}, "may not give"),
        ("rob", {"domains": ["b.example"]}, "only own"),
        ("ann", {"domains": ["c.example"]}, "c.example"),
        ("ann", {"rights": "all"}, "not look"),
        ("ann", {"label": " "}, "what it is for"),
        ("ann", {"expires": NOW - 1}, "past"),
        ("root", {"rights": "look"}, "name the domains"),
        ("root", {"rights": "admin", "domains": ["a.example"]}, "whole machine"),
        ("zoe", {}, "no user"),
    ],
)
def test_refused(desk: Desk, name: str, values: dict[str, Any], said: str) -> None:
    """No token opens more than its person may, and each says what it is for."""
    with pytest.raises(DeskError, match=said):
        tokens.add(desk, name, values.pop("label", "script"), **values)
    assert [] == tokens.listing(desk)


def test_follows_its_person(desk: Desk) -> None:
    """Whoever loses a domain, a role or the account loses it in his tokens too, at once."""
    _, narrow = tokens.add(desk, "ann", "one", rights="change", domains=["b.example"])
    _, wide = tokens.add(desk, "ann", "all", rights="change")
    _, whole = tokens.add(desk, "root", "all", rights="admin")
    users.change(desk, "ann", domains=["a.example"])
    assert (("owner", ()), ("owner", ("a.example",))) == (opened(desk, narrow), opened(desk, wide))
    users.change(desk, "ann", role="reader")
    assert ("reader", ("a.example",)) == opened(desk, wide)
    users.change(desk, "ann", role=Role.ADMIN)
    assert ("owner", ()) == opened(desk, wide)
    users.change(desk, "root", role="owner")
    assert ("reader", ()) == opened(desk, whole)
    users.change(desk, "root", disabled=True)
    assert tokens.who_bears(desk, whole) is None


def test_ends(desk: Desk, clock: Clock) -> None:
    """By its time, by hand, with its person; what is no token opens nothing."""
    one, first = tokens.add(desk, "ann", "one", expires=clock.now + 60)
    two, second = tokens.add(desk, "ann", "two")
    assert tokens.who_bears(desk, first) is not None
    clock.now += 60
    assert tokens.who_bears(desk, first) is None
    tokens.revoke(desk, two.id)
    assert tokens.who_bears(desk, second) is None
    with pytest.raises(NotFound):
        tokens.revoke(desk, two.id)
    assert [one.id] == [token.id for token in tokens.listing(desk, "ann")]
    users.remove(desk, "ann")
    assert [] == tokens.listing(desk)
    for nothing in ("", "gp_", "gp_x", second):
        assert tokens.who_bears(desk, nothing) is None


def test_last_used(desk: Desk, clock: Clock) -> None:
    """To the minute."""
    _, bearer = tokens.add(desk, "ann", "one")
    assert [None] == [token.used for token in tokens.listing(desk)]
    tokens.who_bears(desk, bearer)
    assert [clock.now] == [token.used for token in tokens.listing(desk)]


def test_whose_they_are(desk: Desk, tmp_path: Path) -> None:
    """Who is no administrator makes and ends his own alone; all is written down, and the token nowhere."""
    token, bearer = tokens.add(desk, "ann", "one")
    with Desk(tmp_path, "rob", admin=False, clock=desk.clock) as rob:
        with pytest.raises(NotFound):
            tokens.revoke(rob, token.id)
        with pytest.raises(DeskError):
            tokens.add(rob, "ann", "mine")
        tokens.add(rob, "rob", "mine")
    with pytest.raises(NotFound):
        tokens.revoke(desk, token.id, "rob")
    tokens.revoke(desk, token.id)
    said = [f"{one.by}: {changes.in_words(one)}" for one in changes.listing(desk, "all", limit=3)]
    assert "root: token one removed" == said[0]
    assert said[1] == "rob: token mine of rob added: look"
    assert bearer.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
