"""`gatepost config`: check and show what must be known before the store opens."""

from __future__ import annotations

import os

import click

from gatepost.cli.house import config_of
from gatepost.cli.output import print_json, print_table
from gatepost.cli.words import as_json


@click.group()
def command() -> None:
    """Check or show the configuration of this machine."""


@command.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Check the configuration and whether it fits this machine.

    Exit status 2 when it cannot be used. Doubts are said and are no error.
    """
    from gatepost.config import check as look
    from gatepost.config import find

    config = config_of(ctx)
    problems = look(config)
    for problem in problems:
        click.echo(f"gatepost: {'' if problem.fatal else 'warning: '}{problem}", err=True)
    if any(problem.fatal for problem in problems):
        ctx.exit(2)
    file = find(ctx.find_root().params.get("config"), os.environ)
    click.echo(f"{file or 'no file, defaults and environment'}: ok")


@command.command()
@click.option("--origin", is_flag=True, help="Also where each value comes from.")
@as_json
@click.pass_context
def show(ctx: click.Context, origin: bool, as_json: bool) -> None:
    """Show every key with its value."""
    rows = config_of(ctx).rows()
    if as_json:
        print_json([{"key": r.key, "value": r.value, "origin": r.origin} for r in rows])
    elif origin:
        print_table(["key", "origin", "value"], [(r.key, r.origin, r.value) for r in rows])
    else:
        print_table(["key", "value"], [(r.key, r.value) for r in rows])
