"""Without an administrator it is said what to type, and what is typed works."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.app.first_admin import command, first_step, is_missing
from gatepost.config import load
from gatepost.config.desks import desk_from
from gatepost.desk import users

PROGRAM = str(Path(sys.executable).with_name("gatepost"))


def test_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program as it was started, and what leads to this installation's data, from any folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my gatepost.toml").write_text(f'data_dir = "{tmp_path}"')
    file, by_env = load("my gatepost.toml", {}), load(None, {"GATEPOST_DATA_DIR": "/d"}, search=())
    usual, words = load(None, {}, search=()), "user add admin --role admin"

    assert f"gatepost --config '{tmp_path}/my gatepost.toml' {words}" == command(file, ["gatepost"])
    assert f"env GATEPOST_DATA_DIR=/d {tmp_path}/bin/gatepost {words}" == command(by_env, ["bin/gatepost"])
    assert f"gatepost {words}" == command(usual, ["/x/__main__.py"])


def test_what_is_typed_works(tmp_path: Path) -> None:
    """It makes the administrator of this installation; from then on nothing is said."""
    file = tmp_path / "gatepost.toml"
    file.write_text(f'data_dir = "{tmp_path / "data"}"')
    config = load(str(file), {})
    say = first_step(config)
    line = command(config, [PROGRAM])
    with desk_from(config, "test") as desk:
        users.add(desk, "ann", "correct horse battery", "owner")
    assert is_missing(config)
    assert "--role admin" in say()

    done = subprocess.run(shlex.split(line), cwd="/", capture_output=True, text=True, check=True)
    assert "password: " in done.stdout
    with desk_from(config, "test") as desk:
        assert ["admin"] == users.administrators(desk)
    assert not is_missing(config)
    assert "" == say()


def test_accounts_that_cannot_be_read(tmp_path: Path) -> None:
    """They are no reason to send anybody to make an administrator."""
    (tmp_path / "accounts.db").write_bytes(b"no database" * 1000)
    file = tmp_path / "gatepost.toml"
    file.write_text(f'data_dir = "{tmp_path}"')

    assert not is_missing(load(str(file), {}))
