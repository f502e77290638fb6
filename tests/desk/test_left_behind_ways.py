"""Each way by which a name is hosted where another had it: nothing is inherited, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.desk import (
    changes,
    domains,
    left_behind,
    qpsmtpd,
    recipients,
    srv,
    train_addresses,
)
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.left_behind import DAY, DAYS
from gatepost.desk.srv_follow import TreeFollower
from tests.desk.conftest import Clock
from tests.desk.lived import NAME, ROUTE, left, lived, nothing


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Return a desk with two domains that have lived."""
    return lived(desk)


def cli_or_console(desk: Desk, _folder: Path) -> None:
    """A person adds it."""
    domains.add(desk, NAME, ROUTE)


def imported_tree(desk: Desk, folder: Path) -> None:
    """A tree of files is taken over once."""
    (folder / "srv" / NAME / "users" / "valid" / "annabel").mkdir(parents=True)
    srv.import_tree(desk, folder / "srv", route=ROUTE[0])


def imported_qpsmtpd(desk: Desk, folder: Path) -> None:
    """The configuration of qpsmtpd names it."""
    (folder / "rcpthosts").write_text(f"{NAME}\n")
    qpsmtpd.import_folder(desk, folder, route=ROUTE[0], recipients="list")


def followed_tree(desk: Desk, folder: Path) -> None:
    """A tree that is followed has it."""
    (folder / "srv" / NAME / "users" / "valid" / "annabel").mkdir(parents=True)
    clock = Clock()
    follower = TreeFollower(desk, folder / "srv", desk.registry.defaults(), route=ROUTE[0], clock=clock)
    for _ in range(3):
        assert not [said for said in follower.look() if said[0] == "error"]
        clock.now += 11


def undone(desk: Desk, _folder: Path) -> None:
    """Somebody adds it, takes that back, and takes that back again."""
    domains.add(desk, NAME, ROUTE)
    for _ in range(2):
        changes.roll_back(desk, changes.listing(desk, NAME, limit=1)[0].id)


def removed_and_the_same_again(desk: Desk, _folder: Path) -> None:
    """Its new owner removed it, and has it again."""
    domains.add(desk, NAME, ROUTE)
    domains.remove(desk, NAME)
    domains.add(desk, NAME, ROUTE, anew=False)


WAYS = [
    cli_or_console,
    imported_tree,
    imported_qpsmtpd,
    followed_tree,
    undone,
    removed_and_the_same_again,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_whatever_way_it_is_hosted(
    full: Desk, clock: Clock, tmp_path: Path, way: Callable[[Desk, Path], None]
) -> None:
    """Behind the deletion nothing of the old one is in any place, and no old training address holds."""
    old = train_addresses.of_person(full, NAME, "annabel")
    domains.remove(full, NAME)
    left_behind.forget(full, NAME)
    (tmp_path / "new").mkdir()
    way(full, tmp_path / "new")
    assert full.policy.domain(NAME) is not None
    assert nothing(full, NAME), left(full, NAME)
    full.policy.add_recipients(NAME, ["annabel"])
    second = train_addresses.of_person(full, NAME, "annabel")
    domains.remove(full, NAME)
    clock.now += 1
    domains.add(full, NAME, ROUTE, anew=True)
    full.policy.add_recipients(NAME, ["annabel"])
    assert 3 == len({old.spam, second.spam, train_addresses.of_person(full, NAME, "annabel").spam})


@pytest.mark.parametrize(("away", "same"), [(600.0, True), (20 * DAY, True), (DAYS * DAY + 1, False)])
def test_a_folder_that_comes_back(desk: Desk, clock: Clock, tmp_path: Path, away: float, same: bool) -> None:
    """A tree cannot be asked: a folder that comes back is the same domain while its data are there."""
    tree = tmp_path / "srv"
    (tree / "files.example" / "users" / "valid" / "ann").mkdir(parents=True)
    (tree / "keep.example").mkdir()
    follower = TreeFollower(desk, tree, desk.registry.defaults(), route=ROUTE[0], clock=clock)

    def look() -> None:
        for _ in range(4):
            follower.look()
            clock.now += 11

    look()
    at_once(desk.records.put("files.example", "notes", "x", {"a": 1}))
    addresses = train_addresses.of_person(desk, "files.example", "ann")
    (tree / "files.example").rename(tmp_path / "aside")
    look()
    assert desk.policy.domain("files.example") is None
    clock.now += away
    (tmp_path / "aside").rename(tree / "files.example")
    look()
    assert desk.policy.domain("files.example") is not None
    assert same == bool(list(desk.records.of_domain("files.example")))
    assert same == (addresses == train_addresses.of_person(desk, "files.example", "ann"))


def test_a_folder_of_a_domain_that_a_person_removed(desk: Desk, clock: Clock, tmp_path: Path) -> None:
    """Its folder still lies there: it is told, not hosted, nothing deleted, until a person says which."""
    tree, name = tmp_path / "srv", "files.example"
    (tree / name / "users" / "valid" / "ann").mkdir(parents=True)
    (tree / "keep.example").mkdir()
    follower = TreeFollower(
        Desk(desk.data_dir, "files", clock=desk.clock),
        tree,
        desk.registry.defaults(),
        route=ROUTE[0],
        clock=clock,
    )

    def look() -> list[str]:
        told = []
        for _ in range(4):
            told += [what for level, _, what in follower.look() if level == "error"]
            clock.now += 11
        return told

    assert look() == []
    at_once(desk.records.put(name, "notes", "x", {"a": 1}))
    domains.remove(desk, name)
    (told,) = look()
    assert "--roll-back" in told and "--again" in told and "--anew" in told
    assert look() == []  # told once
    clock.now += 20 * DAY
    assert look() == []
    assert desk.policy.domain(name) is None
    assert list(desk.records.of_domain(name))
    domains.add(desk, name, ROUTE, anew=False)
    assert look() == []
    assert list(desk.records.of_domain(name))
    assert ["ann"] == [row.local for row in recipients.listing(desk, name)]

    domains.remove(desk, name)  # and then its folder goes too: that hosts nothing
    assert 1 == len(look())
    (tree / name).rename(tmp_path / "aside")
    assert look() == []
    assert desk.policy.domain(name) is None
    (tmp_path / "aside").rename(tree / name)
    assert 1 == len(look())

    clock.now += DAYS * DAY  # its time is over: another one, without a touch of any file
    assert look() == []
    assert desk.policy.domain(name) is not None
    assert not list(desk.records.of_domain(name))
