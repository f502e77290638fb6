"""`gatepost import`: configurations of other systems."""

from __future__ import annotations

from pathlib import Path

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import print_json, visible
from gatepost.cli.words import as_json


@click.group()
def command() -> None:
    """Take over the configuration of another system."""


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--route", default="", metavar="URL", help="Of new domains; else queue/smtp-forward's server.")
@click.option(
    "--recipients",
    type=click.Choice(["list", "callout", "any"]),
    default="callout",
    show_default=True,
    help="Who exists in new domains.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be taken over, and change nothing.")
@as_json
def qpsmtpd(folder: Path, route: str, recipients: str, dry_run: bool, as_json: bool) -> None:
    """Take over a configuration of qpsmtpd: DIR is its folder, /etc/qpsmtpd or /var/qmail/control.

    Says line by line what it has become, and what was not taken over and why. Nothing is removed.
    """
    from gatepost.desk.qpsmtpd import import_folder

    with at_desk() as desk:
        done = import_folder(desk, folder, route=route, recipients=recipients, dry_run=dry_run)
    told = {
        "taken": [(line, text) for line, text in done.report.taken],
        "left": [(line, text) for line, text in done.report.left],
    }
    if as_json:
        rows = {
            kind: [{"file": n.file, "line": n.number, "text": n.text, "said": text} for n, text in found]
            for kind, found in told.items()
        }
        print_json({"domains": done.domains, "hosted": done.hosted, "dry_run": dry_run, **rows})
        return
    for word, found in (("taken over" if not dry_run else "would be taken over", told["taken"]),
                        ("not taken over", told["left"])):  # fmt: skip
        click.echo(f"{word}:" if found else f"{word}: nothing")
        for line, text in found:
            place = f"{line.file}:{line.number}" if line.number else line.file
            click.echo(f"  {visible(place)}: {visible(line.text)} -> {visible(text)}")
