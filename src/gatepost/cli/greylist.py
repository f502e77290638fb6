"""`gatepost greylist`: what putting strangers off costs a domain, and what it keeps away."""

from __future__ import annotations

import click

from gatepost.cli.house import at_desk
from gatepost.cli.output import print_json, print_table
from gatepost.cli.words import as_json, domain_argument


@click.command()
@domain_argument()
@click.option("--since", default="30d", show_default=True, metavar="TIME", help="7d, or a date.")
@as_json
def command(domain: str, since: str, as_json: bool) -> None:
    """Show the bill of greylisting: minutes that mail waited, against mail that never came back.

    A mail counts on the day (UTC) on which it first came. It is counted while the check is on.
    """
    from gatepost.desk import spans
    from gatepost.desk.greylist_bill import bill

    with at_desk() as desk:
        days = bill(desk, domain, spans.since(since, desk.clock()))
    if as_json:
        print_json(
            [
                {
                    "day": one.day or None,
                    "put_off": one.put_off,
                    "came_back": one.came_back,
                    "minutes": round(one.minutes, 1),
                    "average_minutes": round(one.average, 1),
                    "never_came_back": one.never,
                    "still_waiting": one.waiting,
                }
                for one in days
            ]
        )
        return
    print_table(
        ["day", "put off", "came back", "minutes", "average", "never", "waiting"],
        [
            (
                one.day or "all",
                one.put_off,
                one.came_back,
                f"{one.minutes:.1f}",
                f"{one.average:.1f}",
                one.never,
                one.waiting,
            )
            for one in days
        ],
        right=["put off", "came back", "minutes", "average", "never", "waiting"],
        empty="No stranger was put off.",
    )
