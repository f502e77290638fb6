"""The scripts are those shells take; words, domains and settings are completed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import COMMANDS

Run = Callable[..., Any]


def complete(config: Path, *words: str) -> list[str]:
    """Return what bash would be offered for the last word."""
    done = subprocess.run(
        [sys.executable, "-c", "from gatepost.cli.main import main; main()"],
        env={
            **os.environ,
            "GATEPOST_CONFIG": str(config),
            "_GATEPOST_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("gatepost", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete ")]
)
def test_script(run: Run, shell: str, word: str) -> None:
    """Each shell gets its own script, with how to install it."""
    text = run("completion", shell).stdout
    assert word in text
    assert "_GATEPOST_COMPLETE" in text
    assert text.splitlines()[-1].startswith(f"# gatepost completion {shell} >")


def test_zsh_script_begins_as_zsh_wants(run: Run) -> None:
    """`#compdef` is read from the first line of the file."""
    assert run("completion", "zsh").stdout.startswith("#compdef gatepost\n")


def test_bash_takes_it(run: Run) -> None:
    """Bash finds no fault in it."""
    subprocess.run(["bash", "-n"], input=run("completion", "bash").stdout, text=True, check=True)


def test_commands(config: Path) -> None:
    """All of them, and those that begin so."""
    assert complete(config, "") == list(COMMANDS)
    assert complete(config, "re") == ["recipient", "review", "recheck", "restore"]
    assert complete(config, "domain", "s") == ["set", "show"]
    assert "--json" in complete(config, "domain", "list", "--")


def test_domains(hosted: Run, config: Path) -> None:
    """Names of hosted domains, wherever a domain stands."""
    hosted("domain", "add", "example.net", "--route", "smtp://192.0.2.5")
    for words in (
        ("domain", "show"),
        ("domain", "set"),
        ("recipient", "list"),
        ("journal", "--domain"),
        ("list", "add"),
        ("changes",),
        ("bypass", "on"),
    ):
        assert complete(config, *words, "ex") == ["example.net", "example.org"]
        assert complete(config, *words, "example.o") == ["example.org"]


def test_settings(hosted: Run, config: Path) -> None:
    """Behind the domain (or --all) come settings."""
    assert complete(config, "domain", "set", "example.org", "refuse") == ["refuse_at=", "refuse_at.unknown="]
    assert complete(config, "domain", "set", "--all", "dnsbl.m") == ["dnsbl.mode="]
    assert complete(config, "plugin", "show", "dns") == ["dnsbl"]


def test_trouble_is_silent(config: Path) -> None:
    """A broken configuration or store offers nothing and says nothing."""
    config.write_text("nonsense = ")
    assert complete(config, "domain", "show", "") == []
