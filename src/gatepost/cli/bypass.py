"""`gatepost bypass`: take the filter out and put it back."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.words import domain_argument


@click.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@domain_argument(required=False)
def command(switch: str, domain: str | None) -> None:
    """Relay everything that is for a valid recipient; tag and journal it, refuse nothing.

    Without DOMAIN for all domains (a domain that has its own setting keeps it).
    """
    from gatepost.desk import domains

    with at_desk() as desk:
        domains.bypass(desk, domain, switch == "on")
    click.echo(f"{domain or 'all domains'}: the filter is {'out' if switch == 'on' else 'back in'}")
