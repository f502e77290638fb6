"""`gatepost serve`: everything on one machine."""

from __future__ import annotations

import click

from gatepost.cli.house import config_of


@click.command()
@click.option("--demo", is_flag=True, hidden=True, help="Make the demo domain example.test (./run).")
@click.pass_context
def command(ctx: click.Context, demo: bool) -> None:
    """Run everything on one machine.

    TERM drains (open transactions end, new ones get 421), a second TERM stops; HUP re-reads what
    can be re-read without dropping a session.
    """
    config = config_of(ctx)
    from gatepost.app import serve

    ctx.exit(serve(config, demo=demo))
