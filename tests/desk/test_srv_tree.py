"""A tree is looked into, and nothing in it leads out or holds up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatepost.desk.srv_tree import MAX_TEXT, Tree


def test_names(tmp_path: Path) -> None:
    """Names in order, decoded; leftovers are passed over, names that are none are told."""
    for name in ("b", "a%2Fb", ".hidden", "b~", "%FF"):
        (tmp_path / name).touch()
    (tmp_path / "d").mkdir()
    tree = Tree(tmp_path)
    found = [(name, is_folder) for name, _, is_folder in tree.names(tmp_path)]
    assert [("a/b", False), ("b", False), ("d", True)] == found
    assert ["'%FF'"] == [problem.path for problem in tree.problems]
    assert [] == list(tree.names(tmp_path / "none"))


def test_links(tmp_path: Path) -> None:
    """A link within the tree counts; one that leads out, nowhere or to itself is told and left."""
    top = tmp_path / "srv"
    (top / "a").mkdir(parents=True)
    (tmp_path / "outside").write_text("secret")
    (top / "within").symlink_to("a")
    (top / "out").symlink_to(tmp_path / "outside")
    (top / "up").symlink_to("..")
    (top / "nowhere").symlink_to("gone")
    (top / "round").symlink_to("round")
    tree = Tree(top)
    assert ["a", "within"] == [name for name, _, _ in tree.names(top)]
    assert {"out", "up", "nowhere", "round"} == {problem.path for problem in tree.problems}
    assert "" == tree.text(top / "out")


def test_unreadable_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be read is an error: what it says is not known."""

    def fails(_folder: Path) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "scandir", fails)
    with pytest.raises(PermissionError):
        list(Tree(tmp_path).names(tmp_path))


def test_text(tmp_path: Path) -> None:
    """Lines without comments; of a huge file the beginning; of a pipe nothing, at once."""
    (tmp_path / "zones").write_text("# ours\nzen.example # best\n\n  b.example\n")
    (tmp_path / "huge").write_bytes(b"x" * (MAX_TEXT + 10))
    os.mkfifo(tmp_path / "pipe")
    tree = Tree(tmp_path)
    assert ["zen.example", "b.example"] == tree.lines(tmp_path / "zones")
    assert MAX_TEXT == len(tree.text(tmp_path / "huge"))
    assert "" == tree.text(tmp_path / "pipe")
    assert ["huge"] == [problem.path for problem in tree.problems]
