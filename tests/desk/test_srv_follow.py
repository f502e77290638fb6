"""What a tree says comes soon, and goes when it no longer says so; what cannot be read changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gatepost.desk import domains, lists, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.domains import own_values, set_values
from gatepost.desk.srv import with_route
from gatepost.desk.srv_follow import GONE, QUIET, TreeFollower
from gatepost.desk.srv_read import DomainReader
from tests.desk.test_srv_read import touch

ROUTE = "smtp://127.0.0.1:26"


class Followed:
    """A follower of a tree, and a clock that the test turns."""

    def __init__(self, desk: Desk, top: Path) -> None:
        self.now = 1000.0
        self.top = top
        self.desk = Desk(desk.data_dir, "files", clock=desk.clock)
        self.follower = TreeFollower(
            self.desk,
            top,
            desk.registry.defaults(),
            route=ROUTE,
            blacklist_d=top.parent / "blacklist.d",
            clock=lambda: self.now,
        )

    def look(self, seconds: float = 0.0, **more: Any) -> list[str]:
        """Let time pass and look; the errors that were told."""
        self.now += seconds
        return [f"{where}: {what}" for level, where, what in self.follower.look(**more) if level == "error"]

    def settle(self) -> list[str]:
        """Look, wait until it is quiet, look again."""
        return self.look() + self.look(QUIET)


@pytest.fixture
def followed(desk: Desk, tmp_path: Path) -> Followed:
    """A tree with a list for all domains, followed."""
    touch(tmp_path / "srv", "_global_/blacklisted/tld/ru")
    made = Followed(desk, tmp_path / "srv")
    made.settle()
    return made


def entries(desk: Desk, word: str | None = None) -> set[str]:
    """Return what is on a list."""
    return {one.entry.text for one in lists.show(desk, word)}


def people(desk: Desk, domain: str = "example.org") -> list[str]:
    """Return the recipients of a domain."""
    return [row.local for row in recipients.listing(desk, domain)]


def test_an_entry_comes_at_once_and_goes_when_it_is_quiet(desk: Desk, followed: Followed) -> None:
    """A touch is in force at the next look; a removed file takes its entry with it a second later."""
    assert {".ru"} == entries(desk)
    touch(followed.top, "_global_/blacklisted/tld/sa")
    followed.look()
    assert {".ru", ".sa"} == entries(desk)
    (followed.top / "_global_/blacklisted/tld/ru").unlink()
    followed.look()
    assert {".ru", ".sa"} == entries(desk)
    followed.look(QUIET)
    assert {".sa"} == entries(desk)


def test_nothing_of_a_persons_is_lost(desk: Desk, followed: Followed) -> None:
    """Entries that a person made stay, also where a file said the same for a while."""
    lists.add(desk, None, "deny", ".example")
    lists.add(desk, None, "deny", ".com.br")
    touch(followed.top, "_global_/blacklisted/tld/com.br")
    followed.settle()
    (followed.top / "_global_/blacklisted/tld/com.br").unlink()
    followed.settle()
    assert {".ru", ".example", ".com.br"} == entries(desk)


def test_files_are_the_truth(desk: Desk, followed: Followed) -> None:
    """What somebody removes while its file is there comes back."""
    lists.remove(desk, None, ".ru")
    followed.look()
    assert {".ru"} == entries(desk)


def test_a_new_domain(desk: Desk, followed: Followed) -> None:
    """It is hosted once its folder has been quiet; with its folder it goes, though not at once."""
    touch(followed.top, "new.example/users/valid/ann", "new.example/checks/spf")
    followed.look()
    assert ["example.org"] == desk.policy.domains()
    followed.look(QUIET)
    assert ["example.org", "new.example"] == desk.policy.domains()
    values = own_values(desk, "new.example")
    assert ([ROUTE], "on", "off") == (values["route"], values["spf.mode"], values["dkim.mode"])

    shutil.rmtree(followed.top / "new.example")
    followed.look()
    followed.look(GONE - 1)
    assert "new.example" in desk.policy.domains()
    followed.look(1)
    assert "new.example" not in desk.policy.domains()


def test_a_domain_for_which_somebody_entered_something(desk: Desk, followed: Followed) -> None:
    """It stays without its folder, with all that is there, and this is told once."""
    touch(followed.top, "new.example/users/valid/ann")
    followed.settle()
    recipients.add(desk, "new.example", ["bob"])
    shutil.rmtree(followed.top / "new.example")
    followed.look()
    (told,) = followed.look(GONE)
    assert "it stays" in told
    assert [] == followed.look(GONE)
    assert ["ann", "bob"] == people(desk, "new.example")


def test_a_hosted_domain(desk: Desk, followed: Followed) -> None:
    """A folder of a domain that a person hosts: its route stays, and without the folder its own things."""
    recipients.add(desk, "example.org", ["bob"])
    set_values(desk, "example.org", {"spf.mode": "watch"})
    before = own_values(desk, "example.org")
    touch(followed.top, "example.org/users/valid/ann", "example.org/checks/spf")
    followed.settle()
    assert ("on", before["route"]) == tuple(own_values(desk, "example.org")[k] for k in ("spf.mode", "route"))
    assert ["ann", "bob"] == people(desk)
    shutil.rmtree(followed.top / "example.org")
    followed.look()
    followed.look(GONE)
    assert before == own_values(desk, "example.org")
    assert ["bob"] == people(desk)


def test_removed_this_moment(desk: Desk, followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person removes it while a file of it is taken over: that does not host it again."""
    touch(followed.top, "files.example/users/valid/ann")
    followed.settle()
    real = with_route

    def meanwhile(*given: Any) -> bool:
        monkeypatch.undo()
        domains.remove(desk, "files.example")
        return real(*given)

    monkeypatch.setattr("gatepost.desk.srv_follow.with_route", meanwhile)
    touch(followed.top, "files.example/users/valid/bob")
    (told,) = followed.settle()
    assert "files.example is not hosted here" in told
    assert desk.policy.domain("files.example") is None
    (told,) = followed.settle()
    assert "--anew" in told
    assert desk.policy.domain("files.example") is None


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_tree_that_vanishes(desk: Desk, followed: Followed, how: str) -> None:
    """Not mounted is not "nothing is wanted": what was taken over stays, and it is told once."""
    touch(followed.top, "new.example/users/valid/ann")
    followed.settle()
    followed.top.rename(followed.top.with_name("away"))
    if how == "empty":
        followed.top.mkdir()
    (told,) = followed.look()
    assert "what it said stays" in told
    assert [] == followed.look(GONE) + followed.look(GONE)
    assert ({".ru"}, ["ann"]) == (entries(desk), people(desk, "new.example"))

    # Also for a program that starts while it is not there.
    again = Followed(desk, followed.top)
    assert 1 == len(again.look()) and [] == again.look(GONE)
    assert ({".ru"}, ["ann"]) == (entries(desk), people(desk, "new.example"))


