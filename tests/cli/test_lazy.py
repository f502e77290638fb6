"""The group imports a command when it is called, and nothing else."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from gatepost.cli.lazy import LazyGroup, nearest


@click.command(
    cls=LazyGroup, table={"bad": ("no.such.module", "Never imported."), "queue": ("gatepost.cli.queue", "Q.")}
)
def group() -> None:
    """A group with a command that cannot be imported."""


def test_help_imports_nothing() -> None:
    """A command that cannot be imported stands in the help all the same."""
    result = CliRunner().invoke(group, ["--help"])
    assert result.exit_code == 0
    assert "Never imported." in result.output


def test_command_is_imported() -> None:
    """The right one is found by its name."""
    result = CliRunner().invoke(group, ["queue", "--help"])
    assert "retry" in result.output


def test_not_standalone() -> None:
    """Who embeds the group gets click's own errors."""
    with pytest.raises(click.UsageError):
        group.main(["nothing"], standalone_mode=False)


def test_nearest() -> None:
    """A word is offered when it is near."""
    assert nearest("domian", ["domain", "queue"]) == "; did you mean 'domain'?"
    assert nearest("xyz", ["domain"]) == ""
