"""A group of commands that are imported when they are called, and the one place where errors end.

`--help` and completion must answer within 150 ms (CONTRACT 3), so the group knows each command's
name and sentence from a table and imports nothing else. What a person did wrong becomes one line
on stderr: exit status 1, or 2 where the words themselves were wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

Commands = dict[str, tuple[str, str]]
"""Name -> (module that has it as `command`, sentence for the help)."""


class LazyGroup(click.Group):
    """The program: a table of commands."""

    def __init__(self, *arguments: Any, table: Commands, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.table:
            return None
        command = import_module(self.table[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; a wrong word is answered with the nearest right one."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            raise click.UsageError(f"there is no command {args[0]!r}{nearest(args[0], self.table)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table into the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, or an option."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=sentence)
            for name, (_, sentence) in self.table.items()
            if name.startswith(incomplete)
        ]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and end the process with the right status."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()
        except click.UsageError as error:
            complain(f"{_place(error)}: {_sentence(error)}{_hint(error)}")
            status = error.exit_code
        except click.ClickException as error:
            complain(f"gatepost: {error.format_message()}")
            status = error.exit_code
        except click.Abort:
            status = 130
        except BrokenPipeError:  # `gatepost journal | head` is no error of ours
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 141
        sys.exit(status if isinstance(status, int) else 0)


def complain(line: str) -> None:
    """Say one line on stderr."""
    click.echo(" ".join(line.splitlines()), err=True)


def nearest(word: str, known: Any) -> str:
    """Return `; did you mean 'x'?`, or ""."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _place(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx is not None else "gatepost"


def _sentence(error: click.UsageError) -> str:
    text = error.format_message().rstrip(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]  # DOMAIN stays DOMAIN


def _hint(error: click.UsageError) -> str:
    return f" (see {_place(error)} --help)"
