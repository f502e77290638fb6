"""The program starts fast, names every command, and says errors in one line with the right status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost import __version__
from gatepost.cli.main import COMMANDS

Run = Callable[..., Any]

HEAVY = ("pydantic", "asyncio", "rich")


def imported(tmp_path: Path, *words: str) -> set[str]:
    """Return the modules that a command imports (python -X importtime), by their first names."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gatepost", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_help_names_every_command(run: Run) -> None:
    """The table is what the help shows."""
    text = run("--help").stdout
    assert all(name in text for name in COMMANDS)
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(run: Run, name: str) -> None:
    """Help at each level, in 80 columns."""
    text = run(name, "--help").stdout
    assert text.startswith(f"Usage: gatepost {name}")
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize(
    "words",
    [("--help",), ("domain", "--help"), ("check", "--help"), ("completion", "zsh"), ("--version",)],
)
def test_what_help_imports(config: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Help and completion import neither pydantic nor asyncio nor rich, nor a database."""
    assert imported(tmp_path, *words).isdisjoint({*HEAVY, "sqlite3"})


@pytest.mark.parametrize(
    "words",
    [
        ("domain", "list"),
        ("domain", "show", "example.org"),
        ("recipient", "list", "example.org"),
        ("list", "show", "example.org"),
        ("queue", "list"),
        ("archive", "list"),
        ("journal",),
        ("changes",),
        ("config", "show"),
    ],
)
def test_what_a_list_imports(hosted: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """What only looks is as fast as help: no check is loaded for it."""
    assert imported(tmp_path, *words).isdisjoint(HEAVY)


def test_help_takes_less_than_150_ms(tmp_path: Path) -> None:
    """The processor time of the best of five runs (a busy machine must not fail this)."""
    best = 9.0
    quiet = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    quiet.pop("PYTHONDONTWRITEBYTECODE", None)
    for _ in range(6):  # the first one writes the bytecode
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "gatepost", "--help"], check=True, capture_output=True, env=quiet
        )
        after = os.times()
        spent = after.children_user - before.children_user + after.children_system - before.children_system
        best = min(best, spent)
    assert best < 0.150


def test_version(run: Run) -> None:
    """What is installed."""
    assert run("--version").stdout == f"gatepost {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("domian",), "gatepost: there is no command 'domian'; did you mean 'domain'? (see gatepost --help)"),
        (("domain",), ""),
        (
            ("domain", "show"),
            "gatepost domain show: missing argument 'DOMAIN' (see gatepost domain show --help)",
        ),
        (("domain", "list", "--jsn"), "gatepost domain list: no such option"),
        (("bypass", "maybe"), "gatepost bypass: invalid value"),
        (("domain", "set", "example.org", "x"), "gatepost domain set: 'x' is not KEY=VALUE"),
        (("domain", "set", "example.org", "a=1", "a=2"), "gatepost domain set: a is given twice"),
        (("domain", "set", "a=1"), "gatepost domain set: DOMAIN is missing"),
        (("domain", "set", "--all", "example.org", "a=1"), "DOMAIN and --all exclude one another"),
        (
            (
                "domain",
                "get",
            ),
            "DOMAIN or --all is needed",
        ),
        (("recipient", "import", "example.org", "--found-in"), "--found-in wants the folders or files"),
        (("queue", "retry"), "gatepost queue retry: name ids, or --all"),
        (("list", "add", "example.org", "deny"), "wanted: DOMAIN allow|deny ENTRY"),
        (("list", "show"), "wanted: DOMAIN"),
    ],
)
def test_wrong_words(run: Run, words: tuple[str, ...], said: str) -> None:
    """Wrong words end with status 2 and one line that says where to read on."""
    error = run(*words, status=2).stderr
    assert said in error
    if said:
        assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("domain", "show", "nowhere.example"),
        ("recipient", "add", "nowhere.example", "ann"),
        ("explain", "hello"),
        ("archive", "show", "nothing"),
        ("queue", "drop", "nothing"),
        ("changes", "--roll-back", "99"),
        ("plugin", "show", "nothing"),
        ("check", "/no/such/file", "--from", "a@b.example", "--to", "c@d.example"),
        ("restore", "/no/such/file"),
        ("journal", "--since", "yesterday"),
    ],
)
def test_errors_are_one_line(run: Run, words: tuple[str, ...]) -> None:
    """What cannot be done ends with status 1, one line on stderr and nothing on stdout."""
    result = run(*words, status=1)
    assert result.stderr.startswith("gatepost: ")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_wrong_configuration(run: Run, config: Path) -> None:
    """A configuration that cannot be used ends with status 2 and names file, key and reason."""
    config.write_text('data_dirr = "x"\n[smtp]\nworkers = "many"\n')
    error = run("domain", "list", status=2).stderr.splitlines()
    assert len(error) == 2
    assert all(line.startswith(f"gatepost: {config}: ") for line in error)
    assert "data_dirr" in error[0]
    assert "data_dir?" in error[0]


def test_damaged_store(hosted: Run, config: Path) -> None:
    """A damaged database is one clear line, not a trace."""
    for ending in ("-wal", "-shm"):
        (config.parent / "data" / f"policy.db{ending}").unlink(missing_ok=True)
    (config.parent / "data" / "policy.db").write_bytes(b"junk" * 2000)
    error = hosted("domain", "list", status=1).stderr
    assert "policy.db is damaged" in error
    assert len(error.splitlines()) == 1


def test_reader_that_leaves(hosted: Run, config: Path) -> None:
    """`gatepost config show | head -1` ends without a trace."""
    done = subprocess.run(
        f"{sys.executable} -m gatepost --config {config} config show | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
