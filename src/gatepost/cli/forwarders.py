"""`gatepost forwarders`: who broke DMARC on wanted mail, to be trusted or not."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import iso, print_json, print_table, when
from gatepost.cli.words import as_json, domain_argument


@click.command()
@domain_argument()
@click.option("--trust", metavar="NAME", help="Add this one to arc.forwarders.")
@as_json
def command(domain: str, trust: str | None, as_json: bool) -> None:
    """Show which forwarders broke DMARC on wanted mail of a domain; trust one.

    They are counted while the check `dmarc` is on or on watch.
    """
    from gatepost.desk import forwarders

    with at_desk() as desk:
        if trust is not None:
            forwarders.trust(desk, domain, trust)
        found = forwarders.candidates(desk, domain)
    if as_json:
        print_json(
            [
                {"forwarder": f.name, "mails": f.mails, "last": iso(f.last), "trusted": f.trusted}
                for f in found
            ]
        )
        return
    print_table(
        ["forwarder", "broke DMARC on wanted mails", "last", "trusted"],
        [(f.name, f.mails, when(f.last), "yes" if f.trusted else "") for f in found],
        right=["broke DMARC on wanted mails"],
        empty="No forwarder broke DMARC on wanted mail.",
    )
