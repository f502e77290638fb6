"""`gatepost restore FILE`: put a backup back."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gatepost.cli.house import complaints, config_of
from gatepost.cli.output import when


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--replace", is_flag=True, help="Set aside what is there (it is kept).")
def command(file: str, replace: bool) -> None:
    """Put a backup back; the server must not run."""
    from gatepost.desk import backup

    config = config_of()
    with complaints():
        done = backup.put_back(config.data_dir, Path(file), time.time(), replace=replace)
    click.echo(f"{config.data_dir}: as of {when(done.made)}, {done.files} files")
    if done.set_aside is not None:
        click.echo(f"What was there before lies in {done.set_aside}")
