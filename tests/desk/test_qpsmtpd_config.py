"""The folder of qpsmtpd is read as qpsmtpd reads it, and nothing outside of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.desk.errors import DeskError
from gatepost.desk.qpsmtpd_config import ConfigFolder, Report


def test_lines_and_includes(tmp_path: Path) -> None:
    """Comments and empty lines go; an included file or folder stands in the place of its line."""
    (tmp_path / "plugins.d").mkdir()
    (tmp_path / "plugins.d/b").write_text("three\n")
    (tmp_path / "plugins.d/a").write_text("two # kept as it stands\n")
    (tmp_path / "plugins").write_text("# first\none\n\n$include plugins.d\n  four\n")
    folder = ConfigFolder(tmp_path, Report())
    assert [
        ("plugins", 2, "one"),
        ("plugins.d/a", 1, "two # kept as it stands"),
        ("plugins.d/b", 1, "three"),
        ("plugins", 5, "four"),
    ] == [(line.file, line.number, line.text) for line in folder.lines("plugins")]
    assert (["plugins"], ["plugins.d"]) == (folder.files, folder.folders)
    assert [] == folder.lines("nosuch")


def test_what_leads_out_or_round(tmp_path: Path) -> None:
    """An include of another folder, of itself, and a link that leads out are told and left."""
    top = tmp_path / "config"
    top.mkdir()
    (tmp_path / "secret").write_text("secret\n")
    (top / "plugins").write_text("$include ../secret\n$include /etc/passwd\n$include plugins\n$include a\n")
    (top / "a").write_text("$include plugins\n")
    (top / "link").symlink_to(tmp_path / "secret")
    report = Report()
    folder = ConfigFolder(top, report)
    assert [] == folder.lines("plugins")
    assert ["link", "plugins", "plugins", "plugins", "a"] == [line.file for line, _ in report.left]
    outside, itself = "it lies outside of this folder", "it includes itself"
    assert [outside, outside, itself, itself] == [why for _, why in report.left[1:]]


def test_no_folder(tmp_path: Path) -> None:
    """A file is no configuration."""
    with pytest.raises(DeskError, match="not a folder"):
        ConfigFolder(tmp_path / "nosuch", Report())
