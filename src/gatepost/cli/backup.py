"""`gatepost backup FILE`: everything that is remembered in one file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gatepost.cli.house import complaints, config_of
from gatepost.cli.output import size


@click.command()
@click.argument("file", metavar="FILE")
def command(file: str) -> None:
    """Write policy, journal, archive, spool and secrets into one file, while mail flows."""
    from gatepost.desk import backup

    # Not as the owner of data_dir: FILE is where the person who asks may write.
    config = config_of()
    with complaints():
        made = backup.make(config.data_dir, Path(file), time.time())
    click.echo(f"{made.file}: {len(made.databases)} databases, {made.files} files, {size(made.size)}")
