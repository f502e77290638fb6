"""`gatepost srv`: policy as a tree of files."""

from __future__ import annotations

from pathlib import Path

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import print_json, visible
from gatepost.cli.words import as_json

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def command() -> None:
    """Policy as a tree of files: DIR/DOMAIN/users/valid/NAME and so on.

    The layout is described in docs/howto/files-under-srv.md.
    """


@command.command("import")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--route", default="", metavar="URL", help="Where the mail of new domains goes.")
@click.option("--blacklist-d", type=FOLDER, metavar="DIR", help="/etc/blacklist.d: a file for each address.")
@click.option("--dry-run", is_flag=True, help="Say what would be taken over, and change nothing.")
@as_json
def import_(folder: Path, route: str, blacklist_d: Path | None, dry_run: bool, as_json: bool) -> None:
    """Take over what a tree says; nothing is removed."""
    from gatepost.desk import srv

    with at_desk() as desk:
        done = srv.import_tree(desk, folder, route=route, blacklist_d=blacklist_d, dry_run=dry_run)
    if as_json:
        print_json(
            {
                "domains": done.domains,
                "hosted": done.hosted,
                "problems": [{"path": p.path, "why": p.why} for p in done.problems],
            }
        )
        return
    would = "would be " if dry_run else ""
    for domain, rows in done.domains.items():
        new = ", a new domain" if domain in done.hosted else ""
        click.echo(f"{_name(domain)}: {rows} {would}new or different{new}")
    for problem in done.problems:
        click.echo(f"not taken over: {visible(problem.path)}: {visible(problem.why)}")


@command.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("domains", metavar="[DOMAIN...]", nargs=-1)
def export(folder: Path, domains: tuple[str, ...]) -> None:
    """Write the policy into a new or empty folder: all of it, or some domains."""
    from gatepost.desk import srv

    with at_desk() as desk:
        done = srv.export_tree(desk, folder, domains)
    for domain, files in done.domains.items():
        click.echo(f"{_name(domain)}: {files} files")
    for problem in done.problems:
        click.echo(f"not written: {visible(problem.path)}: {visible(problem.why)}", err=True)
    if done.problems:
        raise click.ClickException(f"{len(done.problems)} domains could not be written")


def _name(domain: str) -> str:
    return "all domains" if domain == "*" else domain