def test_a_folder_that_cannot_be_read(
    desk: Desk, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing, so nothing goes; when it can be read again that is told and taken over."""
    real = DomainReader.read

    def fails(_reader: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(DomainReader, "read", fails)
    (followed.top / "_global_/blacklisted/tld/ru").unlink()
    assert ["all domains: cannot be taken over, what it said stays: [Errno 5] Input/output error"] == (
        followed.settle()
    )
    assert {".ru"} == entries(desk)
    monkeypatch.setattr(DomainReader, "read", real)
    followed.settle()
    assert set() == entries(desk)


def test_a_new_domain_without_a_route(desk: Desk, tmp_path: Path) -> None:
    """It is told and not hosted; its own file may say one later."""
    touch(tmp_path / "srv", "new.example/users/valid/ann")
    followed = Followed(desk, tmp_path / "srv")
    followed.follower._route = ""
    (told,) = followed.settle()
    assert "no route" in told
    (tmp_path / "srv/new.example/settings").write_text(f'route=["{ROUTE}"]\n')
    assert [] == followed.settle()
    assert ["ann"] == people(desk, "new.example")


def test_only_what_changed_is_read(desk: Desk, followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand files in one folder are read a few times, and the folders beside it not at all."""
    touch(followed.top, "still.example/users/valid/ann")
    followed.settle()
    read: list[str] = []
    real = DomainReader.read

    def counted(reader: Any) -> Any:
        read.append(reader.domain)
        return real(reader)

    monkeypatch.setattr(DomainReader, "read", counted)
    changes = desk.policy.version()
    touch(followed.top, *(f"_global_/blacklisted/ips/10.1.{n // 100}.{n % 100}" for n in range(10_000)))
    followed.settle()
    assert 10_001 == len(entries(desk))
    assert ["*", "*"] == read
    assert changes + 1 == desk.policy.version()


def test_a_folder_that_is_never_quiet(desk: Desk, followed: Followed) -> None:
    """After a while it is believed all the same."""
    (followed.top / "_global_/blacklisted/tld/ru").unlink()
    for n in range(25):
        touch(followed.top, f"_global_/blacklisted/tld/x{n}")
        followed.look(0.5)
    assert ".ru" not in entries(desk)


def test_blacklist_d(desk: Desk, followed: Followed) -> None:
    """Its addresses come and go like those of the tree."""
    shared = followed.top.parent / "blacklist.d"
    touch(shared, "192.0.2.66")
    followed.settle()
    assert "192.0.2.66" in entries(desk)
    (shared / "192.0.2.66").unlink()
    followed.settle()
    assert {".ru"} == entries(desk)


def test_dirty(desk: Desk, followed: Followed) -> None:
    """With the names of what changed, no other folder is looked at."""
    touch(followed.top, "a.example/users/valid/ann", "b.example/users/valid/ann")
    followed.settle()
    touch(followed.top, "a.example/users/valid/bob", "b.example/users/valid/bob")
    followed.look(dirty={"b.example"})
    assert (["ann"], ["ann", "bob"]) == (people(desk, "a.example"), people(desk, "b.example"))


def test_a_look_has_a_bound(desk: Desk, followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a look had no time for is done by the next ones, also if nobody tells of it again."""
    names = [f"d{n}.example" for n in range(6)]
    touch(followed.top, *(f"{name}/users/valid/ann" for name in names))
    followed.settle()
    touch(followed.top, *(f"{name}/users/valid/bob" for name in names))
    real = DomainReader.read

    def slow(reader: DomainReader) -> Any:
        followed.now += 0.6
        return real(reader)

    monkeypatch.setattr(DomainReader, "read", slow)
    followed.look(dirty=set(names))
    done = [name for name in names if "bob" in people(desk, name)]
    assert 0 < len(done) < len(names)
    assert followed.follower.unfinished
    for _ in range(4):
        followed.look(dirty=set())
    assert [["ann", "bob"]] * len(names) == [people(desk, name) for name in names]


def test_a_tree_that_never_was_there(desk: Desk, tmp_path: Path) -> None:
    """A word misspelt in the configuration is told too."""
    assert 1 == len(Followed(desk, tmp_path / "srw").look())
