"""The command line over a configuration and real stores in a directory of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatepost.cli.main import cli
from gatepost.desk.desk import Desk

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's own configuration or terminal reaches the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "GATEPOST_CONFIG", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose data lie beside it."""
    path = tmp_path / "gatepost.toml"
    path.write_text(
        'hostname = "mx.example.org"\n'
        'data_dir = "data"\n'
        '[smtp]\nlisten = ["127.0.0.1:2525"]\n'
        '[dns]\nservers = ["127.0.0.1:1"]\ntimeout = 0.2\n'
        f'[plugins]\nfolder = "{tmp_path}/plugins"\n'
    )
    return path


@pytest.fixture
def run(config: Path) -> Run:
    """Run the program; `status` is what it has to end with, `input` what stands on its stdin."""

    def run(*words: str, status: int = 0, input: str | bytes | None = None) -> Result:  # noqa: A002
        result = CliRunner().invoke(cli, ["--config", str(config), *words], prog_name="gatepost", input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    return run


@pytest.fixture
def hosted(run: Run, tmp_path: Path) -> Run:
    """The same with the domain example.org and its recipient ann."""
    run("domain", "add", "example.org", "--route", f"maildir://{tmp_path}/mail/%u")
    run("recipient", "add", "example.org", "ann")
    return run


@pytest.fixture
def desk(config: Path) -> Iterator[Desk]:
    """The desk over the same stores."""
    with Desk(config.parent / "data", "test") as made:
        yield made


@pytest.fixture
def as_json(run: Run) -> Callable[..., Any]:
    """Run with `--json` and return what was printed."""
    return lambda *words: json.loads(run(*words, "--json").stdout)
