"""`gatepost privacy`: one person's data in a domain, handed out or erased."""

from __future__ import annotations

import os

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import print_facts, print_json
from gatepost.cli.words import as_json

DOMAIN = click.option("--domain", required=True, metavar="DOMAIN", help="Whose data: others' are left alone.")


@click.group()
def command() -> None:
    """Hand out or erase what a domain has of one person, by the address."""


@command.command()
@click.argument("address")
@DOMAIN
@as_json
def show(address: str, domain: str, as_json: bool) -> None:
    """Count what there is of ADDRESS; nothing is opened or changed."""
    from gatepost.desk import privacy

    with at_desk() as desk:
        counts = privacy.look(desk, domain, privacy.person(address)).counts
    if as_json:
        print_json(counts)
    else:
        print_facts({kind: str(number) for kind, number in counts.items()})


@command.command()
@click.argument("address")
@DOMAIN
@click.option("--output", metavar="FILE", required=True, help="The zip to make; it must not be there.")
def export(address: str, domain: str, output: str) -> None:
    """Write everything there is of ADDRESS into a zip: journal, kept mail, records, trainings, lists."""
    from gatepost.desk import privacy, privacy_export

    # Opened by who asks, who may write there; for nobody else to read.
    try:
        fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from error
    try:
        with os.fdopen(fd, "wb") as stream, at_desk() as desk:
            counts = privacy_export.export(desk, domain, privacy.person(address), stream)
    except BaseException:
        os.unlink(output)  # noqa: PTH108 - half of somebody's data is nobody's
        raise
    click.echo(f"{output}: {_said(counts)}")


@command.command()
@click.argument("address")
@DOMAIN
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def erase(address: str, domain: str, yes: bool, as_json: bool) -> None:
    """Erase ADDRESS from journal, kept mail, records, trainings and the list of changes.

    Kept mail from or to it is deleted; elsewhere a name that says nothing stands in its place. What
    waits to be delivered stays, and so does what is a setting: list entries, recipients, accounts.
    Who did something is erased here and by an administrator; an owner's erasing in the console leaves it.
    """
    from gatepost.desk import privacy

    with at_desk() as desk:
        who = privacy.person(address)
        if not yes:
            counts = privacy.look(desk, domain, who).counts
            click.confirm(f"{_said(counts)}. Erase {address} from {domain} for good?", abort=True, err=True)
        done = privacy.erase(desk, domain, who)
    if as_json:
        print_json({"erased": done.done, "left": done.left})
        return
    click.echo(f"erased: {_said(done.done)}")
    if done.left:
        click.echo(f"left: {_said(done.left)}")


def _said(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in counts.items() if number) or "nothing"
