"""A command finds its configuration, works as the owner of data_dir, and says whose change it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli import house
from gatepost.config import load
from gatepost.store.base import StoreError

Run = Callable[..., Any]

OWNER, GROUP = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
"""Whose data_dir it is: root gives it to nobody, anybody else can only keep it."""


def test_search_order(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config goes before the environment, a key of the environment before the file."""
    monkeypatch.setenv("GATEPOST_CONFIG", "/no/such/file")
    monkeypatch.setenv("GATEPOST_HOSTNAME", "other.example.org")
    assert "other.example.org" in run("config", "show").stdout


def test_who(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person behind sudo, if there is one."""
    assert house.who()
    monkeypatch.setenv("SUDO_USER", "carla")
    assert house.who() == "carla"
    monkeypatch.setenv("SUDO_USER", "bad\nname")
    assert "\n" not in house.who()


@pytest.mark.parametrize("error", [StoreError("locked"), OSError(13, "Permission denied", "/x")])
def test_complaints(error: Exception) -> None:
    """Errors for people become one sentence; ours stay what they are."""
    import click

    with pytest.raises(click.ClickException, match=r"locked|/x: Permission denied"), house.complaints():
        raise error
    with pytest.raises(ZeroDivisionError), house.complaints():
        raise ZeroDivisionError


def test_root_leaves_no_files_of_its_own(config: Path) -> None:
    """The service must be able to read what root's command made; anybody else's stay his own."""
    data = config.parent / "data"
    data.mkdir()
    os.chown(data, OWNER, GROUP)
    for folder in data.parents[:-2]:
        folder.chmod(folder.stat().st_mode | 0o011)
    words = ["domain", "add", "example.org", "--route", "smtp://192.0.2.5"]
    subprocess.run([sys.executable, "-m", "gatepost", "--config", str(config), *words], check=True)
    check = "import os, sys; os.setuid(int(sys.argv[1])); open(os.__file__); open(sys.argv[2])"
    readable = subprocess.run([sys.executable, "-c", check, str(OWNER), house.__file__], check=False)
    # Where he could not even read the program, no service runs as him.
    expected = OWNER if readable.returncode == 0 else 0
    assert {path.stat().st_uid for path in data.iterdir()} == {expected}


class Ids:
    """Stands in for the calls that change a process's user."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, uid: int, reads: bool) -> None:
        self.calls: list[tuple[str, int]] = []
        monkeypatch.setattr("os.geteuid", lambda: uid)
        monkeypatch.setattr("os.setegid", lambda n: self.calls.append(("gid", n)))
        monkeypatch.setattr("os.seteuid", lambda n: self.calls.append(("uid", n)))
        monkeypatch.setattr("os.access", lambda *_a, **_k: reads)


@pytest.mark.parametrize(
    ("uid", "reads", "calls"),
    [
        (0, True, [("gid", GROUP), ("uid", OWNER)]),
        (0, False, [("gid", GROUP), ("uid", OWNER), ("uid", 0), ("gid", 0)]),
        (1000, True, []),
    ],
)
def test_become_owner(
    config: Path, monkeypatch: pytest.MonkeyPatch, uid: int, reads: bool, calls: list[tuple[str, int]]
) -> None:
    """Root becomes the owner of data_dir, the group first; nobody else changes."""
    data = config.parent / "data"
    data.mkdir()
    os.chown(data, OWNER, GROUP)
    ids = Ids(monkeypatch, uid, reads)
    house.become_owner(load(config, {}))
    assert ids.calls == calls
